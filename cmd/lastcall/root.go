package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/internal/pid1"
)

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef is a usageError that says where to look.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Errorf(format+"; see %s --help", append(args, cmd.CommandPath())...)}
}

func newRoot(signals *pid1.Signals) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "lastcall",
		Short: "lastcall makes daemons that stop well",
		Long: `lastcall makes daemons that stop well: when a signal says "last call", nobody takes a new order,
everyone finishes what is on the table, and the doors close on time.`,
		SilenceErrors: true, // main prints them, in one line
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
				return usagef(cmd, "unknown command %q, did you mean %q?", args[0], like[0])
			}
			return usagef(cmd, "unknown command %q", args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "lastcall", build().Version)
				return err
			}
			return cmd.Help()
		},
	}
	// Not cobra's own flag: its template would keep the linker from leaving out what is not called: 2 MB of 13.
	root.Flags().BoolVarP(&version, "version", "v", false, "version for lastcall")
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usagef(cmd, "%w", err) })
	root.AddCommand(newConfig(), newDemo(), newReport(), newUp(), newVersion(), newRun(signals),
		newPs(), newStart(), newStop(), newRestart(), newReload(), newScale(), newSignal(), newLogs(), newDown())
	for _, generator := range generators {
		root.AddCommand(generator(root))
	}
	return root
}

// generators are commands that only a build for the release has.
var generators []func(root *cobra.Command) *cobra.Command

// exactly is as many arguments as the command's use line names.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > n:
			return usagef(cmd, "unexpected argument %q", args[n])
		case len(args) < n:
			return usagef(cmd, "missing argument: %s", cmd.Use)
		}
		return nil
	}
}
