//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/check"
)

const (
	// grace is what the healthy have: more than the longest of their stops takes on a machine with no time for them.
	grace = 20 * time.Second
	// hopeless is what those have that hang: they would hang longer.
	hopeless = 3 * time.Second
)

// A kit starts the daemons.
type kit struct {
	dir     string            // of the sources
	program map[string]string // by the language: what runs it; without an entry it is not here
	missing map[string]string // why not
	scratch string
	given   sync.Map // ports
}

// newKit builds what is built, and finds what is found. dir is that of this package's sources.
func newKit(ctx context.Context, dir string) (*kit, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	k := &kit{dir: dir, program: map[string]string{}, missing: map[string]string{}}
	if k.scratch, err = os.MkdirTemp("", "lastcall-corpus-"); err != nil {
		return nil, err
	}
	binary := filepath.Join(k.scratch, "daemon")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./go")
	build.Dir = dir
	if text, err := build.CombinedOutput(); err != nil {
		k.close()
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	k.program["go"] = binary
	if k.program["sh"], err = exec.LookPath("sh"); err != nil {
		k.missing["sh"] = err.Error()
	}
	// The interpreter itself: what is called python3 may be a script that finds out which.
	text, err := exec.CommandContext(ctx, "python3", "-c", "import sys; assert sys.version_info >= (3, 8); print(sys.executable)").Output()
	if k.program["python"] = strings.TrimSpace(string(text)); err != nil {
		k.missing["python"] = "no Python 3.8: " + err.Error()
	}
	if k.program["node"], err = exec.LookPath("node"); err != nil {
		k.missing["node"] = err.Error()
	}
	return k, nil
}

func (k *kit) close() { os.RemoveAll(k.scratch) }

// language and fault are the halves of the name.
func (d *Daemon) language() string { before, _, _ := strings.Cut(d.Name, "/"); return before }
func (d *Daemon) fault() string    { _, after, _ := strings.Cut(d.Name, "/"); return after }

// check is a quick one of a daemon, in a directory of its own.
func (k *kit) check(d *Daemon) (*check.Check, error) {
	c := &check.Check{Quick: true, Grace: grace, Ready: d.Ready}
	if d.Says == stillThere || d.Says == ignoresIt {
		c.Grace = hopeless
	}
	var err error
	if c.Dir, err = os.MkdirTemp(k.scratch, d.fault()+"-"); err != nil {
		return nil, err
	}
	port, err := k.freePort()
	if err != nil {
		return nil, err
	}
	program := k.program[d.language()]
	fault := d.fault()
	if slices.Contains(plain, fault) {
		fault = ""
	}
	switch d.language() {
	case "go":
		c.Command = []string{program, "-listen", hostPort(port), "-fault", fault}
	case "python":
		c.Command = []string{program, "-B", filepath.Join(k.dir, "python", "daemon.py"), "--port", strconv.Itoa(port), "--fault", fault}
	case "node":
		c.Command = []string{program, filepath.Join(k.dir, "node", "daemon.js"), strconv.Itoa(port)}
	case "sh":
		if fault == "" {
			fault = "healthy"
		}
		c.Command = []string{program, filepath.Join(k.dir, "sh", fault+".sh")}
	}
	c.Command = append(c.Command, d.Args...)
	if d.Web {
		c.URL = "http://" + hostPort(port) + "/"
		c.Slow = c.URL + "slow"
	}
	if d.Reload {
		c.ReloadSignal = syscall.SIGHUP
	}
	if d.Stream {
		c.Stream = c.URL + "events"
	}
	if d.Duck {
		c.Ready = c.URL + "ready"
	}
	if d.Admin {
		port, err := k.freePort()
		if err != nil {
			return nil, err
		}
		c.Command = append(c.Command, "-admin", hostPort(port))
		c.Ready = "http://" + hostPort(port) + "/"
	}
	return c, nil
}

// plain are names for what the healthy daemons do anyway.
var plain = []string{"healthy", "lame-duck", "forces", "patient", "quick", "buries-none"}

// freePort is one that nobody has, and that nobody gets by chance between two lives of the daemon: it lies below those that the system
// gives, and is given only once here.
func (k *kit) freePort() (int, error) {
	const lowest, many = 10000, 20000
	for range 1000 {
		port := lowest + rand.IntN(many)
		if _, given := k.given.LoadOrStore(port, true); given {
			continue
		}
		// Asked and not tried: a socket that listens here is, for a moment, also that of a guard which is just being started.
		if conn, err := net.DialTimeout("tcp", hostPort(port), time.Second); errors.Is(err, syscall.ECONNREFUSED) {
			return port, nil
		} else if err == nil {
			conn.Close()
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free", lowest, lowest+many)
}

func hostPort(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// play plays scenarios, all if there are no names.
func (k *kit) play(ctx context.Context, d *Daemon, scenarios ...string) (*check.Report, error) {
	c, err := k.check(d)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(c.Dir)
	c.Only = scenarios
	return c.Run(ctx)
}

// compare is what the report says otherwise than the corpus, one line for each.
func (d *Daemon) compare(r *check.Report) (lines []string) {
	for i := range r.Results {
		result := &r.Results[i]
		if want := d.want(result.Scenario); result.Verdict != want {
			lines = append(lines, fmt.Sprintf("%s: %s: %s, not %s: %s", d.Name, result.Scenario, result.Verdict, want, result.Summary))
		}
		if result.Scenario == d.Aim && !strings.Contains(result.Summary, d.Says) {
			lines = append(lines, fmt.Sprintf("%s: %s: %q is not in %q", d.Name, result.Scenario, d.Says, result.Summary))
		}
	}
	return lines
}
