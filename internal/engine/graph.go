package engine

import "slices"

// links are what only some members have.
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
	if f&counted != 0 {
		t.counted += n
	}
	if f&satisfied != 0 {
		t.satisfied += n
	}
	if f&dead != 0 {
		t.dead += n
	}
}

// isSatisfied reports whether what depends on the member may start. A member without replicas is satisfied.
func (t *tally) isSatisfied() bool { return t.satisfied == t.counted }

// Requiring reports whether a replica runs that requires the member, so that it stops when one of the member's does.
func (e *Engine) Requiring(id MemberID) bool { return e.requiredByRunning(id) }

// linksOf are the member's, nil if it has none.
func (e *Engine) linksOf(id MemberID) *links {
	if t := e.replicas[id].ties; t != nil {
		return t.links
	}
	return nil
}

// link are the member's links, made if need be.
func (e *Engine) link(id MemberID) *links {
	t := e.tied(ReplicaID(id))
	if t.links == nil {
		t.links = &links{tally: e.tally(id)}
	}
	return t.links
}

// tally counts the replicas of a member.
func (e *Engine) tally(id MemberID) (t tally) {
	for _, r := range e.replicasOf(id) {
		t.add(r.facts(), 1)
	}
	return t
}

// add puts a member into the graph.
func (e *Engine) add(in Add) {
	id := MemberID(e.newRecord())
	e.replicas[id].set(here)
	v := e.newVersion(id, in.Spec)
	if len(v.deps) > 0 {
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
		e.link(id).version = v
	}
}

// isParked reports whether the member is there and has no replicas. Such a member keeps the group from being over.
func (e *Engine) isParked(id MemberID) bool { return e.replicas[id].is(here) && e.first(id) == none }

// freeMember takes a member without replicas out of the graph. What depended on it has ended, or is ending, and does so no
// more.
func (e *Engine) freeMember(id MemberID) {
	if l := e.linksOf(id); l != nil {
		for _, user := range l.users {
			is := func(dep MemberID) bool { return dep == id }
			user.After = slices.DeleteFunc(slices.Clone(user.After), is)
			user.Requires = slices.DeleteFunc(slices.Clone(user.Requires), is)
			user.deps = slices.DeleteFunc(user.deps, is) // the member is satisfied: it has no replicas
			e.depths = nil
		}
		if l.version != nil && l.version != plainVersion && l.version.replicas == 0 {
			e.unlink(l.version)
		}
	}
	e.replicas[id].clear(here | leaving)
	e.free = append(e.free, ReplicaID(id))
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
	var last *version
	visit := func(v *version) {
		if v != last {
			last = v
			for _, dep := range v.deps {
				do(dep)
			}
		}
	}
	for _, r := range e.replicasOf(id) {
		visit(r.version())
	}
	if l := e.linksOf(id); l != nil && l.version != nil {
		visit(l.version)
	}
}

// Removing reports whether the member is on its way out, so that nothing may be added after it.
func (e *Engine) Removing(id MemberID) bool { return !e.replicas[id].is(here) }
