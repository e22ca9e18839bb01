//go:build unix

package check

import (
	"time"

	"github.com/lastcall-go/lastcall/process"
)

const (
	// secondAfter is when the second signal comes. What comes sooner may be the same Ctrl-C told twice, by a terminal and a wrapper.
	secondAfter = 300 * time.Millisecond
	// forcedWithin is how soon after it the daemon must be gone for the second signal to have been what ended it. The requests
	// that it would wait for otherwise end later.
	forcedWithin = 3 * time.Second
)

// playTwice is for information: what a second signal does.
func playTwice(r *runner) {
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	u, _ := l.slowRequests() // without any the stop may be slow by itself
	name := process.SignalName(r.Signal)
	l.signal(r.Signal)
	over := l.exits(secondAfter)
	var second time.Time
	if !over {
		second = time.Now()
		l.signal(r.Signal)
		r.forces = l.exits(forcedWithin)
	}
	if u != nil {
		u.finish()
	}
	o := l.awaitEnd()
	if u != nil {
		u.await()
	}
	r.stopTimes([]time.Duration{o.Took})
	switch {
	case over:
		r.pass("its stop was over after %v: no time for a second %s", round(o.Took), name)
	case r.forces:
		took := l.k.ended.Sub(second)
		r.fact("from the second signal to the end", ms(took), "ms", "")
		r.pass("a second %s ends it, %v later: %s", name, round(took), statusText(o.Status))
	case o.Hung:
		r.warn("still there "+r.Grace.String()+" after the second "+name, "The second signal keeps the first from being carried out.")
	default:
		r.pass("a second %s changes nothing; %s, %v after the first", name, statusText(o.Status), round(o.Took))
	}
}
