package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestSupervisors runs everything about supervisors with as little of it as there can be, against whichever are there, and
// looks for lastcall's rows and for what must hold on any machine at any load.
func TestSupervisors(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the supervisors are measured on Linux only")
	}
	var out, log bytes.Buffer
	file := filepath.Join(t.TempDir(), "result.json")
	err := run(t.Context(), []string{
		"-quick", "-only", "supervisors", "-children", "1,3", "-watch", "100ms", "-trials", "5", "-rolls", "2", "-json", file,
	}, &out, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var result Result
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	if len(result.Findings) != 1 {
		t.Fatalf("there are findings of %d sets, not of one", len(result.Findings))
	}
	found := result.Findings[0]
	for title, row := range map[string]string{
		"Idle supervisors, 1 child":                nameUp,
		"Idle supervisors, 3 children":             nameUp,
		"Start, stop and restart, 1 child":         nameUp,
		"Start, stop and restart, 3 children":      nameUp,
		"Inits for one program":                    nameRun,
		"SIGTERM at any instant of the first 20ms": nameRun,
		"Output through a supervisor, to a pipe":   nameUp,
		"Output through a supervisor, to a file":   nameUp,
		"Facts":                                    nameRun,
		"Rolling restarts under load":              "new connections",
		"Programs":                                 nameUp,
	} {
		i := slices.IndexFunc(found.Tables, func(table *Table) bool { return table.Title == title })
		if i < 0 {
			t.Errorf("there is no table %q", title)
			continue
		}
		if !slices.ContainsFunc(found.Tables[i].Rows, func(cells []string) bool { return cells[0] == row }) {
			t.Errorf("table %q has no row %q", title, row)
		}
	}
	for _, target := range found.Targets {
		counts := slices.ContainsFunc([]string{"signals lost", "lines of lastcall up", "rolling restarts"}, func(word string) bool {
			return strings.Contains(target.What, word)
		})
		if counts && !target.met() {
			t.Errorf("%s is %v, and must be %v", target.What, target.Measured, target.Limit)
		}
	}
	if len(result.Supervision.Stops) < 2 || result.Supervision.Stops[0].Samples[0].Untold != 0 {
		t.Errorf("a child was not told: %+v", result.Supervision.Stops)
	}
}

func TestWholeLines(t *testing.T) {
	line := func(id, n string) string {
		head := "#" + id + ":" + n + ":"
		return head + strings.Repeat("x", outputLine-2-len(head)) + ".\n"
	}
	text := "12:00:01 k0 | " + line("00", "000000000") +
		"k1 | " + strings.TrimSuffix(line("01", "000000000"), "\n") + "\r\n" + // from a terminal
		"k0 | " + line("00", "000000001")[:50] + line("01", "000000001") + // mixed
		"xxxxxxxx.\n" + // cut
		"k0 | " + line("00", "000000003") + // one is missing before it
		"k0 | " + line("00", "000000004") +
		"said by the supervisor itself\n"
	if whole, damaged := wholeLines([]byte(text)); whole != 3 || damaged != 3 {
		t.Errorf("%d whole and %d damaged lines, want 3 and 3", whole, damaged)
	}
}
