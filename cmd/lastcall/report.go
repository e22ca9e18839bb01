package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/lastcall-go/lastcall"
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
lastcall demo --report or up --report. It is the waterfall that a daemon prints when it has stopped. A file named - is
standard input, or standard output.` + clientStatuses,
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
			if picture != "-" && written != "-" {
				if _, err := io.WriteString(cmd.OutOrStdout(), printable(report.String())); err != nil {
					return err
				}
			}
			if err := writeReport(cmd.OutOrStdout(), written, report); err != nil {
				return err
			}
			return writePicture(cmd.OutOrStdout(), picture, report)
		},
	}
	cmd.Flags().StringVar(&picture, "svg", "", "draw the report into this `FILE`")
	cmd.Flags().StringVar(&written, "json", "", "write the report as JSON into this `FILE`")
	t.flags(cmd)
	return cmd
}

// report is that in the file that is named, or that of the lastcall up.
func (t *target) report(cmd *cobra.Command, args []string) (lastcall.Report, error) {
	if len(args) > 0 {
		return readReport(cmd.InOrStdin(), args[0])
	}
	c, err := t.client()
	if err != nil {
		return lastcall.Report{}, err
	}
	return c.Report(cmd.Context())
}

// readReport reads the report in the file with this name, - being stdin.
func readReport(stdin io.Reader, name string) (lastcall.Report, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return lastcall.Report{}, err
		}
		defer file.Close()
		in = file
	} else {
		name = "standard input"
	}
	report, err := timeline.ReadJSON(in)
	if inner := errors.Unwrap(err); inner != nil { // the file's name says more than the package's
		err = fmt.Errorf("%s: %w", name, inner)
	}
	return report, err
}

// writePicture draws the report into the file with this name, if there is one.
func writePicture(stdout io.Writer, name string, report lastcall.Report) error {
	return writeFile(stdout, name, func(w io.Writer) error { return timeline.SVG(w, report) })
}

// writeReport writes the report as JSON into the file with this name, if there is one.
func writeReport(stdout io.Writer, name string, report lastcall.Report) error {
	return writeFile(stdout, name, func(w io.Writer) error { return timeline.WriteJSON(w, report) })
}

// writeFile writes a whole file or none of it.
func writeFile(stdout io.Writer, name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if name == "-" {
		_, err := stdout.Write(b.Bytes())
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// printable is text without what a terminal would obey: a report may come from anywhere.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
