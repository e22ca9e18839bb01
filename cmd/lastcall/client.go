package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/spf13/cobra"
)

// target says which lastcall up a command is for.
type target struct{ file, socket string }

// clientStatuses is what every command that talks to a lastcall up says of its exit status.
const clientStatuses = `

Exit status: 0 it is done, 1 it failed, 2 the command line is wrong or there is no such process, 3 what was to start did
not become ready, 4 something had to be killed, 5 no lastcall up answers.`

// flags adds the flags that say it. Where -f is something else, the file has the long one only.
func (t *target) flags(cmd *cobra.Command) {
	short := "f"
	if cmd.Flags().ShorthandLookup(short) != nil {
		short = ""
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&t.file, "file", short, "", "what lastcall up runs: `FILE` (default lastcall.yaml, lastcall.yml or Procfile here)")
	cmd.Flags().StringVar(&t.socket, "socket", os.Getenv("LASTCALL_SOCKET"), "its control socket's `PATH` (LASTCALL_SOCKET)")
	_ = cmd.MarkFlagFilename("file") // it is there
	_ = cmd.MarkFlagFilename("socket")
}

// client asks that lastcall up. That the file is in order is not needed.
func (t *target) client() (*control.Client, error) {
	file, socket := "", t.socket
	if socket == "" {
		var err error
		if file, socket, err = config.Socket(t.file); err == nil && socket == "" {
			socket, err = control.Path(file)
		}
		if err != nil {
			return nil, err
		}
	}
	if socket == config.NoSocket {
		return nil, &control.Error{Kind: control.KindNobody, Text: "lastcall up has no control socket here: socket is none"}
	}
	return &control.Client{Socket: socket, File: file}, nil
}

// until does something until it is done or Ctrl-C comes, and says then what becomes of it; where Ctrl-C is the way to end
// it, becomes is empty, and that is no error.
func until(cmd *cobra.Command, becomes string, do func(ctx context.Context) error) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	err := do(ctx)
	switch {
	case err == nil || ctx.Err() == nil:
		return err
	case becomes == "":
		return nil
	}
	return &leftError{becomes}
}

// leftError is what a command says that was left with Ctrl-C, before it dies of it.
type leftError struct{ becomes string }

func (e *leftError) Error() string { return e.becomes }
func (e *leftError) Unwrap() error { return &lastcall.ForcedError{Signal: os.Interrupt} }

// completeWithin is how long a person waits for the shell.
const completeWithin = 500 * time.Millisecond

// complete offers the names of processes and instances that are not among args, with suffix behind. Where nobody answers it
// offers nothing.
func (t *target) complete(args []string, suffix string, instances bool) []string {
	c, err := t.client()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeWithin)
	defer cancel()
	list, err := c.List(ctx, false)
	if err != nil {
		return nil
	}
	var names []string
	offer := func(name string) {
		if name += suffix; text.Outside(name) == name && !slices.Contains(names, name) && !slices.Contains(args, name) {
			names = append(names, name)
		}
	}
	for _, i := range list {
		if offer(i.Process); instances {
			offer(i.Name)
		}
	}
	return names
}

// completeNames is for commands whose arguments are names.
func (t *target) completeNames(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	names := t.complete(args, "", true)
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, begun) }), cobra.ShellCompDirectiveNoFileComp
}

// atLeast is as many arguments as the command's use line names, and more.
func atLeast(n int, instead string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < n {
			return usagef(cmd, "missing argument: %s%s", cmd.Use, instead)
		}
		return nil
	}
}
