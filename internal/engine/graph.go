package engine

import "slices"

// A member is a name in the group. Its replicas are a list through replica.next. There may be millions, so what only some
// have is in links.
type member struct {
	links *links // nil as long as nothing has depended on it, and it has no version of replicas to come
	first ReplicaID
	state memberState
}

type memberState uint8

const (
	memberFree memberState = iota // its identifier may be used again
	memberHere
	memberLeaving // it is being removed
)

// links is what only some members have.
type links struct {
	tally
	users     []*version // versions that depend on the member
	running   int        // running replicas of these
	requiring int        // running replicas of these that require the member
	version   *version   // of replicas to come
}

// A tally counts replicas of a member.
type tally struct {
	counted   int32 // those that count for what depends on the member
	satisfied int32 // of these, those that are ready, or were and have ended by themselves
	dead      int32 // of these, those that have ended without having been ready
}

func (t *tally) add(f facts, n int32) {
	if f.counted {
		t.counted += n
	}
	if f.satisfied {
		t.satisfied += n
	}
	if f.dead {
		t.dead += n
	}
}

// isSatisfied reports whether what depends on the member may start. A member without replicas is satisfied.
func (t *tally) isSatisfied() bool { return t.satisfied == t.counted }

// Requiring reports whether a replica runs that requires the member, so that it stops when one of the member's does.
func (e *Engine) Requiring(id MemberID) bool { return e.requiredByRunning(id) }

// linksOf are the member's, made if need be.
func (e *Engine) linksOf(id MemberID) *links {
	m := &e.members[id]
	if m.links == nil {
		m.links = &links{tally: e.tally(m)}
	}
	return m.links
}

// tally counts the replicas of a member.
func (e *Engine) tally(m *member) (t tally) {
	for r := m.first; r != none; r = e.replicas[r].next {
		t.add(e.replicas[r].facts(), 1)
	}
	return t
}

// add puts a member into the graph.
func (e *Engine) add(in Add) {
	var id MemberID
	if n := len(e.freeMembers); n > 0 {
		id = e.freeMembers[n-1]
		e.freeMembers = e.freeMembers[:n-1]
	} else {
		id = MemberID(len(e.members))
		e.members = append(e.members, member{})
	}
	e.members[id] = member{first: none, state: memberHere}
	v := e.newVersion(id, in.Spec)
	if e.depths != nil && len(v.deps) == 0 && int(id) == len(e.depths) {
		e.depths = append(e.depths, 0)
	} else {
		e.depths = nil
	}
	e.open++ // it is parked, as yet
	if in.Replicas == 0 {
		e.emit(Action{Kind: Added, Replica: none, Member: id, Index: -1})
	}
	for i := range in.Replicas {
		if in.Indices != nil {
			i = in.Indices[i]
		}
		e.addReplica(id, i, v, 0, 0)
	}
	if in.Replicas != 1 {
		e.linksOf(id).version = v
	}
}

// isParked reports whether the member is there and has no replicas. Such a member keeps the group from being over.
func (m *member) isParked() bool { return m.state == memberHere && m.first == none }

// freeMember takes a member without replicas out of the graph. What depended on it has ended, or is ending, and does so no
// more.
func (e *Engine) freeMember(id MemberID) {
	m := &e.members[id]
	if l := m.links; l != nil {
		for _, user := range l.users {
			is := func(dep MemberID) bool { return dep == id }
			user.After = slices.DeleteFunc(slices.Clone(user.After), is)
			user.Requires = slices.DeleteFunc(slices.Clone(user.Requires), is)
			user.deps = slices.DeleteFunc(user.deps, is) // the member is satisfied: it has no replicas
		}
		if l.version != nil && l.version != plainVersion && l.version.replicas == 0 {
			e.unlink(l.version)
		}
	}
	*m = member{first: none}
	e.freeMembers = append(e.freeMembers, id)
	e.depths = nil
}

// DependsOn reports whether a member starts after another, directly or not.
func (e *Engine) DependsOn(id, on MemberID) bool {
	seen := make(map[MemberID]bool)
	var visit func(MemberID) bool
	visit = func(id MemberID) (found bool) {
		if seen[id] {
			return false
		}
		seen[id] = true
		e.eachDep(id, func(dep MemberID) { found = found || dep == on || visit(dep) })
		return found
	}
	return visit(id)
}

// eachDep calls do with what any of the member's replicas depends on, and with what those to come do.
func (e *Engine) eachDep(id MemberID, do func(MemberID)) {
	m := &e.members[id]
	var last *version
	visit := func(v *version) {
		if v != last {
			last = v
			for _, dep := range v.deps {
				do(dep)
			}
		}
	}
	for r := m.first; r != none; r = e.replicas[r].next {
		visit(e.replicas[r].version)
	}
	if m.links != nil && m.links.version != nil {
		visit(m.links.version)
	}
}

// Removing reports whether the member is on its way out, so that nothing may be added after it.
func (e *Engine) Removing(id MemberID) bool { return e.members[id].state != memberHere }
