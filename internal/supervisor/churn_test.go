//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// Processes with held sockets end and start again at any moment, also while a reload adds or removes sockets. What the reloads do
// not name keeps its sockets, and what they leave out is closed.
func TestReloadOfSocketsWhileProcessesFlap(t *testing.T) {
	dir, err := os.MkdirTemp("", "f") // short, for the sockets' paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	unix := func(name string, n int) config.Listener {
		return config.Listener{Name: name, Network: "unix", Address: fmt.Sprintf("%s/%s-%d", dir, name, n)}
	}
	flapping := func(n int) *config.Process {
		return shellProcess(fmt.Sprintf("flap%d", n), "echo up", func(p *config.Process) {
			p.Dir, p.Listen = dir, []config.Listener{unix("flap", n)}
			p.OnExit = config.OnExitContinue
			p.Restart = config.Restart{When: "always", Delay: time.Millisecond, Max: time.Millisecond, Limit: -1}
		})
	}
	withSockets := func(n int) *config.File {
		many := shellProcess("many", waits, func(p *config.Process) { p.Dir, p.Instances = dir, 0 })
		for i := range n {
			many.Listen = append(many.Listen, unix("many", i))
		}
		processes := []*config.Process{flapping(1), flapping(2), flapping(3)}
		if n > 0 {
			processes = append(processes, many)
		}
		return fileOf(t, processes...)
	}
	file := &changing{file: withSockets(0)}
	u := startFrom(t, file.load)
	for n := 1; n <= 3; n++ {
		u.await(fmt.Sprintf(`flap%d: .*; restart`, n))
	}
	held := func() int {
		u.sockets.mu.Lock()
		defer u.sockets.mu.Unlock()
		return len(u.sockets.held)
	}
	restarts := func() (n int) {
		for _, i := range u.ps() {
			n += i.Restarts
		}
		return n
	}
	for round := range 12 {
		more, before := 200*((round+1)%2), restarts()
		file.set(withSockets(more), nil)
		if text, err := u.reloads(); err != nil {
			t.Fatal(text, err)
		}
		if now := held(); now != 3+more {
			t.Fatalf("round %d: %d sockets are held, not %d", round, now, 3+more)
		}
		for limit := time.After(patience); ; {
			changed := u.Changed()
			if restarts() > before {
				break
			}
			select {
			case <-changed:
			case <-limit:
				t.Fatalf("round %d: no process started again within %v", round, patience)
			}
		}
	}
	if status := u.end(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, %v", status, u.err)
	}
	if now := held(); now != 0 {
		t.Errorf("%d sockets are held after the end", now)
	}
}
