package check

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The table in the documentation is that of the scenarios.
func TestDocs(t *testing.T) {
	const file, begin, end = "../docs/check.md", "<!-- scenarios -->\n", "<!-- /scenarios -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| name | what it means | what is done | when it fails | what it needs |\n|---|---|---|---|---|\n")
	for _, s := range Scenarios() {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", s.Name, s.Means, s.Does, s.Fails, s.Needs)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	shown, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	if shown == table.String() {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not that of the scenarios (go test -update writes it)", file)
	}
	if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The page of findings has all of them, as they are in the code.
func TestFindingsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Findings of lastcall check\n\nEach finding has a code that never means something else. Reports, annotations, SARIF and `--baseline` use it.\n")
	for _, f := range Findings() {
		fmt.Fprintf(&b, "\n## %s\n\n**%s** (`%s`, %s). %s\n\n- Author: %s\n- Operator: %s\n", f.Code, f.Title, f.Scenario, f.Verdict, f.Means, f.Author, f.Operator)
	}
	const file = "../docs/findings.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != b.String() {
		t.Errorf("%s is not that of the findings (go test -update writes it): %v", file, err)
	}
}

// Codes are unique and in order, each finding says everything, and its scenario exists.
func TestFindings(t *testing.T) {
	last := ""
	for _, f := range Findings() {
		if f.Code <= last || f.Title == "" || f.Means == "" || f.Author == "" || f.Operator == "" || f.Verdict != Fail && f.Verdict != Warn {
			t.Errorf("%+v, after %s", f, last)
		}
		if last = f.Code; f.Scenario != "any" && !slices.Contains(scenarioNames, f.Scenario) {
			t.Errorf("%s: there is no scenario %q", f.Code, f.Scenario)
		}
	}
}
