package engine

import "slices"

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

// addReplica makes a replica that waits; op is the operation that wants it, if one does.
func (e *Engine) addReplica(id MemberID, index int, v *version, with marks, op OpID) ReplicaID {
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
	e.emit(Action{Kind: Added, Replica: at, Member: id, Index: int32(index), Op: op})
	e.change(at, func(r *replica) { r.set(exists | with) })
	return at
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
