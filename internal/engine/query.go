package engine

import "time"

// Grace is the group's grace period: that of its stop, once it has begun.
func (e *Engine) Grace() time.Duration {
	if e.stopAt > 0 {
		return e.budget.grace
	}
	return e.cfg.Grace
}

// Overdue reports whether something was left when the time of the stop was over.
func (e *Engine) Overdue() bool { return e.overdue }

// WasReady reports whether the GroupReady action has come.
func (e *Engine) WasReady() bool { return e.wasReady }

// Next is when the next Tick is due; 0 means never.
func (e *Engine) Next() Time {
	return e.timers.next()
}

// Abandons are the replicas that a Tick now abandons, so that the caller can look at them before: it decides again at the Tick.
func (e *Engine) Abandons(now Time) (list []ReplicaID) {
	e.timers.postpone(now)
	for _, t := range e.timers.heap {
		if t.at > now || t.abandons == nil {
			continue
		}
		for id := range e.replicas {
			if r := &e.replicas[id]; r.is(exists) && r.phase.Running() && (t == e.backstop || r.plan == t.abandons) {
				list = append(list, ReplicaID(id))
			}
		}
	}
	return list
}

// Cause is why the replica was told to stop in its present attempt, or is about to be.
func (e *Engine) Cause(id ReplicaID) *Cause { return e.replicas[id].cause }

// Wanted is what is asked of the replica.
func (e *Engine) Wanted(id ReplicaID) Wanted { return e.replicas[id].wanted }

// Phase is what the replica does, and in which attempt.
func (e *Engine) Phase(id ReplicaID) (Phase, Attempt) {
	r := &e.replicas[id]
	return r.phase, r.attempt
}
