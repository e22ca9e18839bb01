package engine

// settleQueue does what is due for each queued replica, for those that this queues, and then for those that a sweep has not come
// to, until nothing is due or there are that many actions. It reports whether nothing is due.
func (e *Engine) settleQueue(most int) bool {
	for {
		if len(e.actions) >= most {
			return false
		}
		id := e.sweep
		switch {
		case e.at < len(e.queue):
			id = e.queue[e.at]
			e.at++
			e.replicas[id].clear(queued)
		case int(id) < len(e.replicas):
			e.sweep++
		default:
			e.at = 0
			if e.queue = e.queue[:0]; cap(e.queue) > ordinaryPiece {
				e.queue = nil
			}
			return true
		}
		if e.replicas[id].is(exists) && e.phase != GroupNew {
			e.consider(id)
		}
	}
}

// consider does what is due for a replica, if anything is. It decides from the present state alone, so it may be called
// at any time and any number of times.
func (e *Engine) consider(id ReplicaID) {
	r := &e.replicas[id]
	switch {
	case r.phase.Ended():
		if r.wanted == Gone {
			e.forget(id)
		}
	case !r.phase.Running():
		e.considerIdle(id)
	case r.phase == Starting || r.phase == Ready:
		e.considerRunning(id)
	}
}

// considerIdle starts a replica that waits, or ends it.
func (e *Engine) considerIdle(id ReplicaID) {
	r := &e.replicas[id]
	v := r.version()
	never := r.attempt == 0
	switch {
	case e.phase >= GroupStopping:
		e.endIdle(id, e.cause)
	case r.wanted == Gone || r.wanted == Down:
		e.endIdle(id, r.cause)
	case never && v.dead > 0:
		e.endIdle(id, e.causeOfDeath(v))
	case never && (v.unmet > 0 || e.phase != GroupRunning):
	case v.unmetReq > 0 || r.is(waits) || e.frozen:
	case !never && e.requiredByRunning(e.member(id)):
	default:
		e.start(id)
	}
}

// considerRunning begins the soft stop of a replica if it is due.
func (e *Engine) considerRunning(id ReplicaID) {
	r := &e.replicas[id]
	switch {
	case e.phase >= GroupStopping:
		if l := e.linksOf(e.member(id)); l == nil || l.running == 0 {
			e.tell(id, e.cause)
		}
	case r.wanted == Gone:
		m := e.member(id)
		if l := e.linksOf(m); l == nil || l.running == 0 || !e.replicas[m].is(leaving) {
			e.tell(id, r.cause)
		}
	case r.wanted == Down || r.wanted == Again:
		if r.is(joining) || !e.requiredByRunning(e.member(id)) { // nothing counts on what joins
			e.tell(id, r.cause)
		}
	case r.version().unmetReq > 0:
		e.want(id, Again, e.causeToFollow(r.version()))
	}
}

// requiredByRunning reports whether a replica runs that requires the member.
func (e *Engine) requiredByRunning(id MemberID) bool {
	l := e.linksOf(id)
	return l != nil && l.requiring > 0
}

// causeToFollow is why something stops that requires what is not satisfied: what that stops for, or its restart.
func (e *Engine) causeToFollow(v *version) *Cause {
	id := e.findReplica(v.Requires, func(f facts) bool { return f&(counted|satisfied) == counted })
	if id != none {
		if r := &e.replicas[id]; r.cause != nil && (r.phase == Starting || r.phase == Ready) {
			return r.cause
		}
	}
	return &Cause{Reason: Restart, Replica: id}
}

// causeOfDeath is why a replica that waits does not start any more.
func (e *Engine) causeOfDeath(v *version) *Cause {
	id := e.findReplica(v.deps, func(f facts) bool { return f&dead != 0 })
	cause := &Cause{Reason: Failure, Replica: id}
	if id != none && e.replicas[id].cause != nil {
		cause.Err = e.replicas[id].cause.Err
	}
	return cause
}

func (e *Engine) findReplica(members []MemberID, is func(facts) bool) ReplicaID {
	for _, m := range members {
		for id, r := range e.replicasOf(m) {
			if is(r.facts()) {
				return id
			}
		}
	}
	return none
}

// enter moves a replica to a phase and tells of it. Every change of a phase goes through here.
func (e *Engine) enter(id ReplicaID, to Phase, a Action, also func(r *replica)) {
	a.Owned = e.isOwned(id) && !e.leaving()
	if e.replicas[id].phase == Starting {
		if h := e.restarts[id]; h != nil {
			e.timers.cancel(h.startBy)
			h.startBy = nil
		}
	}
	e.change(id, func(r *replica) {
		verifyEnter(r, to)
		r.phase = to
		if also != nil {
			also(r)
		}
	})
	r := &e.replicas[id]
	a.Kind, a.Phase, a.Replica, a.Attempt = Enter, to, id, r.attempt
	e.emit(a)
}

// want changes what is asked of a replica, and why.
func (e *Engine) want(id ReplicaID, wanted Wanted, cause *Cause) {
	e.change(id, func(r *replica) {
		r.wanted = wanted
		if !r.phase.Running() || r.phase < Stopping {
			r.cause = cause
		}
	})
}

// start begins a new attempt.
func (e *Engine) start(id ReplicaID) {
	e.attempts++
	attempt := e.attempts
	e.enter(id, Starting, Action{}, func(r *replica) {
		r.attempt, r.plan, r.cause, r.wanted = attempt, nil, nil, Run
		r.clear(good | late | forced)
	})
	v := e.replicas[id].version()
	if v.Restart.When != Never {
		e.historyOf(id).started = e.now
	}
	if within := v.ReadyWithin; within > 0 {
		e.historyOf(id).startBy = e.timers.add(e.now+within, func() { e.lateStart(id, attempt) })
	}
}

// becameReady is the end of a start.
func (e *Engine) becameReady(id ReplicaID, attempt Attempt) {
	if !e.isPresent(id, attempt) || e.replicas[id].phase != Starting {
		return
	}
	e.enter(id, Ready, Action{}, func(r *replica) {
		r.set(good | wasGood)
		r.clear(joining)
	})
}

// isPresent reports whether an attempt is the present one of its replica and has not ended.
func (e *Engine) isPresent(id ReplicaID, attempt Attempt) bool {
	if id < 0 || int(id) >= len(e.replicas) {
		return false
	}
	r := &e.replicas[id]
	return r.is(exists) && r.attempt == attempt && r.phase.Running()
}

// lateStart is the end of the time in which an attempt had to become ready.
func (e *Engine) lateStart(id ReplicaID, attempt Attempt) {
	r := &e.replicas[id]
	if !e.isPresent(id, attempt) || r.phase != Starting {
		return
	}
	e.change(id, func(r *replica) { r.set(late) })
	e.emit(Action{Kind: Overdue, Replica: id, Attempt: attempt})
	switch {
	case e.phase >= GroupStopping: // it is told in its turn
	case r.wanted != Run: // likewise
	case r.is(joining), r.version().Optional, r.version().Restart.When != Never:
		e.want(id, Again, &Cause{Reason: Restart, Replica: id})
	default:
		e.softStop(&Cause{Reason: Failure, Replica: id})
	}
}

// endIdle ends a replica whose function does not run.
func (e *Engine) endIdle(id ReplicaID, cause *Cause) {
	e.dropBackOff(id)
	e.enter(id, Stopped, Action{Cause: cause}, func(r *replica) {
		if r.cause == nil {
			r.cause = cause
		}
	})
}
