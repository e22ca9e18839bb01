package engine

import (
	"math"
	"time"
)

// requestStop begins the stop that was asked for, after the lame duck if there is one.
func (e *Engine) requestStop(in SoftStop) {
	cause := in.Cause
	switch {
	case e.phase == GroupNew:
		e.begin()
		e.softStop(&cause)
	case e.phase != GroupRunning && !(in.Now && e.phase == GroupLameDuck):
	case in.Now || e.cfg.LameDuck <= 0 || !e.wasReady:
		e.softStop(&cause)
	default:
		e.duckAt, e.cause = e.now, &cause
		e.phase = GroupLameDuck
		e.emit(Action{Kind: Turn, Group: GroupLameDuck, Cause: &cause, Delay: e.cfg.LameDuck})
		e.timers.add(e.now+e.cfg.LameDuck, func() { e.softStop(&cause) })
	}
}

// softStop begins the stop of the group: nothing is started any more, and what nothing depends on is told.
func (e *Engine) softStop(cause *Cause) {
	if e.phase >= GroupStopping {
		return
	}
	from := e.now
	if e.phase == GroupLameDuck {
		from = e.duckAt
	}
	e.cause, e.stopAt = cause, e.now
	e.budget = e.newBudget(from)
	e.budget.depth = e.depthRunning()
	e.turn(GroupStopping, cause)
	e.setBackstop(e.budget.ends + e.budget.wait)
	if e.cfg.Remind {
		e.remindIn(firstReminder)
	}
	for id := range e.replicas { // first what does not run
		if r := &e.replicas[id]; r.is(exists) && !r.phase.Running() && !r.phase.Ended() {
			e.endIdle(ReplicaID(id), cause)
		}
	}
	for id := range e.replicas {
		r := &e.replicas[id]
		if !r.is(exists) {
			continue
		}
		if r.plan != nil && r.phase.Running() { // it stops alone, and must not last longer than its share
			e.shorten(ReplicaID(id))
		}
	}
	e.sweep = 0
}

// shorten takes from a replica that was stopped alone what it has beyond its share of the stop of the group.
func (e *Engine) shorten(id ReplicaID) {
	hardAt, abandonAt := e.timesFor(id)
	p := e.replicas[id].plan
	hardAt, abandonAt = min(hardAt, p.hardAt), min(abandonAt, p.abandonAt)
	if hardAt == p.hardAt && abandonAt == p.abandonAt {
		return
	}
	e.setPlan(id, p.told, hardAt, max(abandonAt, hardAt))
	e.emit(Action{Kind: Moved, Replica: id, Attempt: e.replicas[id].attempt})
}

// tell begins the soft stop of a replica.
func (e *Engine) tell(id ReplicaID, cause *Cause) {
	e.planStop(id)
	e.enter(id, Stopping, Action{Cause: cause}, func(r *replica) { r.cause = cause })
	if p := e.replicas[id].plan; p.hardAt <= e.now { // there was no time left
		e.cut(id, &Cause{Hard: true, Reason: GraceExpired, After: p.hardAt - p.told})
	}
}

// cut begins the hard stop of a replica.
func (e *Engine) cut(id ReplicaID, cause *Cause) {
	if e.phase == GroupStopping && e.now >= e.budget.ends {
		e.groupCut(cause)
	}
	e.enter(id, Cut, Action{Cause: cause}, func(r *replica) { r.cause = cause })
}

// groupCut tells, once, that the whole group was cut.
func (e *Engine) groupCut(cause *Cause) {
	if !e.wasCut {
		e.wasCut = true
		e.emit(Action{Kind: GroupCut, Cause: cause})
	}
}

// hardStop cuts what has been told to stop, and shares the time that is left among it and what has not.
func (e *Engine) hardStop(cause Cause) {
	if e.phase == GroupOver || e.budget.hard != nil {
		return
	}
	if e.phase == GroupNew {
		e.begin()
	}
	cause.Hard = true
	if e.phase < GroupStopping {
		soft := cause
		soft.Hard = false
		if e.phase == GroupLameDuck {
			soft = *e.cause
		}
		e.softStop(&soft)
		e.settleQueue(math.MaxInt)
	}
	b := &e.budget
	total := min(e.cfg.HardStop, b.ends+b.wait-e.now) // the stop does not get longer by it
	if e.bounds.AbandonAt > 0 {
		total = min(total, WithoutMargin(e.bounds.AbandonAt-e.now))
	}
	total = max(total, 0)
	b.hard, b.cutFrom, b.depth = &cause, e.now, e.depthRunning()
	b.slot = total / time.Duration(b.depth+1)
	e.groupCut(&cause)
	e.setBackstop(e.now + total)
	for id := range e.replicas {
		r := &e.replicas[id]
		if !r.is(exists) || r.phase != Stopping && r.phase != Cut {
			continue
		}
		e.planCutNow(ReplicaID(id))
		if r.phase == Stopping {
			e.cut(ReplicaID(id), &cause)
		}
	}
}

// planCutNow gives a replica that is cut now the end of its slot.
func (e *Engine) planCutNow(id ReplicaID) {
	_, abandonAt := e.timesFor(id)
	told := e.now
	if p := e.replicas[id].plan; p != nil {
		told, abandonAt = p.told, min(abandonAt, p.abandonAt)
	}
	e.setPlan(id, told, e.now, max(abandonAt, e.now))
	e.emit(Action{Kind: Moved, Replica: id, Attempt: e.replicas[id].attempt})
}

// abandon gives a replica up. Its attempt has ended for everything that waits for it.
func (e *Engine) abandon(id ReplicaID) {
	e.cutNow(id)
	e.leavePlan(id)
	owned := e.isOwned(id)
	e.enter(id, Abandoned, Action{Cause: e.replicas[id].cause}, nil)
	if e.phase < GroupStopping && (!owned || e.frozen) { // it was to restart, and cannot
		e.softStop(&Cause{Reason: Failure, Replica: id})
	}
}

// causeFor is why a replica stops that has not been told.
func (e *Engine) causeFor(id ReplicaID) *Cause {
	if r := &e.replicas[id]; e.cause == nil && r.cause != nil {
		return r.cause
	}
	return e.cause
}

// isOwned reports whether the end of a replica is the business of an operation, and not of the group.
func (e *Engine) isOwned(id ReplicaID) bool {
	r := &e.replicas[id]
	return r.wanted == Down || r.wanted == Gone || r.is(joining)
}

// setBackstop sets the end of the stop: then the group is over whatever the state is, and whatever is counted.
func (e *Engine) setBackstop(at Time) {
	e.timers.cancel(e.backstop)
	e.backstop = e.timers.add(at, func() {
		e.overdue = e.running > 0 || e.open > 0
		e.endAll(e.cause)
		e.spent = true
	})
	e.backstop.abandons = new(plan)
}

// endAll is the backstop behind every decision: nothing runs after it.
func (e *Engine) endAll(cause *Cause) {
	for id := range e.replicas {
		r := &e.replicas[id]
		switch {
		case !r.is(exists):
		case r.phase.Running():
			e.abandon(ReplicaID(id))
		case !r.phase.Ended():
			e.endIdle(ReplicaID(id), cause)
		}
	}
}

// force ends everything at once.
func (e *Engine) force(in Force) {
	switch e.phase {
	case GroupOver:
		return
	case GroupNew:
		e.begin()
	}
	cause := in.Cause
	e.softStop(&cause)
	e.settleQueue(math.MaxInt)
	e.endAll(&cause)
}

// cutNow takes a replica to its hard stop, by way of its soft stop.
func (e *Engine) cutNow(id ReplicaID) {
	r := &e.replicas[id]
	if r.phase == Starting || r.phase == Ready {
		e.tell(id, e.causeFor(id))
	}
	if r.phase == Stopping {
		hard := *r.cause
		hard.Hard = true
		e.cut(id, &hard)
	}
}
