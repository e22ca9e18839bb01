package engine

import "slices"

// end ends an operation.
func (e *Engine) end(op *operation, result Result, user MemberID) {
	e.ops = slices.DeleteFunc(e.ops, func(other *operation) bool { return other == op })
	e.emit(Action{Kind: Done, Op: op.id, Result: result, Member: user})
	for _, t := range op.targets {
		if t.replica != none {
			e.replicas[t.replica].clear(watched)
		}
	}
	if op.old != none {
		e.replicas[op.old].clear(watched)
	}
	for _, other := range e.ops {
		e.watch(other)
	}
	if v := op.version; v != nil && v != plainVersion && v.replicas == 0 && e.versionOf(op.member) != v {
		e.unlink(v)
	}
}

// reviewOps ends the operations that have come to their end, and goes on with the others.
func (e *Engine) reviewOps() {
	for _, op := range slices.Clone(e.ops) {
		if result, ended := e.review(op); ended {
			e.end(op, result, 0)
		}
	}
}

// review reports whether an operation has ended, and how.
func (e *Engine) review(op *operation) (result Result, ended bool) {
	leaving := e.phase >= GroupStopping
	if op.failed {
		made := func(t target) bool { return t.made && t.replica != none && e.replicas[t.replica].wanted == Gone }
		return op.result, leaving || !slices.ContainsFunc(op.targets, made)
	}
	switch op.kind.(type) {
	case Suspend, Remove:
		for _, t := range op.targets {
			if t.replica == none {
				continue
			}
			if r := &e.replicas[t.replica]; !r.phase.Ended() && r.wanted >= Down && r.attempt == t.after {
				return OK, false
			}
		}
		return OK, true
	}
	if leaving {
		return Leaving, true
	}
	up := true
	for _, t := range op.targets {
		switch e.reviewTarget(t, op) {
		case failedTarget:
			e.takeBack(op, func(*replica) bool { return true })
			op.failed, op.result = true, NotReady
			return e.review(op)
		case busyTarget:
			up = false
		}
	}
	if _, ok := op.kind.(Replace); ok && up {
		return e.reviewReplace(op)
	}
	return OK, up
}

type targetState uint8

const (
	busyTarget targetState = iota
	readyTarget
	failedTarget
)

// reviewTarget reports whether a replica is what the operation asked for.
func (e *Engine) reviewTarget(t target, op *operation) targetState {
	if t.replica == none {
		if _, ok := op.kind.(Scale); ok && !t.made {
			return readyTarget // it was to go
		}
		return failedTarget
	}
	r := &e.replicas[t.replica]
	goneByScale := false
	if _, ok := op.kind.(Scale); ok && !t.made {
		goneByScale = true
	}
	switch {
	case goneByScale:
		return busyTarget
	case r.attempt <= t.after && !r.phase.Ended():
		if r.wanted == Down || r.wanted == Gone {
			return failedTarget // another operation wants otherwise
		}
		return busyTarget
	case r.is(good) && r.wanted == Run && (r.phase == Ready || r.phase.Ended()):
		return readyTarget
	case r.phase.Ended(), r.phase == Restarting, r.wanted == Down, r.wanted == Gone, r.is(late):
		return failedTarget
	}
	return busyTarget
}

// reviewReplace goes on when the new replica is ready.
func (e *Engine) reviewReplace(op *operation) (result Result, ended bool) {
	switch {
	case op.old != none:
		if e.replicas[op.old].wanted != Gone {
			e.want(op.old, Gone, &Cause{Reason: Replaced, Replica: op.old})
		}
		return OK, false
	case len(op.waiting) > 0:
		e.replaceNext(op)
		return OK, false
	}
	if l := e.linksOf(op.member); l != nil && l.version != nil && l.version != op.version && e.whole(op) {
		old := l.version
		l.version = op.version
		if old != plainVersion && old.replicas == 0 {
			e.unlink(old)
		}
	}
	return OK, true
}

// whole reports whether a replacement was of all replicas, at once or one by one.
func (e *Engine) whole(op *operation) bool {
	other := func(id ReplicaID) bool { return e.replicas[id].version() != op.version }
	return op.kind.(Replace).Index == All || !slices.ContainsFunc(e.present(op.member, All), other)
}
