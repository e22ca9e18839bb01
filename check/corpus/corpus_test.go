//go:build unix

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/check"
	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/internal/testsignals"
)

var (
	times  = flag.Int("times", 1, "play everything so many `TIMES`; go test has a -timeout to be set as well")
	busy   = flag.Int("load", 0, "`N` processes beside that want all of a processor")
	beside = flag.Int("beside", 8, "`N` daemons at the same time: they wait, most of the time")
	every  = flag.Bool("every", false, "play all scenarios against all daemons, and not of each daemon what it is there for")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(*beside)); err != nil {
		panic(err)
	}
	testsignals.Default()
	os.Exit(m.Run())
}

// sample is one daemon for each scenario that it must not pass, and a healthy one, rather in Go, whose compiler is here, than in
// the shell, and rather in that than in Python.
func sample() (list []*Daemon) {
	seen := map[string]bool{}
	for _, language := range []string{"go", "sh", "python", "node"} {
		for _, d := range corpus {
			if d.language() == language && (d.Broken != "" || d.Aim == "") && !seen[d.Aim] {
				seen[d.Aim] = true
				list = append(list, d)
			}
		}
	}
	return list
}

// Every daemon gets the verdict that the corpus says. One that does not is played again, and the majority counts. Again and again, so
// that each counts, and on a machine that has no time, with
//
//	LASTCALL_CI=long go test ./check/corpus -run Verdicts -times 100 -load 4 -timeout 0
func TestVerdicts(t *testing.T) {
	if raced && *times == 1 {
		t.Skip("skipped under the race detector, which sees nothing of the daemons; the tests of package check run under it")
	}
	k, err := newKit(t.Context(), ".")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.close)
	beBusy(t, *busy)
	played := corpus
	if !testset.Long() {
		played = sample()
		t.Logf("%d of %d daemons; LASTCALL_CI=long plays all", len(played), len(corpus))
	}
	for i := range *times {
		t.Run(fmt.Sprintf("round %d", i+1), func(t *testing.T) {
			for _, d := range played {
				t.Run(d.Name, func(t *testing.T) {
					if why := k.missing[d.language()]; why != "" {
						t.Skip(why)
					}
					t.Parallel()
					right, wrong := 0, 0
					for right <= wrong && wrong < 2 {
						report, err := k.play(t.Context(), d, d.aims()...)
						if err != nil {
							t.Fatal(err)
						}
						lines := d.compare(report)
						if len(lines) == 0 {
							right++
							continue
						}
						if wrong++; *times > 1 {
							wrong = 2
						}
						say := t.Log
						if wrong == 2 {
							say = t.Error
						}
						for _, line := range lines {
							say(line)
						}
						for i := range report.Results {
							var text strings.Builder
							_ = report.Results[i].WriteText(&text)
							t.Log(text.String())
						}
					}
				})
			}
		})
	}
}

// aims are the scenarios to play.
func (d *Daemon) aims() []string {
	switch {
	case d.Aim == "" || *every:
		return nil
	case d.Aim == "orphans":
		return []string{"term", d.Aim} // it looks at the lives of the others
	}
	return []string{d.Aim}
}

// beBusy has processes beside that want all of a processor, until the test is over, however that is.
func beBusy(t *testing.T, n int) {
	for range n {
		cmd := exec.Command("sh", "-c", `while kill -0 $0; do i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; done`, strconv.Itoa(os.Getpid()))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
}

// Every scenario has daemons that must not pass it, and daemons that must.
func TestCorpusHasBothForEveryScenario(t *testing.T) {
	if n := len(corpus); n < 40 {
		t.Errorf("%d daemons are too few", n)
	}
	names := map[string]bool{}
	for _, d := range corpus {
		if names[d.Name] {
			t.Errorf("two are called %s", d.Name)
		}
		names[d.Name] = true
		if v := d.want(d.Aim); d.Aim != "" && (d.Broken == "") != (v == pass) && d.Name != "python/buries-none" {
			t.Errorf("%s: broken: %q, and %s wants %s", d.Name, d.Broken, d.Aim, v)
		}
	}
	for _, s := range check.Scenarios() {
		var good, bad []string
		says := map[string]bool{}
		for _, d := range corpus {
			switch {
			case d.Aim == s.Name && d.want(s.Name) != pass:
				bad = append(bad, d.Name)
			case (d.Aim == s.Name || d.Aim == "") && d.want(s.Name) == pass:
				good = append(good, d.Name)
			}
			if d.Aim == s.Name {
				says[d.Says] = true
			}
		}
		if s.Name == "twice" { // it informs
			if len(says) != 3 {
				t.Errorf("twice: outcomes %v, and there are three", says)
			}
			continue
		}
		if len(good) == 0 || len(bad) == 0 {
			t.Errorf("%s: must pass: %v; must not: %v", s.Name, good, bad)
		}
	}
}

// The table in the README has the corpus' daemons, and the verdicts that the corpus says.
func TestTableIsThatOfTheCorpus(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(text), tableBegin)
	shown, _, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		t.Fatal("the README has no table")
	}
	rows := map[string]*check.Report{}
	for _, d := range corpus {
		report := &check.Report{}
		for _, s := range check.Scenarios() {
			report.Results = append(report.Results, check.Result{Scenario: s.Name, Verdict: d.want(s.Name)})
		}
		rows[d.Name] = report
	}
	if want := "\n" + table(rows) + "\n"; shown != want {
		t.Errorf("the README is not up to date: go run ./check/corpus -write\n--- it has\n%s\n--- the corpus says\n%s", shown, want)
	}
}
