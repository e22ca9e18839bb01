package process

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// cometVariable makes the test binary a process that is never twice the same: it begins a session, leaves it to a child, and ends, again and
// again. Nothing that goes by numbers catches it.
const cometVariable = "LASTCALL_TEST_COMET"

func init() {
	lives[cometVariable] = func(string) {
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		for { // without the runtime, which does not outlive a fork
			pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
			switch {
			case errno != 0:
			case pid == 0:
				_, _, _ = syscall.RawSyscall(syscall.SYS_SETSID, 0, 0, 0)
			default:
				_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
			}
		}
	}
}

// needCgroup skips where no control group can be made.
func needCgroup(t *testing.T) {
	t.Helper()
	if err := new(Cgroup).Check(); err != nil {
		t.Skipf("no control group can be made here: %v", err)
	}
}

// groupOf is the name of the control group of a process, "" if it is gone.
func groupOf(pid int) string {
	text, _ := readProc("/proc/" + strconv.Itoa(pid) + "/cgroup")
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSpace(path[strings.LastIndexByte(path, '/')+1:])
		}
	}
	return ""
}

// groupsOf are the control groups with a mark that are there.
func groupsOf(t *testing.T, mark string) int {
	t.Helper()
	home, err := cgroupHome()
	noError(t, err)
	return len(home.Left(mark))
}

// An orphan that left group and session and cleared its environment is in the control group: the stop reaches it, softly and then hard,
// and the group is removed.
func TestCgroup(t *testing.T) {
	needCgroup(t)
	mark := rand.Text()
	v := listen(t)
	p := script("spawn plain { spawn bare { on TERM { say soft told; exit 0 }; say soft PID; wait }; " +
		"spawn bare { ignore TERM; say deaf PID; wait }; exit 0 }; wait")
	p.Stdout, p.Mark, p.Cgroup = v.w, mark, &Cgroup{Name: "a/b"}
	r := run(t, p, 2*time.Second)
	soft, deaf := pidOf(t, v.value(t, "soft ")), pidOf(t, v.value(t, "deaf "))
	for _, pid := range []int{p.PID(), soft, deaf} {
		if name := groupOf(pid); !strings.HasPrefix(name, "lastcall."+mark+".a%2fb.") {
			t.Errorf("pid %d is in the control group %q", pid, name)
		}
	}
	err := errorAs[*FamilyError](t, r.stop())
	v.await(t, "soft told")
	killed := map[int]bool{}
	for _, one := range p.Relatives() {
		killed[one.PID] = one.Killed
	}
	if len(err.Rest) != 1 || err.Rest[0].PID != deaf || len(killed) != 2 || killed[soft] || !killed[deaf] {
		t.Errorf("soft %d, deaf %d: %v of %v", soft, deaf, err, p.Relatives())
	}
	if alive(soft) || alive(deaf) || groupsOf(t, mark) > 0 {
		t.Errorf("left: %v %v, %d groups", alive(soft), alive(deaf), groupsOf(t, mark))
	}
}

// What is never twice the same is killed with its control group at one time, at the end of the grace period and at a hard stop at once,
// while the main process runs and when it has ended.
func TestCgroupKill(t *testing.T) {
	needCgroup(t)
	self, err := os.Executable()
	noError(t, err)
	for _, c := range []struct {
		main  string
		grace time.Duration
	}{{"ignore TERM; say up; wait", time.Second}, {"say up; wait", time.Second}, {"ignore TERM; say up; wait", time.Millisecond}} {
		mark := rand.Text()
		v := listen(t)
		p := script(c.main)
		p.Stdout, p.Mark, p.Cgroup = v.w, mark, &Cgroup{}
		r := run(t, p, c.grace)
		v.await(t, "up")
		comet := p.ControlProcess([]string{self})
		comet.Env, comet.Setenv, comet.Cgroup = []string{cometVariable + "=1", raceVariable}, nil, p.Cgroup
		comet.Kill = KillProcess // it lives on in the control group of p
		noError(t, comet.Run(context.Background()))
		eventually(t, "the comet is seen in the control group", func() bool {
			return len(p.current.Load().family.members()) > 1
		})
		if err := r.stop(); err == nil {
			t.Error("no error says that it had to be killed")
		}
		if n := groupsOf(t, mark); n > 0 {
			t.Errorf("%q, grace %v: %d groups are left", c.main, c.grace, n)
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, _ = EndLeftovers(ctx, mark)
		}
	}
}

// Who is killed with its control group while the main process still runs is named.
func TestCgroupKillNames(t *testing.T) {
	needCgroup(t)
	v := listen(t)
	p := script("ignore TERM; spawn plain { spawn bare { ignore TERM; say deaf PID; wait }; exit 0 }; wait")
	p.Stdout, p.Cgroup = v.w, &Cgroup{}
	r := run(t, p, time.Second)
	deaf := pidOf(t, v.value(t, "deaf "))
	err := errorAs[*FamilyError](t, r.stop())
	if len(err.Rest) != 1 || err.Rest[0].PID != deaf || !err.Rest[0].Killed || err.Rest[0].Left != "session" || err.Main == nil || !err.Main.Killed {
		t.Errorf("deaf %d: %v", deaf, err)
	}
}

// The kernel kills all members; nothing else is needed for it.
func TestCgroupKillMembers(t *testing.T) {
	needCgroup(t)
	v := listen(t)
	p := script("ignore TERM; spawn bare { ignore TERM; say deaf PID; wait }; wait")
	p.Stdout, p.Cgroup = v.w, &Cgroup{}
	r := run(t, p, limit).until(lastcall.StateReady)
	deaf := pidOf(t, v.value(t, "deaf "))
	p.current.Load().killMembers()
	if err := r.end(); err == nil || alive(deaf) {
		t.Errorf("%v, and pid %d lives: %v", err, deaf, alive(deaf))
	}
}

// A supervisor dies of SIGKILL. What is left in its control groups is found by the mark of the groups, ended, and the groups removed.
func TestCgroupLeftovers(t *testing.T) {
	needCgroup(t)
	mark := rand.Text()
	v := listen(t)
	above := script("start grouped-" + mark + " { spawn bare { on TERM { say daemon told; exit 0 }; say daemon PID; wait }; " +
		"spawn bare { ignore TERM; say deaf PID; wait }; wait }; wait")
	above.Stdout = v.w
	above.Kill = KillProcess
	r := run(t, above, 5*time.Second)
	daemon, deaf := pidOf(t, v.value(t, "daemon ")), pidOf(t, v.value(t, "deaf "))
	noError(t, above.Signal(syscall.SIGKILL))
	errorAs[*ExitError](t, r.end())
	eventually(t, "the child has gone with its supervisor", func() bool {
		found, err := Leftovers(mark)
		noError(t, err)
		return len(found) == 2
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		v.await(t, "daemon told")
		eventually(t, "the daemon is gone", func() bool { return !alive(daemon) })
		cancel()
	}()
	ended, err := EndLeftovers(ctx, mark)
	noError(t, err)
	if len(ended) != 2 || alive(daemon) || alive(deaf) || groupsOf(t, mark) > 0 {
		t.Errorf("ended %v; left %v %v, %d groups", ended, alive(daemon), alive(deaf), groupsOf(t, mark))
	}
}

// A control process joins the control group of the process whose it is; before that runs, it has one of its own.
func TestCgroupControl(t *testing.T) {
	needCgroup(t)
	mark := rand.Text()
	v := listen(t)
	p := script("say up PID; wait")
	p.Stdout, p.Mark, p.Cgroup = v.w, mark, &Cgroup{Name: "web"}
	ask := func() string {
		v := listen(t)
		c := p.ControlProcess([]string{"/bin/cat", "/proc/self/cgroup"})
		c.Stdout = v.w
		noError(t, c.Run(context.Background()))
		path := v.value(t, "0::")
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	if before := ask(); !strings.HasPrefix(before, "lastcall."+mark+".web.") || groupsOf(t, mark) > 0 {
		t.Errorf("before the start: %q, and %d groups are left", before, groupsOf(t, mark))
	}
	r := run(t, p, time.Second)
	pid := pidOf(t, v.value(t, "up "))
	if own, got := groupOf(pid), ask(); got != own || own == "" {
		t.Errorf("while it runs: %q, want %q", got, own)
	}
	noError(t, r.stop())
	if groupsOf(t, mark) > 0 {
		t.Error("a group is left")
	}
}

// A limit that cannot be had is an error of the start that says why, and leaves nothing behind.
func TestCgroupMissing(t *testing.T) {
	for name, g := range map[string]*Cgroup{"pids": {Pids: 100}, "memory": {Memory: 1 << 30}, "cpu": {CPUs: 1}} {
		why := g.Check()
		mark := rand.Text()
		p := script("exit 0")
		p.Mark, p.Cgroup = mark, g
		err := run(t, p, time.Second).end()
		switch {
		case why == nil && err != nil:
			t.Errorf("%s: %v", name, err)
		case why != nil:
			if start := (*StartError)(nil); !errors.As(err, &start) || !strings.Contains(err.Error(), why.Error()) {
				t.Errorf("%s: got %v, want %v", name, err, why)
			}
		}
		if home, err := cgroupHome(); err == nil && len(home.Left(mark)) > 0 {
			t.Errorf("%s: a group is left", name)
		}
	}
}

// Limits are checked before anything is started.
func TestCgroupProblems(t *testing.T) {
	p := &Process{Command: []string{"true"}, Cgroup: &Cgroup{CPUs: -1}}
	if err := p.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "Cgroup.CPUs is -1") {
		t.Errorf("got %v", err)
	}
}

// One that becomes another user joins before that, and its probe, which is that user's too, likewise.
func TestCgroupUser(t *testing.T) {
	needCgroup(t)
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	const nobody = 65534
	v := listen(t)
	p := &Process{
		Command: []string{"/bin/sh", "-c", "id -u; cat /proc/self/cgroup"}, Dir: "/", Stdout: v.w, Cgroup: &Cgroup{Name: "other"},
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}},
	}
	noError(t, run(t, p, time.Second).end())
	v.await(t, strconv.Itoa(nobody))
	if path := v.value(t, "0::"); !strings.Contains(path, "/lastcall..other.") {
		t.Errorf("it is in %q", path)
	}
}
