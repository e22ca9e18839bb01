package check

import (
	"slices"
	"strings"
	"time"
)

// Verdict is what came of a scenario.
type Verdict string

const (
	Pass Verdict = "pass" // what was looked at is as it should be
	Warn Verdict = "warn" // it works, and could hurt somebody
	Fail Verdict = "fail" // somebody loses something at a stop
	Skip Verdict = "skip" // it was not looked at; the summary says what is missing
)

// Report is what a check found out. [WriteJSON] writes it, [ReadJSON] reads it.
type Report struct {
	Command []string      `json:"command"`
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"`
	System  string        `json:"system"`           // such as "linux/amd64"
	Seed    uint64        `json:"seed"`             // of the random choices
	Grace   time.Duration `json:"grace_ns"`         // what the daemon had for each stop
	Ready   string        `json:"ready"`            // how it was known that the daemon is ready
	URL     string        `json:"url,omitempty"`    // where requests went; "" if nowhere
	Slow    string        `json:"slow,omitempty"`   // what was under way at the stop; "" if uploads
	Stream  string        `json:"stream,omitempty"` // whose answer does not end by itself; "" if none is known
	Others  []string      `json:"others,omitempty"` // URLs of its other ports that speak HTTP, where the URL was found out
	Found   bool          `json:"found,omitempty"`  // the URL was found out, not given
	Startup Spread        `json:"startup"`          // from exec to ready
	Lives   int           `json:"lives"`            // how often the daemon was started
	Results []Result      `json:"results"`          // in the order of [Scenarios]
	Error   string        `json:"error,omitempty"`  // why it ended before all was looked at
	Output  string        `json:"output,omitempty"` // what the daemon wrote, if that is since it never became ready
}

// Verdict is the worst of all scenarios that were played: Fail, Warn, or Pass. It is Skip if none could be: then nothing is known.
func (r *Report) Verdict() Verdict {
	v := Skip
	for _, result := range r.Results {
		if result.Verdict != Skip && (v == Skip || rank(result.Verdict) > rank(v)) {
			v = result.Verdict
		}
	}
	return v
}

// Unseen says in one line which scenarios were not looked at, and why: "inflight, load: nothing is known to speak HTTP; …". It is "" if
// all were.
func (r *Report) Unseen() string {
	var reasons []string
	names := map[string][]string{}
	for _, result := range r.Results {
		if result.Verdict != Skip {
			continue
		}
		if names[result.Summary] == nil {
			reasons = append(reasons, result.Summary)
		}
		names[result.Summary] = append(names[result.Summary], result.Scenario)
	}
	for i, reason := range reasons {
		reasons[i] = strings.Join(names[reason], ", ") + ": " + reason
	}
	return strings.Join(reasons, "; ")
}

// failed reports whether a scenario failed with a code.
func (r *Report) failed(scenario, code string) bool {
	return r != nil && slices.ContainsFunc(r.Results, func(one Result) bool {
		return one.Verdict == Fail && one.Scenario == scenario && one.Code == code
	})
}

// rank orders verdicts, the worst last. What was not looked at is worse than what passed.
func rank(v Verdict) int { return slices.Index([]Verdict{Pass, Skip, Warn, Fail}, v) }

// Worst is the timeline to look at first: of a failed scenario, or else of one with a warning, or else the longest stop. It is
// nil if there is none.
func (r *Report) Worst() *Timeline {
	var worst *Result
	for i := range r.Results {
		one := &r.Results[i]
		if one.Timeline == nil {
			continue
		}
		if worst == nil || rank(one.Verdict) > rank(worst.Verdict) ||
			rank(one.Verdict) == rank(worst.Verdict) && one.Timeline.length() > worst.Timeline.length() {
			worst = one
		}
	}
	if worst == nil {
		return nil
	}
	return worst.Timeline
}

// Result is the verdict of one scenario, and what it rests on.
type Result struct {
	Scenario string        `json:"scenario"`
	Means    string        `json:"means"`          // what it means for users, one line
	Does     string        `json:"does,omitempty"` // what was done
	Verdict  Verdict       `json:"verdict"`
	Code     string        `json:"code,omitempty"`     // of the [Finding], for Warn and Fail
	Summary  string        `json:"summary"`            // why, one line
	Evidence []Fact        `json:"evidence,omitempty"` // in numbers
	Advice   string        `json:"advice,omitempty"`   // what to do about a warning or a failure
	Lives    int           `json:"lives"`              // of the daemon, that it took
	Took     time.Duration `json:"took_ns"`
	Timeline *Timeline     `json:"timeline,omitempty"` // of its worst life
}

// Fact is one number.
type Fact struct {
	Name  string  `json:"name"`           // such as "slowest stop"
	Value float64 `json:"value"`          //
	Unit  string  `json:"unit,omitempty"` // "ms", "/s", or "" for a count
	Text  string  `json:"text,omitempty"` // what the number cannot say
}

// Spread is how durations lie.
type Spread struct {
	Min    time.Duration `json:"min_ns"`
	Median time.Duration `json:"median_ns"`
	Max    time.Duration `json:"max_ns"`
}

// Timeline is one life of the daemon around its stop.
type Timeline struct {
	Scenario string    `json:"scenario"`
	Signal   time.Time `json:"signal"`  // when the first signal was sent: moment zero
	Moments  []Moment  `json:"moments"` // in the order of time
}

// length is from the signal to the last moment.
func (t *Timeline) length() time.Duration {
	if len(t.Moments) == 0 {
		return 0
	}
	return t.Moments[len(t.Moments)-1].At
}

// Moment is something that happened, and when.
type Moment struct {
	At   time.Duration `json:"at_ns"` // after the signal; before it: negative
	Kind Kind          `json:"kind"`
	Text string        `json:"text,omitempty"`
}

// Kind is what a Moment is.
type Kind string

const (
	KindStart    Kind = "start"    // the program was executed
	KindReady    Kind = "ready"    //
	KindSignal   Kind = "signal"   // Text: which
	KindAccept   Kind = "accept"   // the last connection that was made and on which an answer came
	KindResponse Kind = "response" // the last whole response
	KindLost     Kind = "lost"     // a request that got no answer; Text: how
	KindThread   Kind = "thread"   // a thread ended; Text: its name. Seen at the rate of [threadsEvery]
	KindChild    Kind = "child"    // a descendant ended; Text: its name. Seen at the same rate
	KindExit     Kind = "exit"     // Text: the status
	KindLeft     Kind = "left"     // a descendant that outlived it; Text: its command line
	KindKill     Kind = "kill"     // the checker's SIGKILL, when the time was over
)
