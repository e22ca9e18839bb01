package check

import (
	"fmt"
	"os"
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
