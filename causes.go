package lastcall

import (
	"github.com/lastcall-go/lastcall/internal/engine"
)

// causeOf says the engine's cause in the words of the API. All that stop for the same reason share the result.
func (r *run) causeOf(c *engine.Cause) *StopCause {
	if c == nil {
		return &StopCause{Reason: StopCompleted}
	}
	if c == r.lastCause {
		return r.lastSaid
	}
	said := r.causes[c]
	if said == nil {
		said = r.newCause(c)
		r.keepCause(c, said)
	}
	r.lastCause, r.lastSaid = c, said
	return said
}

// keepCause keeps what a cause was said to be.
func (r *run) keepCause(c *engine.Cause, said *StopCause) {
	if len(r.causes) > 100 { // of single stops, long over
		clear(r.causes)
		clear(r.endings)
	}
	r.causes[c] = said
}

func (r *run) newCause(c *engine.Cause) *StopCause {
	if said, ok := c.Detail.(*StopCause); ok {
		if said.Hard == c.Hard {
			return said
		}
		other := *said
		other.Hard = c.Hard
		return &other
	}
	said := &StopCause{Hard: c.Hard, After: c.After}
	var m *member
	if c.Replica >= 0 && int(c.Replica) < len(r.members) {
		m = r.members[c.Replica]
	}
	if m != nil {
		said.Worker = m.path()
	}
	switch c.Reason {
	case engine.Requested:
		said.Reason = StopRequested
	case engine.Failure:
		said.Reason = StopFailure
		if v, ok := c.Err.(*verdict); ok && v.worker != "" {
			said.Worker, said.Err = v.worker, v.failure
		} else if m != nil {
			said.Err = m.err()
			if left, ok := said.Err.(*WorkerError); ok && left.Kind == ErrAbandoned {
				said.Worker = left.Name
			}
		}
	case engine.Essential:
		said.Reason = StopEssential
	case engine.GraceExpired:
		said.Reason, said.Worker = StopGraceExpired, ""
	case engine.Restart:
		said.Reason = StopRestart
	case engine.Replaced:
		said.Reason = StopReplaced
	case engine.Completed:
		said.Reason, said.Worker = StopCompleted, ""
	}
	return said
}

// endingOf is the ending with that cause.
func (r *run) endingOf(cause *StopCause) *ending {
	if last := r.lastEnding; last != nil && last.cause == cause {
		return last
	}
	e := r.endings[cause]
	if e == nil {
		e = newEnding(cause)
		r.endings[cause] = e
	}
	r.lastEnding = e
	return e
}

var (
	completed     = newEnding(&StopCause{Reason: StopCompleted})
	completedHard = newEnding(&StopCause{Reason: StopCompleted, Hard: true})

	_ = completedHard.over() // now, since a channel that is made in a bubble of testing/synctest belongs to that
)

// endingsLocked are how the contexts of an attempt end at its own end at the latest.
func (r *run) endingsLocked(a *attempt) (soft, hard *ending) {
	e := a.soft.ended()
	if e == nil || e.cause.Reason == StopCompleted {
		return completed, completedHard
	}
	cause := *e.cause
	cause.Hard = true
	return e, newEnding(&cause)
}

// whyStopped is why the present attempt was told to stop, or cut; nil if it was not.
func (r *run) whyStopped(m *member) *StopCause {
	if m.id == forgotten || m.attempt() == nil {
		return nil
	}
	if c := r.engine.Cause(m.id); c != nil && r.engine.Plan(m.id).Told != 0 {
		return r.causeOf(c)
	}
	return nil
}
