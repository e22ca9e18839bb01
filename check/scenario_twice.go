//go:build unix

package check

import (
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

const (
	// secondAfter is when the second signal comes. What comes sooner may be the same Ctrl-C told twice, by a terminal and a wrapper.
	secondAfter = 300 * time.Millisecond
	// forcedWithin is how long is waited for the end after it. A stop that waits for requests waits longer: they are held back until then.
	forcedWithin = 3 * time.Second
)

// second is what a second signal does.
type second struct {
	l      *life
	o      outcome
	over   bool          // the stop had ended before it
	forces bool          // it ended the stop
	after  time.Duration // from it to the end
}

var twiceScenario = Scenario{
	Name:  "twice",
	Means: "what a second Ctrl-C does when the stop takes long",
	Does:  "sends a second signal in a slow stop",
	Fails: "warn: it still runs after the grace period; what a second signal does is for information",
	Needs: "a stop that is slow",
	play:  playTwice,
}

// playTwice is for information: what a second signal does.
func playTwice(r *runner) {
	if r.canStop() {
		return
	}
	s, ok := r.signalTwice()
	if !ok {
		return
	}
	r.stopTimes([]time.Duration{s.o.Took})
	name := process.SignalName(r.Signal)
	switch {
	case s.over:
		r.pass("its stop was over after %v: no time for a second %s", text.Round(s.o.Took), name)
	case s.forces:
		r.fact("from the second signal to the end", ms(s.after), "ms", "")
		r.pass("a second %s ends it, %v later: %s", name, text.Round(s.after), statusText(s.o.Status))
	case s.o.Hung && r.hangsBusy():
		r.pass("still there %v after the second %s, and so after one, with the same requests under way: see inflight", r.Grace, name)
	case s.o.Hung:
		s.l.isWorst()
		r.warn(codeTwiceHangs, fmt.Sprintf("still there %v after the second %s", r.Grace, name), "The second signal keeps the first from being carried out.")
	default:
		r.pass("a second %s changes nothing; %s, %v after the first", name, statusText(s.o.Status), text.Round(s.o.Took))
	}
}

// hangsBusy reports whether one signal does not stop the daemon while requests are under way.
func (r *runner) hangsBusy() bool {
	one, ok := r.stopWithRequests(r.Signal)
	return ok && one.o.Hung
}

// forced reports whether a second signal ends the daemon at once, and finds it out if that has not been done.
func (r *runner) forced() bool {
	if r.forces == nil {
		r.signalTwice()
	}
	return r.forces != nil && *r.forces
}

// signalTwice sends a second signal in a stop that requests make slow, or that is slow by itself.
func (r *runner) signalTwice() (s second, ok bool) {
	l, ok := r.begin()
	if !ok {
		return s, false
	}
	u, _ := l.heldRequests()
	if u != nil {
		u.tell(time.Now())
	}
	l.signal(r.Signal)
	l.awaitArrival(r.Signal) // before it, a second would be the same
	s.l, s.over = l, l.exits(secondAfter)
	var told time.Time
	if !s.over {
		told = time.Now()
		l.signal(r.Signal)
		s.forces = l.exits(forcedWithin)
	}
	cut := false
	if u != nil {
		u.finish()
	}
	s.o = l.awaitEnd()
	if u != nil {
		u.await()
		cut = u.sum() > 0
	}
	if s.over || r.ctx.Err() != nil {
		return s, r.ctx.Err() == nil
	}
	if s.after = l.k.ended.Sub(told); s.forces && !cut {
		// With nothing under way it must have taken less than half of what the stop in peace took.
		s.forces = (u == nil || u.answered == 0) && s.after < (r.usual.Took-told.Sub(l.told))/2
	}
	r.forces = &s.forces
	return s, true
}
