package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/check"
	"github.com/lastcall-go/lastcall/timeline"
	"github.com/spf13/cobra"
)

func newReport() *cobra.Command {
	var t target
	var picture, written string
	cmd := &cobra.Command{
		Use:   "report [FILE.json]",
		Short: "Show the report of a lastcall up, or one that was written as JSON",
		Long: `Show the report of a lastcall up as it is now or, with a file, one that was written as JSON: with timeline.WriteJSON, by
lastcall demo --report or up --report. It is the waterfall that a daemon prints when it has stopped. That of lastcall check
--report is shown as well. A file named - is standard input, or standard output.` + clientStatuses,
		Example: "  lastcall report\n  lastcall report stop.json --svg stop.svg",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef(cmd, "unexpected argument %q", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := t.report(cmd, args)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if picture != "-" && written != "-" {
				if err := report.text(out); err != nil {
					return err
				}
			}
			return reportLost(cmd, nil, writeFile(out, written, report.json), writeFile(out, picture, report.picture))
		},
	}
	cmd.Flags().StringVar(&picture, "svg", "", "draw the report into this `FILE`")
	cmd.Flags().StringVar(&written, "json", "", "write the report as JSON into this `FILE`")
	t.flags(cmd)
	return cmd
}

// shown is a report in its forms, of whichever kind it is.
type shown struct{ text, json, picture func(io.Writer) error }

// shownStop is the report of a stop.
func shownStop(r lastcall.Report) shown {
	return shown{
		text:    func(w io.Writer) error { _, err := io.WriteString(w, r.String()); return err },
		json:    func(w io.Writer) error { return timeline.WriteJSON(w, r) },
		picture: func(w io.Writer) error { return timeline.SVG(w, r) },
	}
}

// shownCheck is that of a check.
func shownCheck(r *check.Report) shown {
	return shown{
		text:    func(w io.Writer) error { return check.WriteText(w, r, checkText(os.Stdout)) },
		json:    func(w io.Writer) error { return check.WriteJSON(w, r) },
		picture: func(w io.Writer) error { return check.WriteSVG(w, r) },
	}
}

// report is that in the file that is named, or that of the lastcall up.
func (t *target) report(cmd *cobra.Command, args []string) (shown, error) {
	if len(args) > 0 {
		return readReport(cmd.InOrStdin(), args[0])
	}
	c, err := t.client()
	if err != nil {
		return shown{}, err
	}
	report, err := c.Report(cmd.Context())
	return shownStop(report), err
}

// maxReport is far more bytes than the report of 100,000 workers has.
const maxReport = 256 << 20

// readReport reads the report in the file with this name, - being stdin.
func readReport(stdin io.Reader, name string) (shown, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return shown{}, err
		}
		defer file.Close()
		in = file
	} else {
		name = "standard input"
	}
	data, err := io.ReadAll(io.LimitReader(in, maxReport+1))
	if err != nil {
		return shown{}, err
	}
	if len(data) > maxReport {
		return shown{}, fmt.Errorf("%s: it is larger than %d MiB, and no report", name, maxReport>>20)
	}
	var report shown
	var kind struct{ Schema string }
	if json.Unmarshal(data, &kind) == nil && kind.Schema == check.Format {
		var r *check.Report
		r, err = check.ReadJSON(bytes.NewReader(data))
		report = shownCheck(r)
	} else {
		var r lastcall.Report
		r, err = timeline.ReadJSON(bytes.NewReader(data))
		report = shownStop(r)
	}
	if inner := errors.Unwrap(err); inner != nil { // the file's name says more than the package's
		err = fmt.Errorf("%s: %w", name, inner)
	}
	return report, err
}
