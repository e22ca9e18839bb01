package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
	"github.com/spf13/cobra"
)

// usageEvery is how often ps --watch looks what the processes use.
const usageEvery = 2 * time.Second

func newPs() *cobra.Command {
	var t target
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "Show the programs of a lastcall up",
		Long: `Show the programs of a lastcall up: a row for each instance, in the order of the file. CPU is the processor time since the
start, with --watch the share of one processor since the last look; both and MEMORY are those of the whole family, memory
that several share counted for each. While an instance is replaced it has two rows.

With --watch the table is rewritten in place when something changes, and in a pipe written again; with --json as well, it is
a line for each change.` + clientStatuses,
		Example: "  lastcall ps\n  lastcall ps --watch\n  lastcall ps --json | jq -r '.[] | select(.state != \"ready\") | .name'",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := t.client()
			if err != nil {
				return err
			}
			if watch {
				return watchPs(cmd, c, asJSON)
			}
			list, err := c.List(cmd.Context(), true)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), list, "  ")
			}
			columns, _ := size(os.Stdout)
			for _, line := range psTable(list, nil, time.Now()) {
				if columns > 0 {
					line = tty.Clip(line, columns, "")
				}
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
					return err
				}
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on until Ctrl-C")
	return cmd
}

// watchPs shows the table until Ctrl-C, which is how it is meant to end.
func watchPs(cmd *cobra.Command, c *control.Client, asJSON bool) error {
	out := cmd.OutOrStdout()
	show := printTables(out)
	s := &screen{out: os.Stdout}
	switch {
	case asJSON:
		show = func(list []control.Instance) error { return printJSON(out, list, "") }
	case s.isTerminal():
		table := &liveTable{screen: s}
		stop := table.begin(cmd.Context())
		defer stop()
		show = table.update
	}
	return until(cmd, "", func(ctx context.Context) error {
		return c.Watch(ctx, control.WatchQuery{Every: usageEvery, Usage: true}, show)
	})
}

// printTables writes one table after another.
func printTables(out io.Writer) func([]control.Instance) error {
	var shares shares
	separator := ""
	return func(list []control.Instance) error {
		now := time.Now()
		_, err := fmt.Fprintln(out, separator+strings.Join(psTable(list, shares.update(list, now), now), "\n"))
		separator = "\n"
		return err
	}
}

// printJSON writes v as JSON, indented so or in one line, that a terminal can show.
func printJSON(out io.Writer, v any, indent string) error {
	data, err := json.Marshal(v)
	if indent != "" {
		data, err = json.MarshalIndent(v, "", indent)
	}
	if err != nil {
		return err
	}
	_, err = out.Write(append(text.JSON(data), '\n'))
	return err
}
