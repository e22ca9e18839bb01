//go:build unix

package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/lastcall-go/lastcall/check"
)

const (
	tableBegin = "<!-- table: written by `go run ./check/corpus -write` -->\n"
	tableEnd   = "<!-- end of table -->\n"
)

var marks = map[check.Verdict]string{check.Pass: "✓", check.Warn: "warn", check.Fail: "**fail**", check.Skip: "–"}

// table is all verdicts, a row for each daemon.
func table(rows map[string]*check.Report) string {
	var b strings.Builder
	b.WriteString("| daemon | broken")
	for _, s := range check.Scenarios() {
		b.WriteString(" | " + s.Name)
	}
	b.WriteString(" |\n| --- | ---" + strings.Repeat(" | :-:", len(check.Scenarios())) + " |\n")
	for _, d := range corpus {
		report := rows[d.Name]
		if report == nil {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s", d.Name, d.Broken)
		for _, result := range report.Results {
			b.WriteString(" | " + marks[result.Verdict])
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// writeTable replaces the table between its marks.
func writeTable(file string, rows map[string]*check.Report) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), tableBegin)
	_, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		return fmt.Errorf("%s: the lines %q and %q are not there", file, tableBegin, tableEnd)
	}
	return os.WriteFile(file, []byte(before+tableBegin+"\n"+table(rows)+"\n"+tableEnd+after), 0o666)
}
