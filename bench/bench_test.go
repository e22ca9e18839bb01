package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the benchmark's child, as the benchmark itself is.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childCommand {
		exit(child(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// TestTables runs everything with as little of it as there can be, and looks for each row. What it measured is no matter.
func TestTables(t *testing.T) {
	var out, log bytes.Buffer
	dir := t.TempDir()
	jsonFile, markdownFile := filepath.Join(dir, "result.json"), filepath.Join(dir, "tables.md")
	err := run(t.Context(), []string{
		"-quick", "-sizes", "20", "-million", "50", "-window", "100ms", "-signals", "2", "-rounds", "1",
		"-only", "library", "-json", jsonFile, "-markdown", markdownFile,
	}, &out, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	text, err := os.ReadFile(jsonFile)
	if err != nil {
		t.Fatal(err)
	}
	var result Result
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}

	workers := []string{nameHand, nameNoLabels, nameLastcall, "hand-written: context, WaitGroup"}
	optional := make(map[string]string) // rows that may be missing, and what the line that says so begins with
	for _, p := range peers {
		workers = append(workers, p.name)
		optional[p.name] = p.module
	}
	idle := []string{idleHand, idleLastcall, seedHand, seedLastcall, nameSigwait, "seed's workers, Python 3", "seed's workers, Python 2"}
	optional["seed's workers, Python 3"], optional["seed's workers, Python 2"] = "python3", "python2"
	optional[nameSigwait] = "the C program"
	http := []string{"net/http, Shutdown", "lastcall, serve.HTTP"}
	tables := []struct {
		title string
		rows  []string
	}{
		{"Memory of an idle worker, 20 workers", workers},
		{"Soft stop, 20 workers", workers},
		{"Goroutines of idle groups", []string{nameGroups}},
		{"50 workers", workers[:3]},
		{"Idle", idle},
		{"Signal sent → worker told", []string{idleHand, idleLastcall, nameSigwait}},
		{"HTTP: last response → stop returned", http},
		{"HTTP: requests", http},
	}
	if len(result.Findings) != 1 {
		t.Fatalf("there are findings of %d sets, not of one", len(result.Findings))
	}
	found := result.Findings[0]
	skipped := func(what string) bool {
		return slices.ContainsFunc(found.Skipped, func(line string) bool { return what != "" && strings.HasPrefix(line, what) })
	}
	for _, want := range tables {
		i := slices.IndexFunc(found.Tables, func(table *Table) bool { return table.Title == want.title })
		if i < 0 {
			if want.title != "Idle" || !skipped("idle") {
				t.Errorf("there is no table %q", want.title)
			}
			continue
		}
		for _, name := range want.rows {
			has := slices.ContainsFunc(found.Tables[i].Rows, func(row []string) bool { return strings.HasPrefix(row[0], name) })
			if !has && !skipped(optional[name]) {
				t.Errorf("table %q has no row %q, and no line says why", want.title, name)
			}
		}
		if !strings.Contains(out.String(), "\n"+want.title+"\n") {
			t.Errorf("table %q was not printed", want.title)
		}
	}
	if len(found.Targets) == 0 || result.Machine.Go == "" {
		t.Errorf("targets or machine are missing: %v, %v", found.Targets, result.Machine)
	}

	readme := filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("before\n"+tablesBegin(found.Set)+"old\n"+tablesEnd(found.Set)+"after\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := result.writeREADME(readme); err != nil {
		t.Fatal(err)
	}
	markdown, _ := os.ReadFile(markdownFile)
	written, _ := os.ReadFile(readme)
	if want := "before\n" + tablesBegin(found.Set) + "\n" + string(markdown) + "\n" + tablesEnd(found.Set) + "after\n"; string(written) != want {
		t.Errorf("README.md became\n%s", written)
	}
}

func TestPercentile(t *testing.T) {
	values := []int{5, 1, 4, 2, 3, 6, 7, 8, 9, 10}
	for _, test := range []struct{ got, want float64 }{
		{percentile(values, 0.5), 5}, {percentile(values, 0.99), 10}, {percentile(values, 0), 1},
		{median(values), 5.5}, {median(values[:3]), 4},
	} {
		if test.got != test.want {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
}

func TestCountCalls(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	const trace = "12 100.000001 futex(0x1, FUTEX_WAIT) = 0\n" + // before the window
		"12 101.500000 read(3,  <unfinished ...>\n" +
		"13 101.600000 nanosleep({tv_nsec=20000}) = 0\n" +
		"12 101.700000 <... read resumed>\"\", 1) = 0\n" +
		"12 101.800000 --- SIGURG {si_signo=SIGURG} ---\n" +
		"12 102.500000 exit_group(0) = ?\n"
	if err := os.WriteFile(file, []byte(trace), 0o666); err != nil {
		t.Fatal(err)
	}
	calls, err := countCalls(file, time.Unix(101, 0), time.Unix(102, 0))
	if err != nil || calls != 2 {
		t.Errorf("got %d calls and error %v, want 2", calls, err)
	}
}
