// Package summary is what a report says in counts and words, for whatever draws one: the waterfall of package lastcall and the
// picture of package timeline.
//
// Package lastcall computes it and imports this package, so the types of a report are not known here: [Of] is set when
// package lastcall is initialized. All texts are in one line and have no control characters.
package summary

import (
	"fmt"
	"time"
)

// Of is the summary of a lastcall.Report.
var Of func(report any) Summary

// Summary counts workers, groups left out, and their work.
type Summary struct {
	Workers                        int
	Failed, Cut, Abandoned, Leaked int      // workers
	InFlight, Interrupted, Lost    int      // units of work
	Of                             []Worker // by their place in the report
}

// Problems are the counts of what should not have been, such as "1 failed"; nil where all is well.
func (s Summary) Problems() (problems []string) {
	for _, p := range []struct {
		n    int
		what string
	}{
		{s.Failed, "failed"}, {s.Cut, "cut"}, {s.Interrupted, "interrupted in flight"}, {s.Lost, "lost"}, {s.Abandoned, "abandoned"},
		{s.Leaked, "with leaks"},
	} {
		if p.n > 0 {
			problems = append(problems, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return problems
}

// Worker is what a report says of one worker.
type Worker struct {
	Ending  string        // "failed", "abandoned", "cut", "completed" or "never started"; "" where there is nothing to remark
	Work    []string      // what became of its work: "2 in flight", "1 interrupted", "1 lost"
	Rest    []string      // "leaked", "3 restarts", and why it is not ready and what it says of itself, where it has not ended
	Failure string        // how it failed, with its name; "" if it did not, or its workers tell
	Took    time.Duration // from its soft stop to its end, or to now; 0 if it was not told to stop
	Bad     bool          // something is remarked that should not have been
	Told    bool          // it is worth a row of its own among very many
}
