package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/demo"
	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	var config demo.Config
	var report, picture string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a small service with customers, and stop it while it is busy",
		Long: `Run a small service with customers, and stop it while it is busy: an HTTP API over queue consumers and statistics
over a store, in one process, with clients that never retry. Ctrl-C, or any SIGTERM, stops it. Then the demo shows
how it stopped, and counts, in the clients' notes and in the journal on disk, what became of everything in flight.`,
		Example: "  lastcall demo\n  lastcall demo --for 5s --svg stop.svg\n  lastcall demo --stuck --grace 2s",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			signals := arm(stopSignals, reloadSignals, reportSignals)
			reapAsPID1()
			for name, d := range map[string]time.Duration{"for": config.For, "grace": config.Grace, "lame-duck": config.LameDuck} {
				if d < 0 {
					return usagef(cmd, "--%s is negative: %s", name, d)
				}
			}
			if config.Workers < 1 {
				return usagef(cmd, "--workers must be 1 or more, not %d", config.Workers)
			}
			if config.Clients < 0 {
				return usagef(cmd, "--clients is negative: %d", config.Clients)
			}
			if config.Clients == 0 {
				config.Clients = -1 // for which 0 is the default
			}
			if err := cmp.Or(canWrite(cmd, "report", report), canWrite(cmd, "svg", picture)); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			config.Out = out
			result, err := demo.Run(cmd.Context(), config, lastcall.FromSignals(signals))
			if len(result.Report.Workers) > 0 && lastcall.ExitCode(err) != 3 { // where it did not even start, the error says all
				fmt.Fprint(out, "\n", result.Report)
			}
			if result.Count != nil {
				fmt.Fprint(out, "\n", result.Count)
			}
			if len(result.Report.Workers) == 0 {
				return err
			}
			return reportLost(cmd, err, writeReport(out, report, result.Report), writePicture(out, picture, result.Report))
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&config.For, "for", 0, "stop by a signal to itself after this `TIME`")
	flags.DurationVar(&config.Grace, "grace", 10*time.Second, "the grace period: `TIME` from soft stop to hard stop")
	flags.DurationVar(&config.LameDuck, "lame-duck", 0, "serve on for this `TIME` after SIGTERM, no longer ready")
	flags.IntVar(&config.Workers, "workers", 3, "`N` queue consumers")
	flags.IntVar(&config.Clients, "clients", 8, "`N` clients; with 0 it waits for yours, and costs nothing meanwhile")
	flags.BoolVar(&config.Stuck, "stuck", false, "one more worker that ignores every stop, to see one cut and abandoned")
	flags.StringVar(&config.Listen, "listen", "", "the API's `ADDRESS` (default a free port on 127.0.0.1)")
	flags.StringVar(&config.Data, "data", "", "keep the journal in this `DIR` (default a temporary one)")
	flags.StringVar(&report, "report", "", "write the report as JSON into this `FILE`")
	flags.StringVar(&picture, "svg", "", "draw the report into this `FILE`")
	return cmd
}
