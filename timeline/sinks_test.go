package timeline_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text/texttest"
	"github.com/lastcall-go/lastcall/timeline"
)

// reports of every moment, with every field in use.
func reports(s string) map[string]lastcall.Report {
	at := func(ms int) time.Time { return time.Date(2026, 3, 1, 12, 0, 0, ms*1e6, time.UTC) }
	worker := func(state lastcall.State) lastcall.WorkerReport {
		return lastcall.WorkerReport{State: state, Started: at(0), Ready: at(1), SoftStop: at(10), HardStop: at(20), Ended: at(30),
			InFlight: 1, Interrupted: 1, Restarts: 1}
	}
	ended := lastcall.Report{State: lastcall.StateFailed, Started: at(0), LameDuck: at(5), SoftStop: at(10), HardStop: at(20), Ended: at(40), Taken: at(50)}
	for _, state := range []lastcall.State{lastcall.StateStopped, lastcall.StateFailed, lastcall.StateAbandoned, lastcall.StateCut} {
		ended.Workers = append(ended.Workers, worker(state))
	}
	texttest.Fill(&ended, s)
	running := lastcall.Report{State: lastcall.StateReady, Started: at(0), LameDuck: at(5), Taken: at(50),
		Workers: []lastcall.WorkerReport{{State: lastcall.StateReady, Started: at(0), Ready: at(1)}, {State: lastcall.StateWaiting}}}
	texttest.Fill(&running, s)
	return map[string]lastcall.Report{"ended": ended, "running": running}
}

// Whatever workers are called and say: no form of the report is obeyed by a terminal or by the log of a CI system.
func TestNoFormIsObeyed(t *testing.T) {
	for _, s := range append(texttest.Corpus, texttest.One()) {
		for name, r := range reports(s) {
			var picture, doc bytes.Buffer
			if err := timeline.SVG(&picture, r); err != nil {
				t.Fatal(err)
			}
			if err := timeline.WriteJSON(&doc, r); err != nil {
				t.Fatal(err)
			}
			for form, shown := range map[string]string{
				"waterfall": r.String(), "SVG": picture.String(), "JSON": doc.String(),
			} {
				if err := texttest.Lines(shown); err != nil {
					t.Errorf("%s of one that has %s, with %q: %v", form, name, s, err)
				}
			}
		}
	}
}
