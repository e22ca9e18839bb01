package engine

// facts is what members, versions and the group count of a replica. It follows from the replica alone.
type facts struct{ counted, satisfied, dead, running, pending, open bool }

func (r *replica) facts() (f facts) {
	if !r.is(exists) {
		return f
	}
	ended := r.phase.Ended()
	f.counted = r.wanted != Gone && !r.is(joining)
	f.running = r.phase.Running()
	f.satisfied = f.counted && r.wanted == Run && r.is(good) && (ended || r.phase == Ready)
	f.dead = f.counted && r.wanted == Run && ended && !r.is(good)
	f.pending = f.counted && r.wanted <= Again && !ended && !r.is(wasGood)
	f.open = r.wanted == Down || !ended
	return f
}

// change makes a change to a replica and accounts for it. Every change of a replica goes through here.
func (e *Engine) change(id ReplicaID, do func(r *replica)) {
	r := &e.replicas[id]
	before := r.facts()
	do(r)
	e.account(id, before, r.facts())
	if r.is(watched) {
		e.opsDirty = true
	}
	e.enqueue(id)
}

// account counts the difference that a change of a replica has made, and queues whom it concerns.
func (e *Engine) account(id ReplicaID, before, after facts) {
	if before == after {
		return
	}
	r := &e.replicas[id]
	e.pending += int(delta(before.pending, after.pending))
	e.open += int(delta(before.open, after.open))
	if d := int(delta(before.running, after.running)); d != 0 {
		e.running += d
		e.countRunning(r.version, d)
	}
	l := e.members[r.member].links
	if l == nil {
		return
	}
	wasSatisfied, wasDead := l.isSatisfied(), l.dead > 0
	l.add(before, -1)
	l.add(after, 1)
	if now := l.isSatisfied(); now != wasSatisfied {
		d := 1
		if now {
			d = -1
		}
		for _, user := range l.users {
			user.unmet += d
			if user.requires(r.member) {
				user.unmetReq += d
			}
			e.enqueueVersion(user)
		}
	}
	if now := l.dead > 0; now != wasDead {
		for _, user := range l.users {
			user.dead += int(delta(wasDead, now))
			e.enqueueVersion(user)
		}
	}
}

func delta(before, after bool) int32 {
	switch {
	case before == after:
		return 0
	case after:
		return 1
	}
	return -1
}

// countRunning counts a replica of a version in or out, for what the version depends on.
func (e *Engine) countRunning(v *version, d int) {
	for _, dep := range v.deps {
		l := e.members[dep].links
		l.running += d
		idle := l.running == 0
		if v.requires(dep) {
			l.requiring += d
			idle = idle || l.requiring == 0
		}
		if idle {
			e.enqueueMember(dep)
		}
	}
}

func (e *Engine) enqueue(id ReplicaID) {
	if r := &e.replicas[id]; r.is(exists) && !r.is(queued) {
		r.set(queued)
		e.queue = append(e.queue, id)
	}
}

func (e *Engine) enqueueMember(id MemberID) {
	for r := e.members[id].first; r != none; r = e.replicas[r].next {
		e.enqueue(r)
	}
}

func (e *Engine) enqueueVersion(v *version) {
	for r := e.members[v.member].first; r != none; r = e.replicas[r].next {
		if e.replicas[r].version == v {
			e.enqueue(r)
		}
	}
}
