package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// print writes the tables for a terminal.
func (r *Result) print(w io.Writer) {
	fmt.Fprintln(w, r.Machine)
	for _, t := range r.Tables {
		t.print(w)
	}
	r.targets().print(w)
	if len(r.Skipped) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(r.Skipped, "\n"))
	}
}

// markdown writes the tables for a README.
func (r *Result) markdown(w io.Writer) {
	fmt.Fprintf(w, "Measured on: %s.\n", r.Machine)
	r.targets().markdown(w)
	for _, t := range r.Tables {
		t.markdown(w)
	}
	if len(r.Skipped) > 0 {
		fmt.Fprintln(w)
		for _, line := range r.Skipped {
			fmt.Fprintf(w, "- %s\n", line)
		}
	}
}

// targets is the table of the limits.
func (r *Result) targets() *Table {
	t := &Table{
		Title:  "Targets",
		Note:   "The limits were set before anything was measured.",
		Header: []string{"what", "limit", "measured", ""},
	}
	for _, target := range r.Targets {
		bound, verdict := "at most", "met"
		if target.AtLeast {
			bound = "at least"
		}
		if !target.met() {
			verdict = "MISSED"
		}
		t.row(target.What, fmt.Sprintf("%s %.4g", bound, target.Limit), fmt.Sprintf("%.3g", target.Measured), verdict)
	}
	return t
}

// The lines of README.md between which the tables stand.
const (
	tablesBegin = "<!-- tables: written by `go -C bench run . -write` -->\n"
	tablesEnd   = "<!-- end of tables -->\n"
)

// writeREADME replaces the tables in the file.
func (r *Result) writeREADME(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), tablesBegin)
	_, after, ends := strings.Cut(rest, tablesEnd)
	if !begins || !ends {
		return fmt.Errorf("%s: the lines %q and %q are not there", file, tablesBegin, tablesEnd)
	}
	var tables strings.Builder
	r.markdown(&tables)
	return os.WriteFile(file, []byte(before+tablesBegin+"\n"+tables.String()+"\n"+tablesEnd+after), 0o666)
}
