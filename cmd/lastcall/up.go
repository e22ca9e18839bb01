package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

func newUp() *cobra.Command {
	var (
		leftovers, report, picture string
		scale                      []string
		from                       config.Options
		options                    supervisor.Options
	)
	cmd := &cobra.Command{
		Use:   "up [NAME[=N]...]",
		Short: "Run the programs of a file until they are to stop",
		Long: `Run the programs of lastcall.yaml, or of a Procfile as it is: each starts when what it comes after is ready, and
stops before that. With names it runs only these and what they depend on; NAME=N runs N instances of one.

The first SIGTERM or Ctrl-C stops everything softly, within the grace period; the second cuts it short; the third ends
lastcall at once. SIGHUP reads the file again, and SIGUSR1 writes a report.

Exit status: 0 if everything stopped well, on request or because it was done. Otherwise that of a program that failed
by itself, chosen by the key exit of the file: the first that failed, the first essential one that ended, or the worst;
it is the program's exit code, or 128+n if it died of signal n, 127 if it was not found, 126 if it could not be run, 3
if it was not ready in time, 1 if its checks failed. Otherwise 4: something had to be killed. 3 if nothing could be started; 2 if the
command line or the file is wrong, or all went well and the report could not be written.`,
		Example: "  lastcall up\n  lastcall up -f shop.yaml web\n  lastcall up -f Procfile -e .env.dev --scale web=2",
		RunE: func(cmd *cobra.Command, args []string) error {
			signals := arm(stopSignals, reloadSignals, reportSignals)
			var err error
			if options.Only, from.Instances, err = namesAndNumbers(cmd, args, scale); err != nil {
				return err
			}
			options.Out = os.Stdout
			options.Load = func() (*config.File, error) {
				file, err := config.Load(from)
				if err == nil {
					warn(cmd, file)
				}
				return file, err
			}
			switch leftovers {
			case "end":
			case "keep":
				options.KeepLeftovers = true
			default:
				return usagef(cmd, "--leftovers is end or keep, not %q", leftovers)
			}
			if isCharDevice(os.Stdout) {
				options.Interrupt = "Ctrl-C"
			}
			if err := cmp.Or(canWrite(cmd, "report", report), canWrite(cmd, "svg", picture)); err != nil {
				return err
			}
			if !slices.Contains([]string{"", "auto", "text", "json"}, options.Format) {
				return usagef(cmd, "--format is auto, text or json, not %q", options.Format)
			}
			s, err := supervisor.New(options)
			if usage := (*control.Error)(nil); errors.As(err, &usage) {
				return usage
			}
			if err != nil {
				return &statusError{3, err}
			}
			err = s.Run(cmd.Context(), signals)
			r, _ := s.Report(cmd.Context())
			if len(r.Workers) > 0 && !options.Quiet {
				fmt.Fprint(cmd.ErrOrStderr(), r)
			}
			if status := s.ExitStatus(err); err != nil && lastcall.ExitCode(err) < 128 {
				err = &statusError{status, err}
			}
			out := cmd.OutOrStdout()
			return reportLost(cmd, err, writeReport(out, report, r), writePicture(out, picture, r))
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	fileFlags(flags, &from)
	flags.StringSliceVar(&scale, "scale", nil, "with N instances of a process: `NAME=N`; repeatable")
	flags.StringVar(&options.Socket, "socket", os.Getenv("LASTCALL_SOCKET"), "the control socket's `PATH` (LASTCALL_SOCKET)")
	flags.DurationVar(&options.Grace, "grace", 0, "from the soft stop to the hard stop, in place of the file's")
	flags.StringVar(&options.Format, "format", "", "of the output: `auto`, text or json")
	flags.StringVar(&leftovers, "leftovers", "end", "what to do with programs that outlived an earlier lastcall up: `end` or keep")
	flags.BoolVarP(&options.Quiet, "quiet", "q", false, "say only what goes wrong")
	flags.StringVar(&report, "report", "", "write the report as JSON into this `FILE` at the end")
	flags.StringVar(&picture, "svg", "", "draw the report into this `FILE` at the end")
	return cmd
}

// statusError is an error with an exit status of its own.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string   { return e.err.Error() }
func (e *statusError) Unwrap() error   { return e.err }
func (e *statusError) ExitStatus() int { return e.status }

// isCharDevice reports whether f is a terminal, or the null device, whose reader does not mind.
func isCharDevice(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
