package engine

import "fmt"

// recount derives again what the engine counts, and says what is wrong.
func (e *Engine) recount() error {
	running, pending, open := 0, 0, 0
	for id := range e.members {
		if err := e.recountMember(MemberID(id)); err != nil {
			return err
		}
		if e.members[id].isParked() {
			open++
		}
	}
	for id := range e.replicas {
		r := &e.replicas[id]
		if !r.is(exists) {
			continue
		}
		f := r.facts()
		count := func(n *int, is bool) {
			if is {
				*n++
			}
		}
		count(&running, f.running)
		count(&pending, f.pending)
		count(&open, f.open)
		if err := e.recountVersion(r.version); err != nil {
			return err
		}
		if err := e.overlooked(ReplicaID(id)); err != nil {
			return err
		}
	}
	if running != e.running || pending != e.pending || open != e.open {
		return fmt.Errorf("running, pending, open: counted %d, %d, %d, are %d, %d, %d", e.running, e.pending, e.open, running, pending, open)
	}
	return nil
}

func (e *Engine) recountMember(id MemberID) error {
	m := &e.members[id]
	if m.state == memberFree {
		return nil
	}
	places := map[int32]bool{} // one replica in each, but for one that is to replace it and is not ready yet
	for r := m.first; r != none; r = e.replicas[r].next {
		if rep := &e.replicas[r]; !rep.is(exists) || rep.member != id {
			return fmt.Errorf("member %d has replica %d, which is not its own", id, r)
		} else if rep.wanted != Gone && !rep.is(joining) {
			if places[rep.index] && !e.leaving() {
				return fmt.Errorf("member %d has two replicas in the place %d", id, rep.index)
			}
			places[rep.index] = true
		}
	}
	if m.links == nil {
		return nil
	}
	if again := e.tally(m); again != m.links.tally {
		return fmt.Errorf("member %d: the tally is %+v, and should be %+v", id, m.links.tally, again)
	}
	users, requiring := 0, 0
	for _, v := range m.links.users {
		if err := e.recountVersion(v); err != nil {
			return err
		}
		for r := e.members[v.member].first; r != none; r = e.replicas[r].next {
			if rep := &e.replicas[r]; rep.version == v && rep.phase.Running() {
				users++
				if v.requires(id) {
					requiring++
				}
			}
		}
	}
	if users != m.links.running || requiring != m.links.requiring {
		return fmt.Errorf("member %d: running users %d, requiring %d, and should be %d, %d", id, m.links.running, m.links.requiring, users, requiring)
	}
	return nil
}

func (e *Engine) recountVersion(v *version) error {
	unmet, unmetReq, dead := 0, 0, 0
	for _, dep := range v.deps {
		m := &e.members[dep]
		if m.state == memberFree || m.links == nil {
			return fmt.Errorf("a version of member %d depends on %d, which is gone", v.member, dep)
		}
		if !m.links.isSatisfied() {
			unmet++
			if v.requires(dep) {
				unmetReq++
			}
		}
		if m.links.dead > 0 {
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
	say := func(what string) error {
		return fmt.Errorf("replica %d of member %d, %v: %s", id, r.member, r.phase, what)
	}
	idle := !r.phase.Running() && !r.phase.Ended()
	told := r.phase == Stopping || r.phase == Cut
	runs := r.phase.Running()
	users, requiring := 0, 0
	for other := range e.replicas {
		if u := &e.replicas[other]; u.is(exists) && u.phase.Running() {
			for _, dep := range u.version.deps {
				if dep == r.member {
					users++
					if u.version.requires(dep) {
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
	case r.wanted == Gone && !told && (idle || runs && (users == 0 || e.members[r.member].state == memberHere)):
		return say("it is to go, and was not told")
	case r.wanted == Gone && r.phase.Ended():
		return say("it is to go, has ended, and was not forgotten")
	case r.wanted == Down && idle:
		return say("it is to be down, and waits")
	case e.phase < GroupStopping && (r.wanted == Down || r.wanted == Again) && runs && !told && requiring == 0:
		return say("it is to stop, nothing that requires it runs, and it was not told")
	case r.phase == Ready && r.wanted == Run && e.phase < GroupStopping && r.version.unmetReq > 0:
		return say("something that it requires is not ready, and it runs on")
	case idle && r.wanted == Run && e.phase == GroupRunning && !e.frozen && !r.is(waits) && r.version.unmet == 0 && (r.attempt == 0 || requiring == 0):
		return say("all that it needs is ready, and it does not start")
	}
	return nil
}
