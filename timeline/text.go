package timeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
)

// summary is the lines above the chart: what happened, the circumstances, and what it took its time for.
func (l *layout) summary() []string {
	r := l.report
	var head string
	switch {
	case l.stopping && l.over:
		head = fmt.Sprintf("%s in %s", stoppedAs(r.State), short(l.since(r.Ended)))
	case r.SoftStop.IsZero() && l.stopping:
		head = "lame duck since " + short(l.since(r.Taken))
	case l.stopping:
		head = "stopping since " + short(l.since(r.Taken))
	case l.over:
		head = fmt.Sprintf("%s after %s", r.State, short(r.Ended.Sub(r.Started)))
	case r.Started.IsZero():
		head = "not started"
	default:
		head = fmt.Sprintf("%s, %s after the start", r.State, short(r.Taken.Sub(r.Started)))
	}
	if r.Cause != "" {
		head += " (" + text.Outside(r.Cause) + ")"
	}

	var facts []string
	if !l.origin.IsZero() {
		what := "start"
		if l.stopping {
			what = "soft stop"
		}
		if l.stopping && r.SoftStop.IsZero() {
			what = "lame duck"
		}
		facts = append(facts, what+" "+l.origin.Format("2006-01-02 15:04:05.000 MST"))
	}
	if l.from < 0 {
		facts = append(facts, "lame duck "+short(-l.from))
	}
	if r.Grace > 0 && l.stopping {
		grace := "grace period " + short(r.Grace)
		if l.over && r.HardStop.IsZero() {
			grace += ", " + short(l.since(r.Ended)) + " of it used"
		}
		facts = append(facts, grace)
	}
	counts := []string{text.Count(l.sum.Workers, "worker"), fmt.Sprintf("%d in flight", l.sum.InFlight)}
	problems := l.sum.Problems()
	if len(problems) == 0 && l.over {
		problems = []string{"all well"}
	}
	lines := []string{head}
	if len(facts) > 0 {
		lines = append(lines, strings.Join(facts, " · "))
	}
	lines = append(lines, strings.Join(append(counts, problems...), " · "))

	if len(l.chain) > 1 {
		links := make([]string, len(l.chain))
		for i, n := range l.chain {
			w := l.rows[n].worker
			links[i] = text.Outside(w.Name) + " " + short(l.rows[n].sum.Took)
		}
		lines = append(lines, "longest chain: "+strings.Join(links, " → "))
	}
	return lines
}

func stoppedAs(s lastcall.State) string {
	switch s {
	case lastcall.StateStopped:
		return "stopped"
	case lastcall.StateFailed:
		return "failed, stopped"
	case lastcall.StateAbandoned:
		return "stopped, with workers abandoned,"
	}
	return s.String()
}

// faults is what went wrong, a line each, the worst first.
func (l *layout) faults() []string {
	var abandoned, failed, leaked, rejected []string
	for i, w := range l.report.Workers {
		failure := l.sum.Of[i].Failure
		switch {
		case w.State == lastcall.StateAbandoned && !w.Group: // of a group, its workers say it
			if failure == "" {
				failure = strings.Join(append([]string{text.Outside(w.Name) + ": abandoned"}, l.sum.Of[i].Rest...), ", ")
			}
			abandoned = append(abandoned, failure)
		case failure != "":
			failed = append(failed, failure)
		}
		if w.Leaks != "" {
			leaked = append(leaked, text.Outside(w.Name)+": left a goroutine behind: "+text.Outside(firstFunction(w.Leaks)))
		}
	}
	for _, problem := range l.report.Problems {
		rejected = append(rejected, "rejected: "+text.Outside(problem))
	}
	lines := slices.Concat(abandoned, failed, leaked, rejected)
	if more := len(lines) - (faultLines - 1); more > 1 {
		lines = append(lines[:faultLines-1], fmt.Sprintf("and %d more; the report as JSON has all", more))
	}
	return lines
}

// firstFunction is where the first goroutine of a stack dump is: the first line that is not its header.
func firstFunction(stacks string) string {
	for line := range strings.Lines(stacks) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "goroutine ") {
			return line
		}
	}
	return ""
}

// duration is what is said to the right of a row: how long it took to stop, or has been running.
func (l *layout) duration(r row) string {
	switch {
	case r.more > 0 && l.stopping:
		return "≤ " + short(r.end)
	case r.more > 0 || len(r.bars) == 0:
		return ""
	}
	return short(r.end - r.bars[0].from)
}

// note is what is said to the right of the duration.
func (l *layout) note(r row) string {
	w := r.worker
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if r.more > 0 {
		if l.stopping {
			add("each, nothing to tell")
		} else {
			add("nothing to tell")
		}
		if w.InFlight > 0 {
			add("%d in flight", w.InFlight)
		}
		return strings.Join(notes, ", ")
	}
	switch {
	case r.sum.Ending != "":
		add("%s", r.sum.Ending)
	case w.State == lastcall.StateWaiting && len(w.After) > 0:
		add("waits for %s", text.Outside(strings.Join(w.After, ", ")))
	case !l.over && w.State != lastcall.StateReady:
		add("%s", w.State)
	}
	notes = slices.Concat(notes, r.sum.Work, r.sum.Rest)
	if len(r.waitedFor) > 0 && r.waited {
		wait := fmt.Sprintf("waited %s for %s", short(r.bars[0].from-r.wait), text.Outside(relative(r.waitedFor[0], w.Name)))
		if n := len(r.waitedFor) - 1; n > 0 {
			wait += fmt.Sprintf(" +%d", n)
		}
		notes = append(notes, wait)
	}
	return strings.Join(notes, ", ")
}

// relative is name without the groups that it has in common with other.
func relative(name, other string) string {
	if parent := parentOf(other); parent != "" {
		return strings.TrimPrefix(name, parent+"/")
	}
	return name
}

// tooltip is all that is known of a row except stacks.
func (l *layout) tooltip(r row) string {
	w := r.worker
	if r.more > 0 {
		return fmt.Sprintf("%d more workers, of which there is nothing to tell", r.more)
	}
	lines := []string{text.Outside(w.Name) + ": " + w.State.String()}
	add := func(what, value string) {
		if value != "" {
			lines = append(lines, what+" "+text.Outside(value))
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return signed(l.since(t))
	}
	add("because of:", w.Cause)
	add("depends on", strings.Join(w.After, ", "))
	if r.waited {
		add("waited for", strings.Join(r.waitedFor, ", "))
	}
	add("started", at(w.Started))
	add("ready", at(w.Ready))
	add("soft stop", at(w.SoftStop))
	add("hard stop", at(w.HardStop))
	if w.State == lastcall.StateAbandoned {
		add("abandoned", at(w.Ended))
	} else {
		add("returned", at(w.Ended))
	}
	if !w.SoftStop.IsZero() {
		add("in flight at the soft stop:", fmt.Sprint(w.InFlight))
	} else if w.InFlight > 0 {
		add("in flight:", fmt.Sprint(w.InFlight))
	}
	if w.Interrupted > 0 {
		add("interrupted:", fmt.Sprint(w.Interrupted))
	}
	if w.Lost > 0 {
		add("lost:", fmt.Sprint(w.Lost))
	}
	if w.Restarts > 0 {
		add("restarts:", fmt.Sprint(w.Restarts))
	}
	add("not ready:", w.Unready)
	add("status:", w.Status)
	add("error:", w.Err)
	if w.Leaks != "" {
		add("left behind:", firstFunction(w.Leaks))
	}
	return strings.Join(lines, "\n")
}

// signed is d with its sign, as a moment and not a duration.
func signed(d time.Duration) string {
	if d >= 0 {
		return "+" + short(d)
	}
	return short(d)
}
