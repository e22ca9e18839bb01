//go:build unix

package check

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// fakeTB is a test that is looked at.
type fakeTB struct {
	ctx            context.Context
	logs, errs     []string
	fatal, skipped string
}

func (f *fakeTB) Helper()                  {}
func (f *fakeTB) Context() context.Context { return f.ctx }
func (f *fakeTB) Logf(format string, args ...any) {
	f.logs = append(f.logs, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Errorf(format string, args ...any) {
	f.errs = append(f.errs, fmt.Sprintf(format, args...))
}
func (f *fakeTB) Fatalf(format string, args ...any) {
	f.fatal = fmt.Sprintf(format, args...)
	panic(f)
}

func (f *fakeTB) Skipf(format string, args ...any) {
	f.skipped = fmt.Sprintf(format, args...)
	panic(f)
}

// daemon is Daemon in a fake test.
func daemon(t *testing.T, cmd *exec.Cmd, c Check) (f *fakeTB, report *Report) {
	f = &fakeTB{ctx: t.Context()}
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
	}()
	return f, Daemon(f, cmd, c)
}

func command(life string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = lifeEnv(life)
	return cmd
}

// A scenario that fails is an error, with its evidence, its advice and its timeline; one that passes or warns is in the log.
func TestDaemon(t *testing.T) {
	t.Parallel()
	t.Run("passes", func(t *testing.T) {
		t.Parallel()
		addr := freePort(t)
		f, report := daemon(t, command("serve", addr), Check{URL: "http://" + addr + "/", Only: []string{"term", "int"}, Grace: eventually})
		if len(f.errs) > 0 || f.fatal != "" || len(f.logs) != 2 || report == nil || report.Verdict() != Pass {
			t.Fatalf("%+v, %+v", f, report)
		}
		contains(t, "the log", f.logs[0], "pass  term: exit code 0", "stop took: ")
		if report.URL != "http://"+addr+"/" || report.Found {
			t.Errorf("%+v", report)
		}
	})
	t.Run("fails", func(t *testing.T) {
		t.Parallel()
		f, report := daemon(t, exec.Command("/bin/sh", "-c", "echo up; exec sleep 1000"), Check{Ready: "log:up", Only: []string{"term"}})
		if len(f.errs) != 1 || f.fatal != "" || report.Verdict() != Fail {
			t.Fatalf("%+v, %+v", f, report)
		}
		contains(t, "the error", f.errs[0], "fail  term (LC002): died of SIGTERM: it has no handler", "stop took: ", "Handle SIGTERM", "SIGTERM", "died of SIGTERM")
	})
	t.Run("warns", func(t *testing.T) {
		t.Parallel()
		onLinux(t)
		f, report := daemon(t, exec.Command("/bin/sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.2; done"), Check{Ready: "log:up", Only: []string{"idle"}, Idle: 5 * time.Second})
		if len(f.errs) > 0 || f.fatal != "" || report.Verdict() != Warn {
			t.Fatalf("%+v, %+v", f, report)
		}
		contains(t, "the log", f.logs[0], "warn  idle (LC130): ")
	})
	t.Run("cannot be played", func(t *testing.T) {
		t.Parallel()
		f, _ := daemon(t, command("wait"), Check{Only: []string{"lameduck"}})
		if f.skipped != "check: no scenario could be played" || len(f.errs) > 0 || len(f.logs) != 1 {
			t.Fatalf("%+v", f)
		}
		contains(t, "the log", f.logs[0], "skip  lameduck: no readiness URL is known")
	})
	for name, test := range map[string]struct {
		cmd   *exec.Cmd
		want  []string
		check Check
	}{
		"ends":           {command("die", "no configuration"), []string{"ended before it was ready: exit code 7", "its output:\nno configuration"}, Check{}},
		"not there":      {exec.Command("no-such-daemon"), []string{`"no-such-daemon": executable file not found in $PATH`}, Check{}},
		"not there, dir": {&exec.Cmd{Path: "./no-such-daemon", Args: []string{"x"}, Dir: "/"}, []string{"./no-such-daemon: no such file or directory"}, Check{}},
		"no such URL":    {command("wait"), []string{"URL: "}, Check{URL: "127.0.0.1"}},
		"nothing":        {&exec.Cmd{}, []string{"Command: is empty"}, Check{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, report := daemon(t, test.cmd, test.check)
			if report != nil || len(f.errs) > 0 {
				t.Errorf("%+v, %+v", f, report)
			}
			contains(t, "the end of the test", f.fatal, test.want...)
		})
	}
}

// The command is the test's own, whatever the check says of one.
func TestDaemonsCommand(t *testing.T) {
	t.Parallel()
	cmd := command("die", "of the command")
	f, _ := daemon(t, cmd, Check{Command: []string{"no-such-daemon"}, Dir: "/nowhere", Env: []string{"A=2"}})
	contains(t, "the end of the test", f.fatal, "its output:\nof the command")
}

// The scenarios are played in their order, and each has what it means.
func TestScenarios(t *testing.T) {
	var names []string
	for _, s := range Scenarios() {
		if names = append(names, s.Name); s.Means == "" || s.Does == "" || s.Fails == "" || s.play == nil {
			t.Errorf("%+v", s)
		}
	}
	if !slices.Equal(names, scenarioNames) || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("%v", names)
	}
}
