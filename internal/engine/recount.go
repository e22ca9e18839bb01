package engine

import "fmt"

// recount derives again what the engine counts, and says what is wrong.
func (e *Engine) recount() error {
	nRunning, nPending, nOpen := 0, 0, 0
	for id := range e.replicas {
		if err := e.recountMember(MemberID(id)); err != nil {
			return err
		}
		if e.isParked(MemberID(id)) {
			nOpen++
		}
	}
	for id := range e.replicas {
		r := &e.replicas[id]
		if !r.is(exists) {
			continue
		}
		f := r.facts()
		nRunning += delta(running, 0, f)
		nPending += delta(pending, 0, f)
		nOpen += delta(open, 0, f)
		if err := e.recountVersion(r.version()); err != nil {
			return err
		}
		if err := e.overlooked(ReplicaID(id)); err != nil {
			return err
		}
	}
	if nRunning != e.running || nPending != e.pending || nOpen != e.open {
		return fmt.Errorf("running, pending, open: counted %d, %d, %d, are %d, %d, %d", e.running, e.pending, e.open, nRunning, nPending, nOpen)
	}
	return nil
}

func (e *Engine) recountMember(id MemberID) error {
	if !e.replicas[id].is(here | leaving) {
		return nil
	}
	places := map[int]bool{} // one replica in each, but for one that is to replace it and is not ready yet
	for at, r := range e.replicasOf(id) {
		if !r.is(exists) || e.member(at) != id {
			return fmt.Errorf("member %d has replica %d, which is not its own", id, at)
		} else if index := e.Index(at); r.wanted != Gone && !r.is(joining) {
			if places[index] && !e.leaving() {
				return fmt.Errorf("member %d has two replicas in the place %d", id, index)
			}
			places[index] = true
		}
	}
	l := e.linksOf(id)
	if l == nil {
		return nil
	}
	if again := e.tally(id); again != l.tally {
		return fmt.Errorf("member %d: the tally is %+v, and should be %+v", id, l.tally, again)
	}
	users, requiring := 0, 0
	for _, v := range l.users {
		if err := e.recountVersion(v); err != nil {
			return err
		}
		for _, r := range e.replicasOf(v.member) {
			if r.version() == v && r.phase.Running() {
				users++
				if v.requires(id) {
					requiring++
				}
			}
		}
	}
	if users != l.running || requiring != l.requiring {
		return fmt.Errorf("member %d: running users %d, requiring %d, and should be %d, %d", id, l.running, l.requiring, users, requiring)
	}
	return nil
}

func (e *Engine) recountVersion(v *version) error {
	unmet, unmetReq, dead := 0, 0, 0
	for _, dep := range v.deps {
		l := e.linksOf(dep)
		if !e.replicas[dep].is(here|leaving) || l == nil {
			return fmt.Errorf("a version of member %d depends on %d, which is gone", v.member, dep)
		}
		if !l.isSatisfied() {
			unmet++
			if v.requires(dep) {
				unmetReq++
			}
		}
		if l.dead > 0 {
			dead++
		}
	}
	if unmet != v.unmet || unmetReq != v.unmetReq || dead != v.dead {
		return fmt.Errorf("a version of member %d: unmet, required, dead are %d, %d, %d, and should be %d, %d, %d", v.member, v.unmet, v.unmetReq, v.dead, unmet, unmetReq, dead)
	}
	return nil
}

// overlooked says what is due for a replica and was not done, by the words of the contract rather than by consider.
func (e *Engine) overlooked(id ReplicaID) error {
	r := &e.replicas[id]
	if e.phase == GroupNew || e.phase == GroupOver {
		return nil
	}
	member := e.member(id)
	say := func(what string) error {
		return fmt.Errorf("replica %d of member %d, %v: %s", id, member, r.phase, what)
	}
	idle := !r.phase.Running() && !r.phase.Ended()
	told := r.phase == Stopping || r.phase == Cut
	runs := r.phase.Running()
	users, requiring := 0, 0
	for other := range e.replicas {
		if u := &e.replicas[other]; u.is(exists) && u.phase.Running() {
			for _, dep := range u.version().deps {
				if dep == member {
					users++
					if u.version().requires(dep) {
						requiring++
					}
				}
			}
		}
	}
	switch {
	case e.phase >= GroupStopping && idle:
		return say("the group stops, and it has not ended")
	case e.phase >= GroupStopping && runs && !told && users == 0:
		return say("the group stops, nothing that depends on it runs, and it was not told")
	case r.wanted == Gone && !told && (idle || runs && (users == 0 || e.replicas[member].is(here))):
		return say("it is to go, and was not told")
	case r.wanted == Gone && r.phase.Ended():
		return say("it is to go, has ended, and was not forgotten")
	case r.wanted == Down && idle:
		return say("it is to be down, and waits")
	case e.phase < GroupStopping && (r.wanted == Down || r.wanted == Again) && runs && !told && requiring == 0:
		return say("it is to stop, nothing that requires it runs, and it was not told")
	case r.phase == Ready && r.wanted == Run && e.phase < GroupStopping && r.version().unmetReq > 0:
		return say("something that it requires is not ready, and it runs on")
	case idle && r.wanted == Run && e.phase == GroupRunning && !e.frozen && !r.is(waits) && r.version().unmet == 0 && (r.attempt == 0 || requiring == 0):
		return say("all that it needs is ready, and it does not start")
	}
	return nil
}
