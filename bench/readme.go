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
	for _, f := range r.Findings {
		for _, t := range f.Tables {
			t.print(w)
		}
		f.targets().print(w)
		if len(f.Skipped) > 0 {
			fmt.Fprintf(w, "\n%s\n", strings.Join(f.Skipped, "\n"))
		}
	}
}

// markdown writes all tables for a README.
func (r *Result) markdown(w io.Writer) {
	for _, f := range r.Findings {
		f.markdown(w, r.Machine)
	}
}

// markdown writes the tables of one set.
func (f *Findings) markdown(w io.Writer, machine Machine) {
	fmt.Fprintf(w, "Measured on: %s.\n", machine)
	f.targets().markdown(w)
	for _, t := range f.Tables {
		t.markdown(w)
	}
	if len(f.Skipped) > 0 {
		fmt.Fprintln(w)
		for _, line := range f.Skipped {
			fmt.Fprintf(w, "- %s\n", line)
		}
	}
}

// targets is the table of the limits.
func (f *Findings) targets() *Table {
	t := &Table{
		Title:  "Targets",
		Note:   "The limits were set before anything was measured.",
		Header: []string{"what", "limit", "measured", ""},
	}
	for _, target := range f.Targets {
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

// writeREADME replaces the tables of the sets that were measured in the file. They stand between two lines for each set.
func (r *Result) writeREADME(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := string(content)
	for _, f := range r.Findings {
		begin, end := tablesBegin(f.Set), tablesEnd(f.Set)
		before, rest, begins := strings.Cut(text, begin)
		_, after, ends := strings.Cut(rest, end)
		if !begins || !ends {
			return fmt.Errorf("%s: the lines %q and %q are not there", file, begin, end)
		}
		var tables strings.Builder
		f.markdown(&tables, r.Machine)
		text = before + begin + "\n" + tables.String() + "\n" + end + after
	}
	return os.WriteFile(file, []byte(text), 0o666)
}

func tablesBegin(set string) string {
	return fmt.Sprintf("<!-- tables: written by `go -C bench run . -only %s -write` -->\n", set)
}

func tablesEnd(set string) string { return fmt.Sprintf("<!-- end of tables: %s -->\n", set) }
