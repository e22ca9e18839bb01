package main

import (
	"context"
	"os"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/supervisor/output"
	"github.com/lastcall-go/lastcall/internal/tty"
	"github.com/spf13/cobra"
)

// followLast is how many lines there are before those to come.
const followLast = 10

func newLogs() *cobra.Command {
	var t target
	var asJSON bool
	q := control.LogQuery{Last: -1}
	cmd := &cobra.Command{
		Use:   "logs [NAME...]",
		Short: "Show what the programs of a lastcall up have written",
		Long: `Show what the programs of a lastcall up have written, as far as it is kept in memory: the last of each. With --follow
it goes on with what they write, until Ctrl-C or the end of lastcall up; who reads more slowly than they write is told how
many lines it missed. A name is that of an instance, or of a process, which means all its instances,
or a pattern such as web-*.` + clientStatuses,
		Example: "  lastcall logs web\n  lastcall logs -f -n 100",
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("lines") && q.Last < 0 {
				return usagef(cmd, "--lines is negative: %d", q.Last)
			}
			if q.Follow && !cmd.Flags().Changed("lines") {
				q.Last = followLast
			}
			c, err := t.client()
			if err != nil {
				return err
			}
			q.Names = args
			return until(cmd, "", func(ctx context.Context) error {
				list, err := c.List(ctx, false)
				if err != nil {
					return err
				}
				o := output.Options{Out: os.Stdout}
				if asJSON {
					o.Format = "json"
				}
				for _, i := range list {
					o.Width = max(o.Width, tty.Columns(i.Name))
				}
				p := output.NewPrinter(o)
				return c.Logs(ctx, q, func(line control.Line) error {
					return p.Print(line.Time, line.Process, line.Name, line.Text)
				})
			})
		},
		ValidArgsFunction: t.completeNames,
	}
	cmd.Flags().BoolVarP(&q.Follow, "follow", "f", false, "go on with what they write")
	cmd.Flags().IntVarP(&q.Last, "lines", "n", -1, "the last `N` lines at most (default all, 10 with --follow)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as lines of JSON")
	cmd.Flags().Lookup("lines").DefValue = "0" // so that help does not tell it
	t.flags(cmd)
	return cmd
}
