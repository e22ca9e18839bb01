package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/internal/nearest"
)

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef is a usageError that says where to look.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Errorf(format+"; see %s --help", append(args, cmd.CommandPath())...)}
}

func newRoot(signals *allsignals.Signals) *cobra.Command {
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
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			if like := nearest.To(args[0], names); like != "" {
				return usagef(cmd, "unknown command %q, did you mean %q?", args[0], like)
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
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newCheck(), newConfig(), newDemo(), newReport(), newUp(), newVersion(), newRun(signals),
		newPs(), newStart(), newStop(), newRestart(), newReload(), newScale(), newSignal(), newLogs(), newDown())
	for _, generator := range generators {
		root.AddCommand(generator(root))
	}
	return root
}

// flagKinds say what the value of a flag is, by the name of its type.
var flagKinds = map[string]string{
	"bool":     "true or false",
	"duration": "a time, such as 10s or 1m30s",
	"int":      "a whole number",
	"intSlice": "a list of whole numbers",
	"uint64":   "a whole number of 0 or more",
}

// flagError is the error for a flag, with the one that may have been meant, or what its value would be.
func flagError(cmd *cobra.Command, err error) error {
	if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if like := nearest.To(unknown.GetSpecifiedName(), names); like != "" {
			return usagef(cmd, "%w, did you mean --%s?", err, like)
		}
	}
	if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) {
		f := invalid.GetFlag()
		if kind := flagKinds[f.Value.Type()]; kind != "" {
			return usagef(cmd, "--%s: %q is not %s", f.Name, invalid.GetValue(), kind)
		}
	}
	return usagef(cmd, "%w", err)
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
