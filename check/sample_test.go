package check

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// at is a moment of the samples.
func at(ms float64, kind Kind, text string) Moment {
	return Moment{At: time.Duration(ms * float64(time.Millisecond)), Kind: kind, Text: text}
}

// samples are reports that say all that a report can say, by the names of their golden files.
func samples() map[string]*Report {
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	broken := &Report{
		Command: []string{"./shop", "-addr", "127.0.0.1:8080"}, Started: started, Took: 48300 * time.Millisecond, System: "linux/amd64",
		Seed: 2596996162, Grace: 10 * time.Second, Ready: "it listens on 127.0.0.1:8080", URL: "http://127.0.0.1:8080/", Found: true,
		Startup: Spread{Min: 9 * time.Millisecond, Median: 12 * time.Millisecond, Max: 31 * time.Millisecond}, Lives: 61,
		Results: []Result{
			{
				Scenario: "idle", Verdict: Warn, Code: codeWakesUp, Summary: "thread poller[7] wakes up 10 times a second with nothing to do; 2.1s of CPU an hour",
				Evidence: []Fact{{"wake-ups", 10.4, "/s", "of all threads"}, {"CPU", 2100, "ms/h", ""}},
				Advice:   "Wait for the event itself instead of looking for it again and again.", Lives: 1, Took: 12100 * time.Millisecond,
			},
			{Scenario: "term", Verdict: Pass, Summary: "exit code 0, 12.3ms after SIGTERM", Evidence: []Fact{{"stop took", 12.3, "ms", ""}}, Lives: 1, Took: 31 * time.Millisecond,
				Timeline: &Timeline{Scenario: "term", Signal: started, Moments: []Moment{at(-12, KindStart, "./shop"), at(0, KindSignal, "SIGTERM"), at(12.3, KindExit, "exit code 0")}}},
			{Scenario: "lameduck", Verdict: Skip, Summary: "no readiness URL is known: give one with --ready http://…"},
			{
				Scenario: "load", Verdict: Fail, Code: codeLosesLoad, Summary: "lost 17 of 1210 requests: 17 reset on a connection in use (steady, keep-alive GET)",
				Evidence: []Fact{{"answered", 1193, "", "40 of them sent after the signal"}, {"lost", 17, "", "reset on a connection in use"}, {"slowest stop", 310.25, "ms", "of 8"}},
				Advice:   "Stop in this order: no longer ready; accept what is in the queue; answer everything that was sent; close.", Lives: 8, Took: 4200 * time.Millisecond,
				Timeline: &Timeline{Scenario: "load", Signal: started.Add(time.Second), Moments: []Moment{
					at(-131.5, KindStart, "./shop -addr 127.0.0.1:8080"), at(-119.5, KindReady, "it listens on 127.0.0.1:8080"), at(0, KindSignal, "SIGTERM"),
					at(1.5, KindAccept, "the last of 1193"), at(2.25, KindResponse, "the last of 1193"), at(3, KindLost, "the first of 17: reset on a connection in use"),
					at(20, KindThread, "worker[8]"), at(20, KindThread, "worker[9]"), at(40, KindThread, "worker[10]"), at(40, KindThread, "timer[11]"),
					at(60, KindChild, "helper[20]"), at(310.25, KindExit, "exit code 0"), at(3310, KindLeft, "sh -c 'tail -f log'"),
				}},
			},
		},
	}
	for i := range broken.Results {
		for _, s := range scenarios {
			if s.Name == broken.Results[i].Scenario {
				broken.Results[i].Means, broken.Results[i].Does = s.Means, s.Does
			}
		}
	}
	fine := &Report{
		Command: []string{"true-daemon"}, Started: started, Took: 2 * time.Minute, System: "linux/arm64", Seed: 1, Grace: time.Second, Ready: "it sent READY=1", Lives: 1,
		Results: []Result{{Scenario: "int", Means: "Ctrl-C stops it as well", Verdict: Pass, Summary: "exit code 0, 15.2s after SIGINT", Lives: 1, Took: 16 * time.Second,
			Timeline: &Timeline{Scenario: "int", Signal: started, Moments: []Moment{at(-12, KindStart, "true-daemon"), at(0, KindSignal, "SIGINT"), at(15200, KindExit, "exit code 0")}}}},
	}
	cut := &Report{Command: []string{"./shop"}, Started: started, Took: time.Second, System: "linux/amd64", Seed: 3, Grace: time.Second, Ready: "it was quiet for 300ms", Lives: 1, Error: "interrupted by SIGINT"}
	never := &Report{Command: []string{"./shop"}, Started: started, Took: 30 * time.Second, System: "linux/amd64", Seed: 3, Grace: time.Second, Lives: 1,
		Error: "./shop was not ready within 30s", Output: "reading \x1b[1mshop.conf\nwaiting for the <database>\n"}
	const nasty = "<b>&\"']]>|`*_[x](y)@all #1\\ \x1b[31m\x00\x07 :: %0A, a:b\r\n::error::x\n* li\xff"
	hostile := &Report{
		Command: []string{nasty}, Started: started, Took: time.Second, System: nasty, Seed: 4, Ready: nasty, URL: nasty, Lives: 1, Error: nasty,
		Results: []Result{
			{Scenario: nasty, Means: nasty, Verdict: Fail, Code: nasty, Summary: nasty, Evidence: []Fact{{nasty, 1.5, nasty, nasty}}, Advice: nasty,
				Timeline: &Timeline{Scenario: nasty, Signal: started, Moments: []Moment{at(0, KindSignal, nasty), at(1, "nonsense", nasty)}}},
			{Scenario: nasty, Verdict: Skip, Summary: nasty},
			{Scenario: nasty, Verdict: Warn, Summary: nasty, Advice: nasty},
			{Scenario: nasty, Verdict: "nonsense", Summary: nasty},
		},
	}
	return map[string]*Report{"broken": broken, "fine": fine, "cut": cut, "never": never, "hostile": hostile}
}

// forms are all that a report can be written in, by the ends of the golden files' names.
var forms = map[string]func(io.Writer, *Report) error{
	"json": WriteJSON, "svg": WriteSVG, "xml": WriteJUnit, "tap": WriteTAP, "md": WriteMarkdown, "github": WriteGitHub, "sarif": WriteSARIF,
	"txt":      func(w io.Writer, r *Report) error { return WriteText(w, r, Text{}) },
	"terminal": func(w io.Writer, r *Report) error { return WriteText(w, r, Text{Width: 72, Color: true}) },
}

// written is a report in a form.
func written(t *testing.T, form string, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := forms[form](&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is written is what the golden files have.
func TestForms(t *testing.T) {
	for name, report := range samples() {
		for form := range forms {
			file := filepath.Join("testdata", "forms", name+"."+form)
			got := written(t, form, report)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s has changed (go test -update writes it anew):\n%s", file, got)
			}
		}
	}
}
