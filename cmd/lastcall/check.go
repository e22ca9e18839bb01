package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/check"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

func newCheck() *cobra.Command {
	var c check.Check
	var stop, reload string
	var list, schema bool
	var files checkFiles
	var baseline string
	cmd := &cobra.Command{
		Use:   "check [flags] [--] COMMAND [ARG...]",
		Short: "Run a daemon many times, and say whether it stops well",
		Long: `Run a daemon, in any language, many times, watch it from outside, and say whether it stops well: a verdict for each
scenario with what it rests on, what to do about it, and the timeline of the worst life. Everything that is started is
ended again, whatever happens to lastcall itself. No rights are needed beyond those of the user.

Options end at the first argument that is none. What the daemon listens on, and when it is ready, is found out unless it
is said. --list says what each scenario does; in any of them a daemon that does not start again fails. A file named - is
standard output, in place of the table.

On GitHub Actions, fails and warnings become annotations, and the job's summary gets the table.

Exit status: 0 nothing failed (warnings do not count), 1 a scenario failed, 2 the command line is wrong, no scenario
could be played, or what was found could not be written, 3 the daemon could not be started or was never ready.
Interrupted, it says what was found until then, and dies of the signal.`,
		Example: `  lastcall check -- ./server -port 8080
  lastcall check --url http://127.0.0.1:8080/ --slow http://127.0.0.1:8080/export --ready http://127.0.0.1:8080/readyz ./server
  lastcall check --quick --only term,load --junit check.xml ./server
  lastcall check --list`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case list || schema:
				return exactly(0)(cmd, args)
			case len(args) == 0:
				return usagef(cmd, "missing argument: COMMAND")
			case len(args) > 1 && args[1] == "--" && (files.markdown == "-" || files.tap == "-"):
				flag := "markdown"
				if files.markdown != "-" {
					flag = "tap"
				}
				return usagef(cmd, "%q would be the command; did you mean --%s=%s?", args[0], flag, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			out := cmd.OutOrStdout()
			switch {
			case list:
				return listScenarios(out)
			case schema:
				_, err := out.Write(check.Schema())
				return err
			}
			c.Command = args
			if err := complain(cmd, &c); err != nil {
				return err
			}
			if c.Signal, err = process.ParseSignal(stop); err != nil {
				return usagef(cmd, "--signal: %w", err)
			}
			if reload != "" {
				if c.ReloadSignal, err = process.ParseSignal(reload); err != nil {
					return usagef(cmd, "--reload-signal: %w", err)
				}
			}
			if err := files.look(cmd); err != nil {
				return err
			}
			if c.Baseline, err = readBaseline(cmd, baseline); err != nil {
				return err
			}
			return runCheck(cmd, &c, &files)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.SortFlags = false
	flags.StringVar(&c.Ready, "ready", "", "`HOW` one knows that it is ready: http://…, tcp:HOST:PORT, log:REGEXP, notify, or a time (default: it listens and answers, or is quiet)")
	flags.DurationVar(&c.ReadyWithin, "ready-within", 30*time.Second, "the `TIME` that it has for that")
	flags.StringVar(&c.URL, "url", "", "send requests to this `URL`; unix:SOCKET:PATH for HTTP on a Unix socket (default: what is found to speak HTTP)")
	flags.StringVar(&c.Slow, "slow", "", "a `URL` whose answer takes a while, for requests under way (default: uploads)")
	flags.StringVar(&c.Stream, "stream", "", "a `URL` whose answer goes on until the server ends it: server-sent events, or ws://… (default: --url or --slow if that is one)")
	flags.StringVar(&stop, "signal", "TERM", "the `SIGNAL` that asks it to stop")
	flags.StringVar(&reload, "reload-signal", "", "the `SIGNAL` that makes it read its configuration again, for the scenario reload (most often HUP)")
	flags.DurationVar(&c.Grace, "grace", 10*time.Second, "the `TIME` that it has for each stop")
	flags.IntSliceVar(&c.Exit, "exit", nil, "a good exit `STATUS` besides 0 and 128+n; repeatable")
	flags.BoolVar(&c.NoRefuse, "no-refuse", false, "warn of connections that are refused during the stop: somebody else holds its sockets")
	flags.DurationVar(&c.Idle, "idle", 10*time.Second, "watch it for this `TIME` while it has nothing to do")
	flags.StringSliceVar(&c.Only, "only", nil, "play this `SCENARIO` and no others; repeatable")
	flags.StringSliceVar(&c.Skip, "skip", nil, "do not play this `SCENARIO`; repeatable")
	flags.StringSliceVar(&c.Require, "require", nil, "fail if this `SCENARIO` would be skipped; repeatable")
	flags.IntVar(&c.Repeat, "repeat", 1, "do `N` times as often what has chance in it")
	flags.BoolVar(&c.Quick, "quick", false, "do everything less often, and watch for a shorter time")
	flags.Uint64Var(&c.Seed, "seed", 0, "make the random choices of the run that had this `SEED` again (default: new ones)")
	flags.StringVar(&c.Dir, "dir", "", "run it in this `DIR`")
	flags.StringVar(&baseline, "baseline", "", "fail only for findings that the report in this `FILE` (of --report) does not have")
	files.flags(flags)
	flags.BoolVar(&list, "list", false, "say what each scenario means, does, and when it fails")
	flags.BoolVar(&schema, "schema", false, "print the JSON Schema of --report instead")
	for _, name := range []string{"only", "skip", "require"} {
		_ = cmd.RegisterFlagCompletionFunc(name, completeScenarios) // it is there
	}
	_ = cmd.MarkFlagDirname("dir")
	return cmd
}

// complain finds what the flags cannot mean, before anything is started.
func complain(cmd *cobra.Command, c *check.Check) error {
	for _, one := range []struct {
		name  string
		value time.Duration
	}{{"ready-within", c.ReadyWithin}, {"grace", c.Grace}, {"idle", c.Idle}} {
		if one.value <= 0 {
			return usagef(cmd, "--%s must be positive, not %v", one.name, one.value)
		}
	}
	for name, names := range map[string][]string{"only": c.Only, "skip": c.Skip, "require": c.Require} {
		if cmd.Flags().Changed(name) && len(names) == 0 {
			return usagef(cmd, "--%s: names no scenario", name)
		}
	}
	if c.Repeat < 1 {
		return usagef(cmd, "--repeat must be 1 or more, not %d", c.Repeat)
	}
	for _, status := range c.Exit {
		if status < 0 || status > 255 {
			return usagef(cmd, "--exit is from 0 to 255, not %d", status)
		}
	}
	return nil
}

// runCheck checks, shows and writes.
func runCheck(cmd *cobra.Command, c *check.Check, files *checkFiles) error {
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	show := newCheckShow(files.stdout() == "")
	c.Observe = show.observe
	report, err := c.Run(ctx)
	lost := show.end(report)
	if wrong := (*check.ConfigError)(nil); errors.As(err, &wrong) {
		return usagef(cmd, "%s: %w", checkFlag(wrong.Field), wrong.Err)
	}
	if never := (*check.StartError)(nil); errors.As(err, &never) && never.Output != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "its output:\n%s\n", indent(text.Lines(never.Output)))
	}
	if report == nil {
		return err
	}
	failed := cmp.Or(files.write(cmd, report), lost)
	interrupted := (*interruptedError)(nil)
	var end error
	switch {
	case errors.As(context.Cause(ctx), &interrupted) && err != nil:
		end = interrupted
	case err != nil:
		end = &statusError{3, err}
	case report.Verdict() == check.Fail:
		end = &statusError{1, fmt.Errorf("%s does not stop well: %s", c.Command[0], strings.Join(failures(report), ", "))}
	case failed != nil:
		return &statusError{2, failed}
	case report.Verdict() == check.Skip:
		end = &statusError{2, fmt.Errorf("%s: no scenario could be played (%s)", c.Command[0], report.Unseen())}
	}
	if failed != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "lastcall:", oneLine(failed))
	}
	return end
}

// failures are the names of the scenarios that failed.
func failures(report *check.Report) (names []string) {
	for _, result := range report.Results {
		if result.Verdict == check.Fail {
			names = append(names, result.Scenario)
		}
	}
	return names
}

// checkFlag is the flag for a field of check.Check.
func checkFlag(field string) string {
	switch field {
	case "Command":
		return "COMMAND"
	case "ReadyWithin":
		return "--ready-within"
	case "ReloadSignal":
		return "--reload-signal"
	case "NoRefuse":
		return "--no-refuse"
	}
	return "--" + strings.ToLower(field)
}

// interruptedError is what a check says that a signal ended, before it dies of it.
type interruptedError struct{ signal os.Signal }

func (e *interruptedError) Error() string {
	s, _ := e.signal.(syscall.Signal)
	return "interrupted by " + process.SignalName(s)
}
func (e *interruptedError) Unwrap() error { return &lastcall.ForcedError{Signal: e.signal} }

// untilSignal is a context that ends with a signal that asks this program to end, unless that is ignored. The second kills, and
// what was started ends with this program.
func untilSignal(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&interruptedError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// listScenarios prints what there is.
func listScenarios(out io.Writer) error {
	text := check.Text{Width: 100}
	var b strings.Builder
	for i, s := range check.Scenarios() {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(text.Scenario(s))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// completeScenarios offers the names that are not yet in the list.
func completeScenarios(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	before := ""
	if i := strings.LastIndexByte(begun, ','); i >= 0 {
		before = begun[:i+1]
	}
	var names []string
	for _, s := range check.Scenarios() {
		if name := before + s.Name; strings.HasPrefix(name, begun) && !slices.Contains(strings.Split(before, ","), s.Name) {
			names = append(names, name+"\t"+s.Means)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}
