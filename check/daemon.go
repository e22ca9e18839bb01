package check

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// TB is what [Daemon] needs of a *testing.T.
type TB interface {
	Helper()
	Context() context.Context
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Option is something about a check that is not as usual. The functions that make them are named after the fields of [Check].
type Option func(*Check)

// URL is where requests go.
func URL(url string) Option { return func(c *Check) { c.URL = url } }

// Slow is a URL whose answer takes a while.
func Slow(url string) Option { return func(c *Check) { c.Slow = url } }

// Ready is how one knows that the daemon is ready.
func Ready(how string) Option { return func(c *Check) { c.Ready = how } }

// ReadyWithin is the time that it has for that.
func ReadyWithin(d time.Duration) Option { return func(c *Check) { c.ReadyWithin = d } }

// Grace is the time that it has for each stop.
func Grace(d time.Duration) Option { return func(c *Check) { c.Grace = d } }

// Signal is what asks it to stop.
func Signal(s syscall.Signal) Option { return func(c *Check) { c.Signal = s } }

// Exit are statuses of a good stop besides 0 and 128+n.
func Exit(codes ...int) Option { return func(c *Check) { c.Exit = codes } }

// NoRefuse makes it a warning that connections are refused during the stop.
func NoRefuse() Option { return func(c *Check) { c.NoRefuse = true } }

// Idle is how long it is watched while it has nothing to do.
func Idle(d time.Duration) Option { return func(c *Check) { c.Idle = d } }

// Only plays these scenarios and no others.
func Only(names ...string) Option { return func(c *Check) { c.Only = append(c.Only, names...) } }

// Without plays all scenarios but these.
func Without(names ...string) Option { return func(c *Check) { c.Skip = append(c.Skip, names...) } }

// Repeat is how many times as often as otherwise everything with chance in it is done.
func Repeat(n int) Option { return func(c *Check) { c.Repeat = n } }

// Quick does everything less often, and watches for a shorter time.
func Quick() Option { return func(c *Check) { c.Quick = true } }

// Seed is that of the random choices, see [Check].
func Seed(seed uint64) Option { return func(c *Check) { c.Seed = seed } }

// Observe is told what happens while the check runs.
func Observe(fn func(Progress)) Option { return func(c *Check) { c.Observe = fn } }

// Daemon checks the daemon that cmd would run (of cmd, the path, the arguments, the directory and the environment count). Each
// scenario that fails is an error of the test, with its evidence, its advice and the timeline of its worst life; the others, warnings
// among them, are in the test's log. The report is returned for tests that look further; the test ends here if there is none, and is
// skipped if no scenario could be played.
func Daemon(t TB, cmd *exec.Cmd, options ...Option) *Report {
	t.Helper()
	c := &Check{Dir: cmd.Dir, Env: cmd.Env}
	if cmd.Err != nil {
		t.Fatalf("check: %v", cmd.Err)
	}
	if len(cmd.Args) > 0 {
		c.Command = append([]string{cmd.Path}, cmd.Args[1:]...)
	}
	for _, option := range options {
		option(c)
	}
	report, err := c.Run(t.Context())
	if err != nil {
		var e *StartError
		if errors.As(err, &e) && e.Output != "" {
			t.Fatalf("check: %v; its output:\n%s", err, e.Output)
		}
		t.Fatalf("check: %v", err)
	}
	for i := range report.Results {
		result := &report.Results[i]
		text := &strings.Builder{}
		_ = result.WriteText(text)
		if result.Verdict == Fail {
			t.Errorf("%s", text)
		} else {
			t.Logf("%s", text)
		}
	}
	if report.Verdict() == Skip {
		t.Skipf("check: no scenario could be played")
	}
	return report
}
