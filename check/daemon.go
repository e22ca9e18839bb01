package check

import (
	"context"
	"errors"
	"os/exec"
	"strings"
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

// Daemon runs c, a [Check] of the daemon that cmd would run: the path, the arguments, the directory and the environment of cmd replace
// Command, Dir and Env of c. A scenario that fails is an error of the test, with its evidence, its advice and the timeline of its
// worst life; the other results, warnings among them, go to the test's log. Daemon returns the report for further assertions. It ends
// the test if there is no report, and skips it if no scenario could be played.
func Daemon(t TB, cmd *exec.Cmd, c Check) *Report {
	t.Helper()
	c.Command, c.Dir, c.Env = nil, cmd.Dir, cmd.Env
	if cmd.Err != nil {
		t.Fatalf("check: %v", cmd.Err)
	}
	if len(cmd.Args) > 0 {
		c.Command = append([]string{cmd.Path}, cmd.Args[1:]...)
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
