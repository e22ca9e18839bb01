//go:build unix

package check

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"syscall"
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
func daemon(t *testing.T, cmd *exec.Cmd, options ...Option) (f *fakeTB, report *Report) {
	f = &fakeTB{ctx: t.Context()}
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
	}()
	return f, Daemon(f, cmd, options...)
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
		f, report := daemon(t, command("serve", addr), URL("http://"+addr+"/"), Only("term", "int"), Grace(eventually))
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
		f, report := daemon(t, exec.Command("/bin/sh", "-c", "echo up; exec sleep 1000"), Ready("log:up"), Only("term"))
		if len(f.errs) != 1 || f.fatal != "" || report.Verdict() != Fail {
			t.Fatalf("%+v, %+v", f, report)
		}
		contains(t, "the error", f.errs[0], "fail  term: died of SIGTERM: it has no handler", "stop took: ", "Handle SIGTERM", "SIGTERM", "died of SIGTERM")
	})
	t.Run("warns", func(t *testing.T) {
		t.Parallel()
		onLinux(t)
		f, report := daemon(t, exec.Command("/bin/sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.2; done"), Ready("log:up"), Only("idle"), Idle(5*time.Second))
		if len(f.errs) > 0 || f.fatal != "" || report.Verdict() != Warn {
			t.Fatalf("%+v, %+v", f, report)
		}
		contains(t, "the log", f.logs[0], "warn  idle: ")
	})
	t.Run("cannot be played", func(t *testing.T) {
		t.Parallel()
		f, _ := daemon(t, command("wait"), Only("lameduck"))
		if f.skipped != "check: no scenario could be played" || len(f.errs) > 0 || len(f.logs) != 1 {
			t.Fatalf("%+v", f)
		}
		contains(t, "the log", f.logs[0], "skip  lameduck: no readiness URL is known")
	})
	for name, test := range map[string]struct {
		cmd   *exec.Cmd
		want  []string
		extra []Option
	}{
		"ends":           {command("die", "no configuration"), []string{"ended before it was ready: exit code 7", "its output:\nno configuration"}, nil},
		"not there":      {exec.Command("no-such-daemon"), []string{`"no-such-daemon": executable file not found in $PATH`}, nil},
		"not there, dir": {&exec.Cmd{Path: "./no-such-daemon", Args: []string{"x"}, Dir: "/"}, []string{"./no-such-daemon: no such file or directory"}, nil},
		"no such URL":    {command("wait"), []string{"URL: "}, []Option{URL("127.0.0.1")}},
		"nothing":        {&exec.Cmd{}, []string{"Command: is empty"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, report := daemon(t, test.cmd, test.extra...)
			if report != nil || len(f.errs) > 0 {
				t.Errorf("%+v, %+v", f, report)
			}
			contains(t, "the end of the test", f.fatal, test.want...)
		})
	}
}

// Every field of Check that says something about the daemon can be given from a test.
func TestOptions(t *testing.T) {
	c := &Check{}
	for _, option := range []Option{
		URL("u"), Slow("s"), Ready("r"), ReadyWithin(1), Grace(2), Signal(syscall.SIGUSR1), Exit(3, 4), NoRefuse(), Idle(5), Only("a"), Only("b"), Without("c"),
		Repeat(6), Quick(), Seed(7), Observe(func(Progress) {}),
	} {
		option(c)
	}
	observed := c.Observe != nil
	c.Observe = nil
	got := fmt.Sprintf("%+v %v", *c, observed)
	want := fmt.Sprintf("%+v true", Check{
		URL: "u", Slow: "s", Ready: "r", ReadyWithin: 1, Grace: 2, Signal: syscall.SIGUSR1, Exit: []int{3, 4}, NoRefuse: true, Idle: 5, Only: []string{"a", "b"},
		Skip: []string{"c"}, Repeat: 6, Quick: true, Seed: 7,
	})
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The scenarios are played in their order, and each has what it means.
func TestScenarios(t *testing.T) {
	var names []string
	for _, s := range Scenarios() {
		if names = append(names, s.Name); s.Means == "" || s.Does == "" || s.Fails == "" || plays[s.Name] == nil {
			t.Errorf("%+v", s)
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(maps.Keys(plays))) || !slices.Equal(names, scenarioNames) {
		t.Errorf("%v", names)
	}
}
