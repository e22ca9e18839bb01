package engine

import (
	"slices"
	"time"
)

// A Spec is how a replica lives.
type Spec struct {
	After       []MemberID // it starts when these are ready, and stops before them
	Requires    []MemberID // the same, and it restarts with them
	AwaitReady  bool       // it says by itself when it is ready
	ReadyWithin time.Duration
	StopWithin  time.Duration // its own limit, from its soft stop to its hard stop; 0 means none
	Restart     Policy
	Essential   bool // its end, however it ends, stops the group
	Optional    bool // its failure is its own
}

// plain reports whether the spec is that of a worker without options, which needs no version of its own.
func (s *Spec) plain() bool {
	return len(s.After) == 0 && len(s.Requires) == 0 && s.ReadyWithin == 0 && s.StopWithin == 0 &&
		s.Restart == Policy{} && !s.Essential && !s.Optional
}

// A version is a Spec in the graph. The replicas of a member share one, except while the member is being replaced.
type version struct {
	Spec
	member   MemberID
	deps     []MemberID // After and Requires, each once
	replicas int        // that have this version
	unmet    int        // deps that are not satisfied
	unmetReq int        // of these, the required ones
	dead     int        // deps that failed before they were ready, and do not start by themselves
}

// same reports whether two specs say the same.
func (s *Spec) same(other *Spec) bool {
	return slices.Equal(s.After, other.After) && slices.Equal(s.Requires, other.Requires) && s.AwaitReady == other.AwaitReady &&
		s.ReadyWithin == other.ReadyWithin && s.StopWithin == other.StopWithin && s.Restart == other.Restart &&
		s.Essential == other.Essential && s.Optional == other.Optional
}

// plainVersion is that of workers without options. Nothing in it is ever changed.
var plainVersion = new(version)

func (v *version) requires(id MemberID) bool { return slices.Contains(v.Requires, id) }

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

const none ReplicaID = -1

// A replica is one of the same. There may be millions, so it is small.
type replica struct {
	member  MemberID
	next    ReplicaID // the next replica of its member; none at the last
	attempt Attempt   // the present one, or the last
	index   int32     // among the replicas of its member
	phase   Phase
	wanted  Wanted
	marks   marks
	version *version
	plan    *plan  // of its stop; nil before
	cause   *Cause // of its stop, or of the stop that is asked for
}

type marks uint16

const (
	good    marks = 1 << iota // ready in this attempt, or completed
	wasGood                   // so it was in any attempt
	joining                   // it does not count before it is ready
	forced                    // start it again however it ends
	late                      // it was not ready in time
	queued                    // it is in Engine.queue
	watched                   // an operation waits for it
	waits                     // its back-off has not passed
	exists                    // its identifier is in use
)

func (r *replica) is(m marks) bool { return r.marks&m != 0 }

func (r *replica) set(m marks) { r.marks |= m }

func (r *replica) clear(m marks) { r.marks &^= m }

// present is the replicas of a member that are not on their way out, in the order of their indices.
func (e *Engine) present(id MemberID, index int) (list []ReplicaID) {
	for r := e.members[id].first; r != none; r = e.replicas[r].next {
		if rep := &e.replicas[r]; rep.wanted != Gone && (index == All || int(rep.index) == index) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b ReplicaID) int { return int(e.replicas[a].index - e.replicas[b].index) })
	return list
}

// Replicas are those of a member that are not on their way out, in the order of their indices. One that is to take the place of
// another comes after it.
func (e *Engine) Replicas(id MemberID) []ReplicaID { return e.present(id, All) }

// Requiring reports whether a replica runs that requires the member, so that it stops when one of the member's does.
func (e *Engine) Requiring(id MemberID) bool { return e.requiredByRunning(id) }

// NewIndices are those of the replicas that a Scale to n would make: the lowest that are free.
func (e *Engine) NewIndices(id MemberID, n int) (list []int) {
	n -= len(e.present(id, All))
	if n <= 0 {
		return nil
	}
	used := map[int]bool{}
	for r := e.members[id].first; r != none; r = e.replicas[r].next {
		used[int(e.replicas[r].index)] = true // also one on its way out
	}
	for i := 0; len(list) < n; i++ {
		if !used[i] {
			list = append(list, i)
		}
	}
	return list
}

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
		e.addReplica(id, i, v, 0)
	}
	if in.Replicas != 1 {
		e.linksOf(id).version = v
	}
}

// isParked reports whether the member is there and has no replicas. Such a member keeps the group from being over.
func (m *member) isParked() bool { return m.state == memberHere && m.first == none }

// newVersion links a spec to what it depends on.
func (e *Engine) newVersion(id MemberID, spec Spec) *version {
	if spec.plain() {
		return plainVersion
	}
	if m := &e.members[id]; m.first != none { // one that was replaced last may have the same
		if v := e.replicas[m.first].version; v.member == id && v != plainVersion && v.same(&spec) {
			return v
		}
	}
	v := &version{Spec: spec, member: id}
	v.deps = slices.Concat(spec.After, spec.Requires)
	slices.Sort(v.deps)
	v.deps = slices.Compact(v.deps)
	for _, dep := range v.deps {
		l := e.linksOf(dep)
		l.users = append(l.users, v)
		if !l.isSatisfied() {
			v.unmet++
			if v.requires(dep) {
				v.unmetReq++
			}
		}
		if l.dead > 0 {
			v.dead++
		}
	}
	return v
}

// addReplica makes a replica that waits.
func (e *Engine) addReplica(id MemberID, index int, v *version, with marks) ReplicaID {
	var at ReplicaID
	if n := len(e.freeReplicas); n > 0 {
		at = e.freeReplicas[n-1]
		e.freeReplicas = e.freeReplicas[:n-1]
	} else {
		at = ReplicaID(len(e.replicas))
		e.replicas = append(e.replicas, replica{})
	}
	m := &e.members[id]
	if m.isParked() {
		e.open--
	}
	wasQueued := e.replicas[at].marks & queued
	e.replicas[at] = replica{member: id, next: m.first, index: int32(index), version: v, marks: wasQueued}
	m.first = at
	v.hold(1)
	e.emit(Action{Kind: Added, Replica: at, Member: id, Index: int32(index)})
	e.change(at, func(r *replica) { r.set(exists | with) })
	return at
}

// hold counts the replicas of a version; the shared one needs no count.
func (v *version) hold(d int) {
	if v != plainVersion {
		v.replicas += d
	}
}

// forget takes a replica that has ended out of the graph, and its member if that was the last one of a removed member.
func (e *Engine) forget(id ReplicaID) {
	r := e.replicas[id]
	e.change(id, func(r *replica) { r.clear(exists) })
	m := &e.members[r.member]
	for at := &m.first; ; at = &e.replicas[*at].next {
		if *at == id {
			*at = r.next
			break
		}
	}
	if m.isParked() {
		e.open++
	}
	if r.is(watched) {
		e.unwatch(id)
	}
	delete(e.restarts, id)
	e.freeReplicas = append(e.freeReplicas, id)
	r.version.hold(-1)
	if l := m.links; r.version != plainVersion && r.version.replicas == 0 && (l == nil || l.version != r.version) {
		if m.first == none && m.state == memberHere {
			e.linksOf(r.member).version = r.version // for replicas to come
		} else {
			e.unlink(r.version)
		}
	}
	gone := Action{Kind: Forget, Replica: id, Member: -1}
	if m.state == memberLeaving && m.first == none {
		e.freeMember(r.member)
		gone.Member = r.member
	}
	e.emit(gone)
}

// unlink takes a version that has no replicas out of the graph.
func (e *Engine) unlink(v *version) {
	if len(v.deps) > 0 {
		e.depths = nil
	}
	for _, dep := range v.deps {
		if l := e.members[dep].links; l != nil {
			l.users = slices.DeleteFunc(l.users, func(user *version) bool { return user == v })
		}
	}
}

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
