//go:build unix

package process

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall"
)

// A shell runs its trap when its foreground child has ended, so a stop of the shell alone would wait for that until the hard stop.
func TestStopOfAGroupReachesTheForegroundChildOfAShell(t *testing.T) {
	for name, set := range map[string]func(*Process){
		"group of a family": func(p *Process) { p.Group = true },
		"group":             func(p *Process) { p.Group, p.Kill = true, KillGroup },
		"all":               func(p *Process) { p.Kill = KillAll },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := listen(t)
			p := &Process{Command: []string{"/bin/sh", "-c", `trap 'echo cleaned; exit 0' TERM; echo up; sleep 1000`}, Stdout: v.w}
			set(p)
			r := run(t, p, limit)
			v.await(t, "up")
			eventually(t, "the shell's child is sleep", p.hasSleep) // before that it has the shell's handler
			noError(t, r.stop())
			v.silence(t)
			v.order(t, "up", "cleaned")
		})
	}
}

// All are told while the main process is still there, and each once.
func TestStopOfAllAtOnce(t *testing.T) {
	v := listen(t)
	p := script(`on TERM { say main TERM }; on USR1 { exit 0 };
		spawn plain { on TERM { say group TERM }; on USR1 { exit 0 }; say group PID; wait };
		spawn pgid { on TERM { say apart TERM; exit 0 }; say apart up; wait };
		spawn sid { on TERM { say left TERM; exit 0 }; say left up; wait };
		say up; wait`)
	p.Stdout, p.Kill = v.w, KillAll
	r := run(t, p, limit)
	v.await(t, "up", "apart up", "left up")
	group := pidOf(t, v.value(t, "group "))
	r.until(lastcall.StateReady)
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	v.await(t, "main TERM", "group TERM", "apart TERM", "left TERM")
	noError(t, p.Signal(syscall.SIGUSR1))
	noError(t, syscall.Kill(group, syscall.SIGUSR1))
	noError(t, <-stopped)
	v.silence(t)
	if got := strings.Join(v.all(), "\n"); strings.Count(got, "TERM") != 4 {
		t.Errorf("each is told once:\n%s", got)
	}
}

// hasSleep reports whether a member of the family is a sleep, as far as the system tells names.
func (p *Process) hasSleep() bool {
	c := p.current.Load()
	return c != nil && slices.ContainsFunc(c.family.others(false), func(k descendant) bool { return k.name == "sleep" || k.pid == 0 })
}
