package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/internal/pid1"
	"github.com/lastcall-go/lastcall/process"
)

// runPrefix begins the environment variables that do what the flags of run do.
const runPrefix = "LASTCALL_RUN_"

// newRun is the command run. Signals have been caught since this program began, if they were caught at all.
func newRun(signals *allsignals.Signals) *cobra.Command {
	var config pid1.Config
	var stop, ready, report, parent string
	var rewrite, remap []string
	var readyWithin time.Duration
	var noGroup, noSubreaper bool
	cmd := &cobra.Command{
		Use:   "run [flags] [--] COMMAND [ARG...]",
		Short: "Run one program as its init: PID 1 of a container, or not",
		Long: `Run one program as its init, as PID 1 of a container or elsewhere. Every signal is handed on to it, orphans are
reaped, and lastcall exits as the program did: with its code, or of its signal; as PID 1 with 128+n.

SIGTERM or SIGINT stops it softly: the program gets that signal, then what is left of its process group, then what left
that. With --group or --kill group the whole group gets it at the same time, with --kill all the whole family. What has not
ended when the grace period is over is killed. A second SIGTERM or SIGINT kills at once, a third ends lastcall. The other
signals mean nothing to lastcall.

The program starts with no signal blocked and none ignored, except SIGHUP under nohup; lastcall hands on signals that it was
started to ignore itself, too.

At a terminal it is as if lastcall were not there: the program stays in its job, so that Ctrl-C, Ctrl-Z, fg and pipelines are
between the terminal and the program. Ctrl-C there asks lastcall for nothing; SIGTERM does. On Linux (amd64, arm64) so does
a SIGINT that a process sends; elsewhere that cannot be told from Ctrl-C.

Options end at the first argument that is none. Each has a variable as well, such as LASTCALL_RUN_GRACE=30s, so that an
image's ENTRYPOINT need not change; lists have commas. Called as tini, docker-init or dumb-init (a link will do),
lastcall takes their options, and behaves as they do.

Exit status: the program's. 127 if it was not found, 126 if it could not be executed, 3 if it was not ready in time, 2 if
the command line is wrong, or the program succeeded and the report could not be written.`,
		Example: `  lastcall run -- ./server -port 8080
  lastcall run --grace 30s --rewrite TERM=QUIT nginx -g 'daemon off;'
  lastcall run --ready http://127.0.0.1:8080/readyz --ready-within 10s ./server`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef(cmd, "missing argument: COMMAND")
			case args[0] == "":
				return usagef(cmd, "COMMAND is empty: is a variable in its place not set?")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := fromEnvironment(cmd); err != nil {
				return err
			}
			config.Command = args
			config.Messages = cmd.ErrOrStderr()
			config.Group = config.Group && !noGroup
			if config.Subreaper = config.Subreaper && !noSubreaper; !config.Subreaper {
				if config.Kill != process.KillProcess && cmd.Flags().Changed("kill") {
					return usagef(cmd, "--kill %v needs a subreaper: leave out --no-subreaper, or say --kill process", config.Kill)
				}
				config.Kill = process.KillProcess
			}
			if config.Grace <= 0 {
				return usagef(cmd, "--grace must be more than nothing, not %v", config.Grace)
			}
			if config.Stop, err = parseSteps(stop); err != nil {
				return usagef(cmd, "--stop-signal: %w", err)
			}
			if config.Rewrite, err = parseRewrites(rewrite); err != nil {
				return usagef(cmd, "--rewrite: %w", err)
			}
			if config.Remap, err = parseRemaps(remap); err != nil {
				return usagef(cmd, "--remap: %w", err)
			}
			if config.Ready, err = parseReady(ready, readyWithin); err != nil {
				return usagef(cmd, "--ready: %w", err)
			}
			switch {
			case parent == "none":
				config.ParentDeath = -1
			case parent != "":
				if config.ParentDeath, err = process.ParseSignal(parent); err != nil {
					return usagef(cmd, "--pdeathsig: %w", err)
				}
			}
			if err := canWrite(cmd, "report", report); err != nil {
				return err
			}
			var written bytes.Buffer
			if report != "" {
				config.Report = &written
			}
			if signals == nil {
				signals = allsignals.Catch()
			}
			end := pid1.Run(&config, signals)
			if end.Err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "lastcall run:", oneLine(end.Err))
			}
			err = writeFile(cmd.OutOrStdout(), report, func(w io.Writer) error { _, err := written.WriteTo(w); return err })
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "lastcall run:", oneLine(err))
				if end.Status == 0 {
					end.Status = 2
				}
			}
			end.Exit()
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.SortFlags = false
	flags.DurationVar(&config.Grace, "grace", 10*time.Second, "the grace period: `TIME` from the stop signal to the kill")
	flags.StringVar(&stop, "stop-signal", "", "what to send at the stop, in place of the signal that came: `SIGNAL`, or a list such as INT:5s,TERM")
	flags.StringSliceVar(&rewrite, "rewrite", nil, "hand on another signal: `TERM=QUIT`; TERM= drops it")
	flags.BoolVar(&config.Group, "group", false, "hand signals to the program's whole process group, those of the stop included")
	flags.BoolVar(&noGroup, "no-group", false, "only to the program, which is the default")
	flags.Var(&kindValue{&config.Kill}, "kill", "how far the stop reaches: `family`, group, process; or all of the family at once")
	flags.StringSliceVar(&remap, "remap", nil, "exit with another status: `143=0`")
	flags.StringVar(&ready, "ready", "", "when the program is ready: `notify`, fd:N, tcp:ADDRESS, http://…, log:REGEXP, exec:COMMAND, or a time")
	flags.DurationVar(&readyWithin, "ready-within", 0, "the `TIME` that it has for that")
	flags.StringVar(&report, "report", "", "write how it stopped as JSON into this `FILE`")
	flags.BoolVar(&config.Subreaper, "subreaper", true, "adopt orphans where this is not PID 1, which has them anyway")
	flags.BoolVar(&noSubreaper, "no-subreaper", false, "do not, and stop the program alone, as with --kill process")
	flags.StringVar(&parent, "pdeathsig", "", "what the program gets if lastcall dies suddenly: `SIGNAL` (default KILL) or none")
	flags.BoolVarP(&config.Quiet, "quiet", "q", false, "say only what went wrong")
	flags.BoolVarP(&config.Verbose, "verbose", "v", false, "say what becomes of each signal")
	return cmd
}

// kindValue is a kill mode as a flag.
type kindValue struct{ mode *process.Mode }

func (k *kindValue) String() string {
	if k.mode == nil {
		return ""
	}
	return k.mode.String()
}
func (k *kindValue) Set(text string) error { return k.mode.UnmarshalText([]byte(text)) }
func (k *kindValue) Type() string          { return "mode" }

// fromEnvironment sets the flags that were not given from variables.
func fromEnvironment(cmd *cobra.Command) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := runPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if !ok || f.Changed || err != nil {
			return
		}
		if set := cmd.Flags().Set(f.Name, value); set != nil {
			err = usagef(cmd, "%s=%q: %w", name, value, set)
		}
	})
	return err
}

// parseSteps reads a list such as INT:5s,TERM.
func parseSteps(text string) (steps []process.Step, err error) {
	for one := range strings.SplitSeq(text, ",") {
		if one == "" {
			continue
		}
		name, within, timed := strings.Cut(one, ":")
		var step process.Step
		if step.Signal, err = process.ParseSignal(name); err != nil {
			return nil, err
		}
		if timed {
			if step.Within, err = time.ParseDuration(within); err != nil {
				return nil, err
			}
		}
		steps = append(steps, step)
	}
	for _, step := range steps[:max(len(steps)-1, 0)] {
		if step.Within <= 0 {
			return nil, fmt.Errorf("%s needs a time, since another signal follows it: %s:5s", process.SignalName(step.Signal), process.SignalName(step.Signal))
		}
	}
	return steps, nil
}

// parseRewrites reads pairs such as TERM=QUIT and TERM=.
func parseRewrites(list []string) (map[syscall.Signal]syscall.Signal, error) {
	rewrites := map[syscall.Signal]syscall.Signal{}
	for _, one := range list {
		from, to, ok := strings.Cut(one, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not like TERM=QUIT", one)
		}
		sig, err := process.ParseSignal(from)
		if err != nil {
			return nil, err
		}
		rewrites[sig] = 0
		if to != "" {
			if rewrites[sig], err = process.ParseSignal(to); err != nil {
				return nil, err
			}
		}
	}
	return rewrites, nil
}

// parseRemaps reads pairs such as 143=0.
func parseRemaps(list []string) (map[int]int, error) {
	remaps := map[int]int{}
	for _, one := range list {
		from, to, ok := strings.Cut(one, "=")
		n, err := strconv.ParseUint(from, 10, 8)
		m, err2 := strconv.ParseUint(to, 10, 8)
		if !ok || err != nil || err2 != nil {
			return nil, fmt.Errorf("%q is not like 143=0, with numbers from 0 to 255", one)
		}
		remaps[int(n)] = int(m)
	}
	return remaps, nil
}

// parseReady reads how one knows that the program is ready.
func parseReady(text string, within time.Duration) (*process.Ready, error) {
	r := &process.Ready{Within: within}
	if within < 0 {
		return nil, fmt.Errorf("the time for it is negative: %v", within)
	}
	way, rest, _ := strings.Cut(text, ":")
	var err error
	switch {
	case text == "" && within == 0:
		return nil, nil
	case text == "":
		return nil, errors.New("--ready-within needs --ready, which says what is waited for")
	case text == "notify":
		r.Notify = true
	case way == "fd":
		r.FD, err = strconv.Atoi(rest)
	case way == "tcp":
		r.TCP = rest
	case way == "http":
		r.HTTP = text
	case way == "log":
		r.Log, err = regexp.Compile(rest)
	case way == "exec":
		r.Exec = []string{"/bin/sh", "-c", rest}
	default:
		if r.Delay, err = time.ParseDuration(text); err != nil {
			err = fmt.Errorf("%q is none of notify, fd:N, tcp:ADDRESS, http://…, log:REGEXP, exec:COMMAND or a time", text)
		}
	}
	return r, err
}
