//go:build linux || freebsd

package process

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// The main process hears of the stop first, then its group, then who left; the stop is over when the last is gone.
func TestFamilyOrder(t *testing.T) {
	v := listen(t)
	p := script(`on TERM { say main TERM; sleep 20ms; say main ends; exit 0 };
		spawn plain { on TERM { say group TERM; sleep 20ms; say group ends; exit 0 }; say group; wait };
		spawn pgid { on TERM { say pgid TERM; sleep 20ms; say pgid ends; exit 0 }; say pgid; wait };
		spawn sid { spawn sid { on TERM { say orphan TERM; sleep 20ms; exit 0 }; say orphan; wait }; exit 0 };
		spawn bare { on TERM { say bare TERM; exit 0 }; say bare; wait };
		wait`)
	p.Stdout = v.w
	r := run(t, p, limit)
	v.await(t, "group", "pgid", "orphan", "bare")
	noError(t, r.stop())
	v.silence(t)
	v.order(t, "main TERM", "main ends", "group TERM", "group ends", "pgid TERM", "pgid ends")
	v.order(t, "group ends", "orphan TERM")
	v.order(t, "group ends", "bare TERM")
	status := r.status()
	for _, want := range []string{"exit code 0; it left behind", "which left the group", "which left the session"} {
		if !strings.Contains(status, want) {
			t.Errorf("the report says %q, without %q", status, want)
		}
	}
}

// Each stage is asked softly, also when the one before does not listen, and is killed in its own share of the time.
func TestFamilyShares(t *testing.T) {
	v := listen(t)
	p := script(`ignore TERM;
		spawn plain { ignore TERM; say group; wait };
		spawn sid { on TERM { say left TERM; exit 0 }; say left; wait };
		wait`)
	p.Stdout = v.w
	r := run(t, p, 3*time.Second)
	v.await(t, "group", "left")
	family := errorAs[*FamilyError](t, r.stop())
	if family.Main == nil || !family.Main.Killed || family.Main.After > 2400*time.Millisecond {
		t.Errorf("main: %+v", family.Main)
	}
	if len(family.Rest) != 1 || family.Rest[0].Left != "" {
		t.Errorf("killed: %+v", family.Rest)
	}
	v.silence(t)
	v.await(t, "left TERM")
}

func TestFamilyIsKilled(t *testing.T) {
	v := listen(t)
	p := script(`spawn sid { ignore TERM; spawn sid { ignore TERM; say deep; wait }; say left; wait }; on TERM { exit 0 }; say up; wait`)
	p.Stdout, p.Grace = v.w, 1500*time.Millisecond
	r := run(t, p, limit)
	v.await(t, "up", "left", "deep")
	family := errorAs[*FamilyError](t, r.stop())
	if family.Main != nil || len(family.Rest) != 2 || family.Rest[0].Left != "session" {
		t.Errorf("got %+v", family)
	}
	v.silence(t)
}

// A main process that ends by itself leaves nobody behind.
func TestFamilyAfterCrash(t *testing.T) {
	v := listen(t)
	p := script(`spawn sid { on TERM { say left TERM; exit 0 }; say left; notify READY=1; wait }; wait`)
	p.Stdout, p.Ready = v.w, Ready{Notify: true} // READY comes from the grandchild
	r := run(t, p, limit)
	v.await(t, "left")
	r.until(lastcall.StateReady)
	noError(t, p.Signal(syscall.SIGKILL))
	errorAs[*ExitError](t, r.end())
	v.silence(t)
	v.await(t, "left TERM")
}

// Who is found while a family stops belongs to it, also when nothing tells so any more: its parent has ended, and it has neither
// the family's mark nor a group or session of another member.
func TestFamilyFoundInTheStop(t *testing.T) {
	v := listen(t)
	p := script(`spawn sid { on TERM { exit 0 }; spawn bare { ignore TERM; say bare; wait }; say left; wait }; wait`)
	p.Stdout, p.Grace = v.w, 1500*time.Millisecond
	r := run(t, p, limit)
	v.await(t, "bare", "left")
	noError(t, p.Signal(syscall.SIGKILL))
	family := errorAs[*FamilyError](t, r.end())
	if len(family.Rest) != 1 || !family.Rest[0].Killed {
		t.Errorf("got %+v", family)
	}
	v.silence(t)
}

func TestKillModes(t *testing.T) {
	for mode, ends := range map[Mode][]string{KillGroup: {"group"}, KillProcess: nil} {
		t.Run(mode.String(), func(t *testing.T) {
			v := listen(t)
			p := script(`on TERM { say main TERM; exit 0 };
				spawn plain { on TERM { say group TERM; exit 0 }; say group PID; wait };
				spawn sid { on TERM { say left TERM; exit 0 }; say left PID; wait };
				say up; wait`)
			p.Stdout, p.Kill = v.w, mode
			r := run(t, p, limit)
			v.await(t, "up")
			pids := map[string]int{"group": pidOf(t, v.value(t, "group ")), "left": pidOf(t, v.value(t, "left "))}
			noError(t, r.stop())
			for _, name := range ends {
				v.await(t, name+" TERM")
				delete(pids, name)
			}
			for name, pid := range pids {
				if !exists(pid) {
					t.Errorf("%s is gone", name)
				}
				syscall.Kill(pid, syscall.SIGKILL)
			}
			v.silence(t)
			for name := range pids {
				if got := v.all(); strings.Contains(strings.Join(got, "\n"), name+" TERM") {
					t.Errorf("%s was signalled: %q", name, got)
				}
			}
		})
	}
}

// Two families side by side: only that of the stopped child is stopped.
func TestFamiliesApart(t *testing.T) {
	v, other := listen(t), listen(t)
	daemon := `spawn sid { spawn sid { on TERM { say orphan TERM; exit 0 }; say orphan PID; wait }; exit 0 }; say up; wait`
	a, b := script(daemon), script(daemon)
	a.Stdout, b.Stdout = v.w, other.w
	ra, rb := run(t, a, limit), run(t, b, limit)
	v.await(t, "up")
	other.await(t, "up")
	v.value(t, "orphan ")
	pid := pidOf(t, other.value(t, "orphan "))
	noError(t, ra.stop())
	v.silence(t)
	if !exists(pid) {
		t.Error("the orphan of the other family is gone")
	}
	noError(t, rb.stop())
	other.silence(t)
}

// Orphans that end are reaped while the child runs, and nobody's status is taken: golang/go#60481.
func TestOrphansAndStatuses(t *testing.T) {
	v := listen(t)
	p := script(`spawn sid { spawn sid { sleep 50ms; say orphan PID; exit 0 }; exit 0 }; say up; wait`)
	p.Stdout = v.w
	r := run(t, p, limit)
	v.await(t, "up")
	var commands []*exec.Cmd
	for range 20 { // they end, and nobody waits for them yet
		cmd := exec.Command("sh", "-c", "exit 7")
		noError(t, cmd.Start())
		commands = append(commands, cmd)
	}
	pid := pidOf(t, v.value(t, "orphan "))
	eventually(t, "the orphan is reaped", func() bool { return !exists(pid) })
	here.find().sweep()
	for _, cmd := range commands {
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 7 {
			t.Errorf("a command of somebody else ended with %v", err)
		}
	}
	noError(t, r.stop())
	v.silence(t)
}

// The stop of a child that named another as its main process is that other's.
func TestMainPID(t *testing.T) {
	v := listen(t)
	p := script(`spawn sid { on TERM { say daemon TERM; exit 5 }; notify MAINPID=PID|READY=1; say daemon PID; wait }; on USR1 { exit 0 }; wait`)
	p.Stdout, p.Ready = v.w, Ready{Notify: true}
	r := run(t, p, limit)
	first := 0
	eventually(t, "it runs", func() bool { first = p.PID(); return first != 0 })
	pid := pidOf(t, v.value(t, "daemon "))
	r.until(lastcall.StateReady)
	if p.PID() != pid {
		t.Errorf("PID is %d, want %d", p.PID(), pid)
	}
	noError(t, syscall.Kill(first, syscall.SIGUSR1)) // as a daemon's parent does
	eventually(t, "the orphan is ours", func() bool { parent, err := parentOf(pid); return err == nil && parent == os.Getpid() })
	e := errorAs[*ExitError](t, r.stop())
	if e.PID != pid || e.Code != 5 {
		t.Errorf("got %+v", e)
	}
	v.silence(t)
}

// One that has handed over and stays is a member like others: it hears of the stop, after the one that is the main process now.
func TestMainPIDStays(t *testing.T) {
	v := listen(t)
	p := script(`on TERM { say first TERM; exit 0 }; spawn plain { on TERM { say second TERM; sleep 20ms; say second ends; exit 0 }; notify MAINPID=PID|READY=1; wait }; wait`)
	p.Stdout, p.Ready = v.w, Ready{Notify: true}
	r := run(t, p, limit).until(lastcall.StateReady)
	noError(t, r.stop())
	v.silence(t)
	v.order(t, "second TERM", "second ends", "first TERM")
}

// Who hands over twice, and back to who was it before, loses nothing.
func TestMainPIDGoesAround(t *testing.T) {
	v := listen(t)
	p := script(`on USR1 { notify MAINPID=PID|STATUS=back }; on TERM { say first TERM; exit 3 };
		spawn sid { on TERM { say second TERM; exit 0 }; spawn sid { on TERM { say third TERM; exit 0 }; sleep 50ms; notify MAINPID=PID|READY=1; wait };
		notify MAINPID=PID; wait }; wait`)
	p.Stdout, p.Ready = v.w, Ready{Notify: true}
	r := run(t, p, limit)
	first := 0
	eventually(t, "it runs", func() bool { first = p.PID(); return first != 0 })
	r.until(lastcall.StateReady)
	noError(t, syscall.Kill(first, syscall.SIGUSR1))
	eventually(t, "the first is the main process again", func() bool { return p.Notes().Status == "back" && p.PID() == first })
	if e := errorAs[*ExitError](t, r.stop()); e.PID != first || e.Code != 3 {
		t.Errorf("got %+v", e)
	}
	v.silence(t)
	v.order(t, "first TERM", "second TERM")
	v.order(t, "first TERM", "third TERM")
	eventually(t, "no zombie is left", func() bool { return !hasZombies(t) })
}

// A descendant that says it is the main process when that has ended already comes too late: it is stopped as what it is.
func TestMainPIDTooLate(t *testing.T) {
	v := listen(t)
	p := script(`on TERM { exit 0 }; spawn sid { on TERM { notify MAINPID=PID; sleep 50ms; say left ends; exit 0 }; say left; wait }; say up; wait`)
	p.Stdout, p.Notify = v.w, true
	r := run(t, p, limit)
	v.await(t, "up", "left")
	noError(t, r.stop())
	v.silence(t)
	v.await(t, "left ends")
	if exit, _ := p.Exit(); exit.Code != 0 || exit.Signal != 0 || exit.Unknown {
		t.Errorf("the main process ended: %v", exit)
	}
}

// Who takes over while the main process is being stopped is told at once, and nobody who was seen is lost, though who was between
// ends meanwhile.
func TestMainPIDInTheStop(t *testing.T) {
	v := listen(t)
	p := script(`on TERM { say first TERM }; on USR2 { exit 0 };
		spawn bare { on TERM { say stray TERM; exit 0 }; say stray; wait };
		spawn sid { on TERM { say second TERM }; on USR1 { notify MAINPID=PID }; on USR2 { exit 0 }; spawn plain { say fourth; wait }; say second PID; wait };
		spawn sid { on TERM { say third TERM; exit 0 }; on USR1 { notify MAINPID=PID }; say third PID; wait };
		wait`)
	p.Stdout, p.Notify = v.w, true
	r := run(t, p, limit)
	second, third := pidOf(t, v.value(t, "second ")), pidOf(t, v.value(t, "third "))
	v.await(t, "stray", "fourth")
	first := p.PID()
	r.cancel()
	v.await(t, "first TERM")
	noError(t, syscall.Kill(second, syscall.SIGUSR1))
	v.await(t, "second TERM")
	noError(t, syscall.Kill(first, syscall.SIGUSR2))
	noError(t, syscall.Kill(third, syscall.SIGUSR1))
	v.await(t, "third TERM")
	noError(t, syscall.Kill(second, syscall.SIGUSR2))
	noError(t, r.end())
	v.await(t, "stray TERM")
	v.silence(t)
}

func parentOf(pid int) (int, error) {
	text, err := exec.Command("ps", "-o", "ppid=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
