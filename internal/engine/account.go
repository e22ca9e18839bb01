package engine

// facts are what members, versions and the group count of a replica. They follow from the replica alone.
type facts uint8

const (
	counted   facts = 1 << iota // for what depends on its member
	satisfied                   // counted, and ready, or it was and has ended by itself
	dead                        // counted, and ended without having been ready
	running                     // its function runs
	pending                     // the group's readiness waits for it
	open                        // it keeps the group from being over
)

func (r *replica) facts() (f facts) {
	if !r.is(exists) {
		return 0
	}
	ended := r.phase.Ended()
	if !ended || r.wanted == Down {
		f = open
	}
	if r.phase.Running() {
		f |= running
	}
	if r.wanted == Gone || r.is(joining) {
		return f
	}
	f |= counted
	switch {
	case r.wanted == Run && r.is(good) && (ended || r.phase == Ready):
		f |= satisfied
	case r.wanted == Run && ended && !r.is(good):
		f |= dead
	}
	if r.wanted <= Again && !ended && !r.is(wasGood) {
		f |= pending
	}
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
	e.pending += delta(pending, before, after)
	e.open += delta(open, before, after)
	t := e.replicas[id].ties
	if d := delta(running, before, after); d != 0 {
		e.running += d
		if t != nil {
			e.countRunning(t.version, d)
		}
	}
	if t == nil {
		return
	}
	l := e.linksOf(t.member)
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
			if user.requires(t.member) {
				user.unmetReq += d
			}
			e.enqueueVersion(user)
		}
	}
	if now := l.dead > 0; now != wasDead {
		d := 1
		if wasDead {
			d = -1
		}
		for _, user := range l.users {
			user.dead += d
			e.enqueueVersion(user)
		}
	}
}

// delta is by how much the number of replicas of which the fact holds has changed.
func delta(fact, before, after facts) int {
	d := 0
	if after&fact != 0 {
		d++
	}
	if before&fact != 0 {
		d--
	}
	return d
}

// countRunning counts a replica of a version in or out, for what the version depends on.
func (e *Engine) countRunning(v *version, d int) {
	for _, dep := range v.deps {
		l := e.linksOf(dep)
		l.running += d
		idle := l.running == 0
		if v.requires(dep) {
			l.requiring += d
			idle = idle || l.requiring == 0
		}
		if idle {
			for id := range e.replicasOf(dep) {
				e.enqueue(id)
			}
		}
	}
}

// enqueue puts a replica into the queue if it is one of which consider may find something due.
func (e *Engine) enqueue(id ReplicaID) {
	r := &e.replicas[id]
	if told := r.phase == Stopping || r.phase == Cut; told || !r.is(exists) || r.is(queued) || r.phase.Ended() && r.wanted != Gone {
		return
	}
	r.set(queued)
	e.queue = append(e.queue, id)
}

func (e *Engine) enqueueVersion(v *version) {
	for id, r := range e.replicasOf(v.member) {
		if r.version() == v {
			e.enqueue(id)
		}
	}
}
