package engine

import (
	"iter"
	"slices"
)

const none ReplicaID = -1

// A replica is one of the same. There may be millions, so it is small: what only some have is in ties. A member lives in the
// record of its first replica, whose identifier is also its own, and keeps the record when that replica has gone.
type replica struct {
	attempt Attempt // the present one, or the last
	phase   Phase
	wanted  Wanted
	marks   marks
	ties    *ties  // nil for a replica without options that is alone in its member, as long as nothing has depended on that
	plan    *plan  // of its stop; nil before
	cause   *Cause // of its stop, or of the stop that is asked for
}

// ties are what only some records have.
type ties struct {
	member  MemberID
	next    ReplicaID // the next replica of its member; none at the last
	index   int32     // among the replicas of its member
	version *version
	first   ReplicaID // of the member that lives here; none if it has no replicas
	links   *links    // of that member; nil as long as nothing has depended on it, and it has no version of replicas to come
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
	exists                    // the replica is there
	here                      // a member lives in the record
	leaving                   // likewise, and it is being removed
)

func (r *replica) is(m marks) bool { return r.marks&m != 0 }

func (r *replica) set(m marks) { r.marks |= m }

func (r *replica) clear(m marks) { r.marks &^= m }

// newRecord is the identifier of a record that is not in use.
func (e *Engine) newRecord() ReplicaID {
	n := len(e.free)
	if n == 0 {
		e.replicas = append(e.replicas, replica{})
		return ReplicaID(len(e.replicas) - 1)
	}
	id := e.free[n-1]
	e.free = e.free[:n-1]
	r := &e.replicas[id] // until now it told the caller what the last actions were about
	*r = replica{marks: r.marks & queued}
	return id
}

// tied are the ties of a record, made if need be.
func (e *Engine) tied(id ReplicaID) *ties {
	r := &e.replicas[id]
	if r.ties == nil {
		r.ties = &ties{member: MemberID(id), next: none, first: e.first(MemberID(id)), version: plainVersion}
	}
	return r.ties
}

// member is the one that a replica belongs to.
func (e *Engine) member(id ReplicaID) MemberID {
	if t := e.replicas[id].ties; t != nil {
		return t.member
	}
	return MemberID(id)
}

// version is that of a replica.
func (r *replica) version() *version {
	if r.ties != nil {
		return r.ties.version
	}
	return plainVersion
}

// Index is which of its member's replicas it is.
func (e *Engine) Index(id ReplicaID) int {
	if t := e.replicas[id].ties; t != nil {
		return int(t.index)
	}
	return 0
}

// first is the latest replica of a member; none if it has none.
func (e *Engine) first(id MemberID) ReplicaID {
	switch r := &e.replicas[id]; {
	case r.ties != nil:
		return r.ties.first
	case r.is(exists):
		return ReplicaID(id)
	}
	return none
}

// replicasOf are the replicas of a member, the latest first.
func (e *Engine) replicasOf(id MemberID) iter.Seq2[ReplicaID, *replica] {
	return func(yield func(ReplicaID, *replica) bool) {
		for at := e.first(id); at != none; {
			r := &e.replicas[at]
			if !yield(at, r) || r.ties == nil {
				return
			}
			at = r.ties.next
		}
	}
}

// present is the replicas of a member that are not on their way out, in the order of their indices.
func (e *Engine) present(id MemberID, index int) (list []ReplicaID) {
	for at, r := range e.replicasOf(id) {
		if r.wanted != Gone && (index == All || e.Index(at) == index) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b ReplicaID) int { return e.Index(a) - e.Index(b) })
	return list
}

// Replicas are those of a member that are not on their way out, in the order of their indices. One that is to take the place of
// another comes after it.
func (e *Engine) Replicas(id MemberID) []ReplicaID { return e.present(id, All) }

// NewIndices are those of the replicas that a Scale to n would make: the lowest that are free.
func (e *Engine) NewIndices(id MemberID, n int) (list []int) {
	n -= len(e.present(id, All))
	if n <= 0 {
		return nil
	}
	used := map[int]bool{}
	for at := range e.replicasOf(id) {
		used[e.Index(at)] = true // also one on its way out
	}
	for i := 0; len(list) < n; i++ {
		if !used[i] {
			list = append(list, i)
		}
	}
	return list
}

// addReplica makes a replica that waits; op is the operation that wants it, if one does.
func (e *Engine) addReplica(id MemberID, index int, v *version, with marks, op OpID) ReplicaID {
	at := ReplicaID(id)
	if e.replicas[id].is(exists) {
		at = e.newRecord()
	}
	if e.isParked(id) {
		e.open--
	}
	if at != ReplicaID(id) || index != 0 || v != plainVersion || e.replicas[id].ties != nil {
		home, t := e.tied(ReplicaID(id)), e.tied(at)
		t.member, t.next, t.index, t.version = id, home.first, int32(index), v
		home.first = at
	}
	v.hold(1)
	e.emit(Action{Kind: Added, Replica: at, Member: id, Index: int32(index), Op: op})
	e.change(at, func(r *replica) {
		r.attempt, r.phase, r.wanted, r.plan, r.cause = 0, Waiting, Run, nil, nil
		r.marks = r.marks&(here|leaving|queued) | exists | with
	})
	return at
}

// forget takes a replica that has ended out of the graph, and its member if that was the last one of a removed member.
func (e *Engine) forget(id ReplicaID) {
	r := &e.replicas[id]
	m, v, t := e.member(id), r.version(), r.ties
	e.change(id, func(r *replica) { r.clear(exists) })
	if t != nil {
		at := &e.replicas[m].ties.first
		for *at != id {
			at = &e.replicas[*at].ties.next
		}
		*at = t.next
	}
	if e.isParked(m) {
		e.open++
	}
	if r.is(watched) {
		e.unwatch(id)
	}
	delete(e.restarts, id)
	v.hold(-1)
	empty := e.first(m) == none
	if l := e.linksOf(m); v != plainVersion && v.replicas == 0 && (l == nil || l.version != v) {
		if empty && e.replicas[m].is(here) {
			e.link(m).version = v // for replicas to come
		} else {
			e.unlink(v)
		}
	}
	gone := Action{Kind: Forget, Replica: id, Member: -1}
	if id != ReplicaID(m) {
		e.free = append(e.free, id)
	}
	if empty && e.replicas[m].is(leaving) {
		e.freeMember(m)
		gone.Member = m
	}
	e.emit(gone)
}
