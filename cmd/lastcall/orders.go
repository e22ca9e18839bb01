package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/spf13/cobra"
)

// give gives an order and tells how it goes until it is done. Ctrl-C leaves it to what becomes of it.
func (t *target) give(cmd *cobra.Command, names []string, becomes string, do func(context.Context, *control.Client, func(string)) error) error {
	c, err := t.client()
	if err != nil {
		return err
	}
	return until(cmd, cmd.Name()+becomes, func(ctx context.Context) error {
		w := newWaiting(ctx, cmd, c, names)
		err := do(ctx, c, w.tell)
		w.close()
		return err
	})
}

const (
	goesOn    = " goes on; lastcall ps shows how far it is"
	brokenOff = " is broken off: what was done stays done, and one that was not ready yet is taken back; lastcall ps shows it"
)

func newStart() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "start NAME...",
		Short: "Start what was stopped, has failed or has completed",
		Long: `Start what was stopped, has failed or has completed, and what it depends on, and wait until it is ready. One with a
schedule runs now. A name is that of an instance, or of a process, which means all its instances, or a pattern such as
web-*.` + clientStatuses,
		Example: "  lastcall start web\n  lastcall start web-2 worker",
		Args:    atLeast(1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.give(cmd, args, goesOn, func(ctx context.Context, c *control.Client, tell func(string)) error {
				return c.Start(ctx, args, tell)
			})
		},
		ValidArgsFunction: t.completeNames,
	}
	t.flags(cmd)
	return cmd
}

func newStop() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "stop NAME...",
		Short: "Stop some of the programs softly, and say who is still there",
		Long: `Stop some of the programs softly, and say who is still there until the last has ended. They stay stopped until lastcall
start. A name is that of an instance, or of a process, which means all its instances, or a pattern such as web-*. Ctrl-C
leaves the stop to go on.` + clientStatuses,
		Example: "  lastcall stop web\n  lastcall stop web-2 worker\n  lastcall stop 'web-*'",
		Args:    atLeast(1, " (lastcall down stops everything)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.give(cmd, args, goesOn, func(ctx context.Context, c *control.Client, tell func(string)) error {
				return c.Stop(ctx, args, tell)
			})
		},
		ValidArgsFunction: t.completeNames,
	}
	t.flags(cmd)
	return cmd
}

func newRestart() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "restart NAME...",
		Short: "Start programs anew, one instance after another",
		Long: `Start programs anew, one instance after another. Where lastcall holds the sockets, the new instance starts beside the
old one, which is stopped when the new one is ready: nothing is refused and nothing dropped. If it does not become ready,
the old ones serve on. Ctrl-C takes back what is not ready yet and begins no more.` + clientStatuses,
		Example: "  lastcall restart web\n  lastcall restart web-2",
		Args:    atLeast(1, " (lastcall reload reads the file again)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.give(cmd, args, brokenOff, func(ctx context.Context, c *control.Client, tell func(string)) error {
				return c.Restart(ctx, args, tell)
			})
		},
		ValidArgsFunction: t.completeNames,
	}
	t.flags(cmd)
	return cmd
}

func newReload() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "reload [NAME...]",
		Short: "Read the file again, or have programs read their configuration",
		Long: `Read the file again, and start, stop and replace what changed, and nothing else. With names these programs are told to
read their own configuration, in the way that the file says under reload; those without one are restarted, as by lastcall
restart.` + clientStatuses,
		Example: "  lastcall reload\n  lastcall reload web",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.give(cmd, args, brokenOff, func(ctx context.Context, c *control.Client, tell func(string)) error {
				return c.Reload(ctx, args, tell)
			})
		},
		ValidArgsFunction: t.completeNames,
	}
	t.flags(cmd)
	return cmd
}

func newScale() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "scale NAME=N...",
		Short: "Set how many instances of a program there are",
		Long: `Set how many instances of a program there are, until the file is read again. New ones are started; the last ones are
stopped softly.` + clientStatuses,
		Example: "  lastcall scale web=4\n  lastcall scale web=2 worker=0",
		Args:    atLeast(1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			instances := map[string]int{}
			for _, arg := range args {
				if err := number(cmd, arg, instances); err != nil {
					return err
				}
			}
			names := slices.Sorted(maps.Keys(instances))
			return t.give(cmd, names, goesOn, func(ctx context.Context, c *control.Client, tell func(string)) error {
				return c.Scale(ctx, instances, tell)
			})
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			names := t.complete(args, "=", false)
			return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, begun) }),
				cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		},
	}
	t.flags(cmd)
	return cmd
}

func newSignal() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "signal SIGNAL NAME...",
		Short: "Send a signal to the main process of each",
		Long: `Send a signal to the main process of each. It is no stop: one that dies of it has failed. A signal is HUP, SIGHUP or a
number.` + clientStatuses,
		Example: "  lastcall signal USR1 web",
		Args:    atLeast(2, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := t.client()
			if err != nil {
				return err
			}
			return c.Signal(cmd.Context(), args[1:], args[0])
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{"HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "CONT", "STOP", "KILL"}, cobra.ShellCompDirectiveNoFileComp
			}
			return t.completeNames(cmd, args[1:], begun)
		},
	}
	t.flags(cmd)
	return cmd
}

func newDown() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop everything softly, and say who is still there",
		Long: `Stop everything softly, as Ctrl-C in the terminal of lastcall up does, and say who is still there until it has ended. Then
another lastcall up can follow. Ctrl-C leaves the stop to go on.` + clientStatuses,
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.give(cmd, nil, goesOn, func(ctx context.Context, c *control.Client, tell func(string)) error {
				return c.Down(ctx, tell)
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	t.flags(cmd)
	return cmd
}
