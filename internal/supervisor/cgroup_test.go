//go:build unix

package supervisor

import (
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/process"
)

// Limits that need a cgroup are one error that names the process, the key and the reason where none can be had.
func TestCgroupLimits(t *testing.T) {
	for _, c := range []struct {
		key    string
		limits config.Limits
		group  process.Cgroup
	}{
		{"pids", config.Limits{Pids: 7}, process.Cgroup{Pids: 7}},
		{"memory_max", config.Limits{MemoryMax: 1 << 30}, process.Cgroup{Memory: 1 << 30}},
		{"cpus", config.Limits{CPUs: 1.5, Memory: 1 << 30}, process.Cgroup{CPUs: 1.5}},
	} {
		why := c.group.Check()
		d, err := define(&config.Process{Name: "web", Command: config.Command{Args: []string{"true"}}, Limits: c.limits}, false)
		switch {
		case why == nil && err != nil:
			t.Errorf("%s: %v", c.key, err)
		case why == nil && *d.cgroup != c.group:
			t.Errorf("%s: got %+v", c.key, d.cgroup)
		case why != nil && (err == nil || err.Error() != "web: limits: "+c.key+" needs a cgroup of its own, which is not possible here: "+why.Error()):
			t.Errorf("%s: got %v, want the reason: %v", c.key, err, why)
		}
	}
	d, err := define(&config.Process{Name: "web", Command: config.Command{Args: []string{"true"}}, Limits: config.Limits{Memory: 1 << 30}}, false)
	if err != nil && !strings.Contains(err.Error(), "memory") || err == nil && d.cgroup != nil {
		t.Errorf("a limit of each process: %v", err)
	}
}
