package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// Table is one of the benchmark's tables.
type Table struct {
	Title  string     `json:"title"`
	Note   string     `json:"note"` // what is measured, in a sentence or two
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
}

func (t *Table) row(cells ...string) { t.Rows = append(t.Rows, cells) }

// print writes the table for a terminal: the first column to the left, figures to the right.
func (t *Table) print(w io.Writer) {
	widths := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Fprintf(w, "\n%s\n%s\n\n", t.Title, t.Note)
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// markdown writes the table for a README.
func (t *Table) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n%s\n\n", t.Title, t.Note)
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.Header)
	rule := make([]string, len(t.Header))
	for i := range rule {
		rule[i] = "---:"
	}
	rule[0] = "---"
	line(rule)
	for _, row := range t.Rows {
		line(row)
	}
}

// ratio is "1.02x".
func ratio(value, base float64) string {
	if base == 0 || math.IsNaN(value) || math.IsNaN(base) {
		return "-"
	}
	return fmt.Sprintf("%.2fx", value/base)
}

// duration is a time in the unit that suits it, with three figures.
func duration(nanoseconds float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if nanoseconds >= unit.size || nanoseconds <= -unit.size {
			return figures(nanoseconds/unit.size) + " " + unit.name
		}
	}
	return figures(nanoseconds) + " ns"
}

// figures is a number with three figures.
func figures(v float64) string {
	switch magnitude := max(v, -v); {
	case magnitude >= 100:
		return fmt.Sprintf("%.0f", v)
	case magnitude >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// thousands is a count for people: "10k", "1M".
func thousands(n int) string {
	switch {
	case n >= 1e6 && n%1e6 == 0:
		return fmt.Sprintf("%dM", n/1e6)
	case n >= 1e3 && n%1e3 == 0:
		return fmt.Sprintf("%dk", n/1e3)
	}
	return fmt.Sprint(n)
}
