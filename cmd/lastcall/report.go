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
	var picture string
	cmd := &cobra.Command{
		Use:   "report FILE.json",
		Short: "Show a report that was written as JSON",
		Long: `Show a report that was written as JSON, with timeline.WriteJSON or by lastcall demo --report, as the waterfall
that a daemon prints when it has stopped, and draw it. A file named - is standard input, or standard output.`,
		Example: "  lastcall report stop.json\n  lastcall report stop.json --svg stop.svg",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := readReport(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			if picture != "-" {
				if _, err := io.WriteString(cmd.OutOrStdout(), printable(report.String())); err != nil {
					return err
				}
			}
			return writePicture(cmd.OutOrStdout(), picture, report)
		},
	}
	cmd.Flags().StringVar(&picture, "svg", "", "draw the report into this `FILE`")
	return cmd
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
