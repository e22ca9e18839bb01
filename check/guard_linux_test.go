package check

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// familyCheck is a daemon that is checked by a process of its own, and has a large family.
type familyCheck struct {
	checker *exec.Cmd
	members map[string]*os.Process // and who watches them, by name
	output  bytes.Buffer
}

// startFamily returns when the whole family is there and the check waits for something.
func startFamily(t *testing.T) *familyCheck {
	t.Helper()
	dir := t.TempDir()
	p := plan{Command: []string{os.Args[0], dir, freePort(t)}, Env: lifeEnv("family"), Only: []string{"idle"}, Idle: time.Hour}
	f := &familyCheck{checker: exec.Command(os.Args[0], p.String()), members: map[string]*os.Process{}}
	f.checker.Env = lifeEnv("checker")
	f.checker.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	f.checker.Stdout, f.checker.Stderr, f.checker.WaitDelay = &f.output, &f.output, eventually
	if err := f.checker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.checker.Process.Kill(); _ = f.checker.Wait() })
	await(t, "the family, and the check at its work", func() bool {
		return len(names(dir)) == 2*familySize // those of the first life, and of the next
	})
	all := descendants(f.checker.Process.Pid)
	for i, p := range all {
		f.members[[]string{"watchdog", "guard", "daemon"}[min(i, 2)]+strings.Repeat("'", max(0, i-2))], _ = os.FindProcess(p.PID)
	}
	if len(all) < familySize+2 || all[0].Name != guardName || all[1].Name != guardName {
		t.Fatalf("below the check there are %+v", all)
	}
	return f
}

// isGone waits until nobody of the family is left.
func (f *familyCheck) isGone(t *testing.T) {
	t.Helper()
	for name, p := range f.members {
		await(t, name+" is gone", func() bool { return errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone) })
	}
}

// Everything that a check starts it also ends, whoever dies.
func TestWhoeverDies(t *testing.T) {
	for who, test := range map[string]struct {
		kill func(f *familyCheck) error
		says string
	}{
		"the check":             {func(f *familyCheck) error { return f.checker.Process.Kill() }, ""},
		"the check, of SIGINT":  {func(f *familyCheck) error { return syscall.Kill(-f.checker.Process.Pid, syscall.SIGINT) }, ""},
		"the watchdog":          {func(f *familyCheck) error { return f.members["watchdog"].Kill() }, "the watchdog of the daemon's guard died of SIGKILL"},
		"the watchdog, told to": {func(f *familyCheck) error { return f.members["watchdog"].Signal(syscall.SIGTERM) }, "the guard of the daemon ended, as after SIGTERM"},
		"the guard":             {func(f *familyCheck) error { return f.members["guard"].Kill() }, "the guard of the daemon died of SIGKILL"},
		"the guard, told to":    {func(f *familyCheck) error { return f.members["guard"].Signal(syscall.SIGTERM) }, "the guard of the daemon ended, as after SIGTERM"},
		"the guard is stopped":  {func(f *familyCheck) error { return f.members["guard"].Signal(syscall.SIGSTOP) }, "the guard of the daemon was stopped by SIGSTOP"},
		"the watchdog is stopped": {
			func(f *familyCheck) error { return f.members["watchdog"].Signal(syscall.SIGSTOP) },
			"the guard of the daemon has a watchdog that was stopped by SIGSTOP",
		},
		"both are stopped": {func(f *familyCheck) error {
			return errors.Join(f.members["watchdog"].Signal(syscall.SIGSTOP), f.members["guard"].Signal(syscall.SIGSTOP))
		}, "stopped by SIGSTOP"},
		"the watchdog is stopped, and the check dies": {func(f *familyCheck) error {
			return errors.Join(f.checker.Process.Signal(syscall.SIGSTOP), f.members["watchdog"].Signal(syscall.SIGSTOP), f.checker.Process.Kill())
		}, ""},
		"the guard is stopped, and the check dies": {func(f *familyCheck) error {
			return errors.Join(f.checker.Process.Signal(syscall.SIGSTOP), f.members["guard"].Signal(syscall.SIGSTOP), f.checker.Process.Kill())
		}, ""},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			f := startFamily(t)
			if err := test.kill(f); err != nil {
				t.Fatal(err)
			}
			f.isGone(t)
			err := f.checker.Wait()
			if test.says == "" {
				if err == nil {
					t.Errorf("the check ended by itself: %s", &f.output)
				}
			} else {
				contains(t, "what the check says", f.output.String(), test.says)
			}
		})
	}
}

// A daemon whose processes fork for ever, each into a session of its own, is ended as well.
func TestForksForEver(t *testing.T) {
	t.Parallel()
	c := lifeOf("bomb", freePort(t))
	c.Only = []string{"term", "orphans"}
	report := run(t, c)
	if v := report.result(t, "orphans"); v.Verdict != Fail {
		t.Errorf("orphans: %s: %s", v.Verdict, v.Summary)
	}
	for _, p := range everybody() {
		if text, _ := os.ReadFile(procDir(p.PID) + "/environ"); bytes.Contains(text, []byte(lifeVariable+"=bomb")) && strings.Contains(commandLine(p.PID), c.Command[1]) {
			t.Errorf("pid %d is left: %s", p.PID, commandLine(p.PID))
		}
	}
}

// Nothing is left in this process after a check, nor below it.
func TestLeavesNothing(t *testing.T) {
	check := func() { run(t, lifeOf("serve", freePort(t))) }
	check()
	goroutines, open := runtime.NumGoroutine(), len(names("/proc/self/fd"))
	for range 3 {
		check()
		lost := lifeOf("die", "x")
		runFails(t, lost)
		lost.Command[0] = "/nowhere"
		runFails(t, lost)
	}
	await(t, "no more goroutines", func() bool { return runtime.NumGoroutine() <= goroutines })
	await(t, "no more descriptors", func() bool { return len(names("/proc/self/fd")) <= open })
	for _, p := range descendants(os.Getpid()) {
		if p.Name == guardName {
			t.Errorf("a guard is left: %+v", p)
		}
	}
}
