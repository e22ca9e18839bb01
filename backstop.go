package lastcall

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The order of a stop is worked out layer by layer. Behind it stands a limit that depends on nothing that was worked out:
// when the whole time of the stop is over, Run returns.

// afterTheLast is how long after the last layer's time the backstop comes, so that what ends in time ends by itself.
const afterTheLast = 250 * time.Millisecond

// endBy sets when the whole stop is over at the latest.
func (r *run) endBy(at time.Time) {
	r.deadlines.cancel(r.backstop)
	r.backstop = r.deadlines.add(at.Add(afterTheLast), func() {
		r.overdue = true
		for _, l := range r.layers {
			if l.up {
				r.abandoning = append(r.abandoning, l.attempt())
			}
		}
	})
}

// endAll ends the run, with what is left in it: what has just been given up has not ended by that. The run is locked.
func (r *run) endAll() {
	if r.phase == phaseOver || r.live == 0 {
		return
	}
	var left []string
	for m := range r.members() {
		switch {
		case m.running(): // a group that does not return
			r.abandonMember(m, nil)
		case m.live(): // it never came to its start
			left = append(left, fmt.Sprintf("%s (%s)", m.path(), m.is()))
			r.enter(m, StateStopped, Event{Cause: r.cause})
		}
	}
	if r.live > 0 { // a defect of this package
		text := fmt.Sprintf("the stop%s did not come to its end within its time, and was ended", r.named())
		if left != nil {
			text += "; it still waited for " + strings.Join(left, ", ")
		}
		r.problems = append(r.problems, text)
		r.errs = append(r.errs, errors.New("lastcall: "+text))
	}
	r.live, r.held = 0, 0
}
