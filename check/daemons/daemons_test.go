//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/check"
	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/internal/testsignals"
)

// written is the table of the document: verdicts, or versions, by daemon and row.
func written(t *testing.T) (text string, table map[string]map[string]string) {
	t.Helper()
	b, err := os.ReadFile("../../" + document)
	if err != nil {
		t.Fatal(err)
	}
	text = string(b)
	var names []string
	table = map[string]map[string]string{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `*")
		}
		switch {
		case names == nil:
			for _, c := range cells[1:] {
				name, _, _ := strings.Cut(strings.TrimPrefix(c, "["), "]")
				names = append(names, name)
				table[name] = map[string]string{}
			}
		case len(cells) != len(names)+1:
			t.Fatalf("the line has %d cells, want %d: %s", len(cells), len(names)+1, line)
		default:
			for i, name := range names {
				table[name][cells[0]] = cells[i+1]
			}
		}
	}
	return text, table
}

// The document has every daemon and every scenario, says of each warning and failure why, and how to see it again.
func TestDocument(t *testing.T) {
	text, table := written(t)
	if len(table) != len(daemons) {
		t.Errorf("the table has %d daemons, want %d", len(table), len(daemons))
	}
	for i := range daemons {
		d := &daemons[i]
		if !strings.Contains(text, "](#"+anchor(d.name)+")") {
			t.Errorf("%s is not in the table: go run ./check/daemons -write", d.name)
		}
		_, section, found := strings.Cut(text, "\n## "+d.name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found || !strings.Contains(section, d.byHand()) {
			t.Errorf("the section of %s does not say how to see it again: %s", d.name, d.byHand())
		}
		for _, s := range check.Scenarios() {
			verdict := table[d.name][s.Name]
			if !slices.Contains([]string{"pass", "warn", "FAIL", "–"}, verdict) {
				t.Errorf("%s, %s: the verdict is %q", d.name, s.Name, verdict)
			}
			said := strings.Contains(section, "- `"+s.Name+"`: ")
			if bad := verdict == "warn" || verdict == "FAIL"; bad != said {
				t.Errorf("%s, %s: %s in the table, and said why: %t", d.name, s.Name, verdict, said)
			}
		}
		for scenario := range d.surprises {
			if v := table[d.name][scenario]; scenario != "" && v != "warn" && v != "FAIL" {
				t.Errorf("%s, %s: there is a surprise, and the verdict is %q", d.name, scenario, v)
			}
		}
	}
}

// Those that are on this machine still run as they are run for the document, and stop as it says, if they are of its version.
func TestDaemonsThatAreHere(t *testing.T) {
	_, table := written(t)
	for i := range daemons {
		d := &daemons[i]
		t.Run(d.name, func(t *testing.T) {
			if d.program != "go" {
				testset.OnlyLong(t, "the default set does not depend on what is installed")
			}
			t.Parallel() // they mostly wait
			if err := d.available(false); err != nil {
				t.Skipf("not on this machine: %v", err)
			}
			report, err := play(t, d)
			for tries := 1; tries < 5 && err != nil && strings.Contains(err.Error(), "before this one is started"); tries++ {
				report, err = play(t, d) // another test has taken the port that was free when the place was made
			}
			if start := (*check.StartError)(nil); errors.As(err, &start) {
				t.Fatalf("%v\n%s", err, start.Output)
			}
			if err != nil {
				t.Fatal(err)
			}
			version, err := exec.Command(d.version[0], d.version[1:]...).CombinedOutput()
			if err != nil {
				t.Fatal(err)
			}
			want, got := table[d.name]["term"], strings.Trim(cell(&report.Results[0]), "*")
			if here := numberIn(string(version)); here != table[d.name]["version"] {
				t.Logf("term: %s; the document is of %s, and this is %s", got, table[d.name]["version"], here)
			} else if got != want {
				t.Errorf("term: %s (%s), and %s says %s", got, report.Results[0].Summary, document, want)
			}
		})
	}
}

// play plays the scenario term with a daemon, in a place of its own.
func play(t *testing.T, d *daemon) (*check.Report, error) {
	p, err := d.newPlace()
	if err != nil {
		t.Fatal(err)
	}
	defer p.remove()
	c := d.check(p)
	c.Only, c.Skip = []string{"term"}, nil
	c.Grace, c.ReadyWithin = time.Minute, 2*time.Minute // the machine may be busy with other tests
	return c.Run(t.Context())
}

func TestMain(m *testing.M) {
	testset.TheyWait()
	testsignals.Default()
	os.Exit(m.Run())
}
