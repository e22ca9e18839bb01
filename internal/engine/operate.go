package engine

import "slices"

// An operation is something asked of one member that takes a while.
type operation struct {
	id      OpID
	kind    Input
	member  MemberID
	index   int         // of the replica; All for all
	targets []target    // what it waits for; a replica that was forgotten is none
	waiting []ReplicaID // Replace: those whose turn has not come
	old     ReplicaID   // Replace: the one whose turn it is
	version *version    // Replace: of the new ones
	failed  bool        // what it made is being taken back
	result  Result      // after that
}

// target is a replica that an operation waits for.
type target struct {
	replica ReplicaID
	after   Attempt // the one that counts comes after this
	made    bool    // by the operation
}

// operate begins an operation.
func (e *Engine) operate(in Input) {
	switch in := in.(type) {
	case Suspend:
		if op := e.opOn(in, in.Op, in.Member, in.Index); op != nil {
			e.suspend(op)
		}
	case Resume:
		if op := e.opOn(in, in.Op, in.Member, in.Index); op != nil {
			for i := range op.targets {
				e.resume(&op.targets[i])
			}
		}
	case Recycle:
		if op := e.opOn(in, in.Op, in.Member, in.Index); op != nil {
			for i := range op.targets {
				e.recycle(&op.targets[i])
			}
		}
	case Replace:
		if op := e.opOn(in, in.Op, in.Member, in.Index); op != nil {
			e.replace(op, in.Spec)
		}
	case Remove:
		if op := e.opOn(in, in.Op, in.Member, in.Index); op != nil {
			e.remove(op)
		}
	case Scale:
		if op := e.opOn(in, in.Op, in.Member, All); op != nil {
			e.scale(op, in.Replicas)
		}
	case Withdraw:
		e.withdraw(in.Op)
	}
	e.opsDirty = true
}

// opOn makes an operation on the replicas of a member that are there, or refuses it.
func (e *Engine) opOn(kind Input, id OpID, member MemberID, index int) *operation {
	refuse := func(why Result) *operation {
		e.emit(Action{Kind: Done, Op: id, Result: why})
		return nil
	}
	switch {
	case e.phase == GroupNew || e.phase >= GroupLameDuck:
		return refuse(Leaving)
	case member < 0 || int(member) >= len(e.replicas) || !e.replicas[member].is(here|leaving):
		return refuse(Unknown)
	case e.replicas[member].is(leaving):
		return refuse(Busy)
	}
	op := &operation{id: id, kind: kind, member: member, index: index, old: none}
	for _, r := range e.present(member, index) {
		if e.replicas[r].is(joining) && index != All && len(e.present(member, index)) > 1 {
			continue // it is to replace the other one
		}
		op.targets = append(op.targets, target{replica: r, after: e.replicas[r].attempt})
	}
	switch {
	case index != All && len(op.targets) == 0:
		return refuse(Unknown)
	case slices.ContainsFunc(e.ops, op.collides):
		return refuse(Busy)
	}
	e.ops = append(e.ops, op)
	e.watch(op)
	return op
}

// collides reports whether another operation is about to make or forget replicas that this one is about.
func (op *operation) collides(other *operation) bool {
	return op.member == other.member && other.changesReplicas() &&
		(op.index == other.index || op.index == All || other.index == All)
}

// changesReplicas reports whether the operation makes or forgets replicas.
func (op *operation) changesReplicas() bool {
	switch op.kind.(type) {
	case Replace, Remove, Scale:
		return true
	}
	return false
}

func (e *Engine) watch(op *operation) {
	for _, t := range op.targets {
		if t.replica != none {
			e.replicas[t.replica].set(watched)
		}
	}
	if op.old != none {
		e.replicas[op.old].set(watched)
	}
}

// unwatch takes a replica that is forgotten out of all operations.
func (e *Engine) unwatch(id ReplicaID) {
	for _, op := range e.ops {
		for i := range op.targets {
			if op.targets[i].replica == id {
				op.targets[i].replica = none
			}
		}
		if op.old == id {
			op.old = none
		}
	}
}

func (e *Engine) suspend(op *operation) {
	for _, t := range op.targets {
		if r := &e.replicas[t.replica]; !r.phase.Ended() && r.wanted != Down {
			e.want(t.replica, Down, &Cause{Reason: Requested, Replica: t.replica})
		}
	}
}

// resume starts a replica that does not run, and calls off a stop that has not begun.
func (e *Engine) resume(t *target) {
	id := t.replica
	r := &e.replicas[id]
	switch {
	case r.phase == Starting, r.phase == Ready:
		t.after = r.attempt - 1
		if r.wanted != Run {
			e.want(id, Run, nil)
		}
	case r.phase.Running(): // it stops: what is left to do comes after that
		e.change(id, func(r *replica) {
			r.wanted = Again
			r.set(forced)
		})
	case r.phase.Ended():
		delete(e.restarts, id)
		e.enter(id, Waiting, Action{}, func(r *replica) {
			r.wanted, r.cause = Run, nil
			r.clear(good)
		})
	default:
		if h := e.restarts[id]; h != nil {
			e.dropBackOff(id)
			h.series = 0
		}
		e.want(id, Run, nil)
	}
}

// recycle stops a replica and starts it again.
func (e *Engine) recycle(t *target) {
	id := t.replica
	r := &e.replicas[id]
	if r.phase != Starting && r.phase != Ready {
		e.resume(t)
		return
	}
	e.want(id, Again, &Cause{Reason: Restart, Replica: id})
	e.change(id, func(r *replica) { r.set(forced) })
}

// replace begins to put new replicas in the place of the present ones.
func (e *Engine) replace(op *operation, spec Spec) {
	op.version = e.newVersion(op.member, spec)
	if !slices.Equal(op.version.deps, e.versionOf(op.member).deps) {
		e.depths = nil
	}
	for _, t := range op.targets {
		op.waiting = append(op.waiting, t.replica)
	}
	op.targets = nil
	e.replaceNext(op)
}

// replaceNext begins with the next one.
func (e *Engine) replaceNext(op *operation) {
	if len(op.waiting) == 0 {
		return
	}
	op.old, op.waiting = op.waiting[0], op.waiting[1:]
	id := e.addReplica(op.member, e.Index(op.old), op.version, joining, op.id)
	op.targets = append(op.targets[:0], target{replica: id, made: true})
	e.watch(op)
}

// remove stops all replicas for good.
func (e *Engine) remove(op *operation) {
	if len(op.targets) == len(e.present(op.member, All)) {
		if user, used := e.usedBy(op.member); used {
			e.end(op, InUse, user)
			return
		}
		if e.isParked(op.member) {
			e.open--
		}
		e.replicas[op.member].clear(here)
		e.replicas[op.member].set(leaving)
	}
	for _, t := range op.targets {
		e.want(t.replica, Gone, &Cause{Reason: Requested, Replica: t.replica})
	}
	if e.first(op.member) == none && e.replicas[op.member].is(leaving) {
		e.freeMember(op.member)
		e.emit(Action{Kind: Forget, Replica: none, Member: op.member})
	}
}

// usedBy is a member that depends on this one and has not ended.
func (e *Engine) usedBy(id MemberID) (MemberID, bool) {
	l := e.linksOf(id)
	if l == nil {
		return 0, false
	}
	for _, v := range l.users {
		for _, r := range e.replicasOf(v.member) {
			if r.version() == v && r.wanted != Gone && !r.phase.Ended() {
				return v.member, true
			}
		}
	}
	return 0, false
}

// scale makes replicas, or stops those with the highest indices.
func (e *Engine) scale(op *operation, n int) {
	have := op.targets
	op.targets = nil
	version := e.versionOf(op.member)
	if l := e.link(op.member); l.version == nil {
		l.version = version // also for later, when there may be no replica left to ask
	}
	for _, t := range have[min(n, len(have)):] {
		op.targets = append(op.targets, t)
		e.want(t.replica, Gone, &Cause{Reason: Requested, Replica: t.replica})
	}
	for _, index := range e.NewIndices(op.member, n) {
		id := e.addReplica(op.member, index, version, joining, op.id)
		op.targets = append(op.targets, target{replica: id, made: true})
	}
	e.watch(op)
}

// versionOf is the version of the replicas to come.
func (e *Engine) versionOf(id MemberID) *version {
	if l := e.linksOf(id); l != nil && l.version != nil {
		return l.version
	}
	for _, r := range e.replicasOf(id) {
		if r.wanted != Gone {
			return r.version()
		}
	}
	return plainVersion
}

// IsModel reports whether replicas to come have the spec of this one.
func (e *Engine) IsModel(id ReplicaID) bool {
	return e.versionOf(e.member(id)) == e.replicas[id].version()
}

// withdraw ends an operation that has no caller any more, when what has not taken its place is gone.
func (e *Engine) withdraw(id OpID) {
	for _, op := range e.ops {
		if op.id == id {
			e.takeBack(op, func(r *replica) bool { return r.is(joining) })
			op.failed, op.result = true, Withdrawn
			return
		}
	}
}

// takeBack stops the replicas that the operation made.
func (e *Engine) takeBack(op *operation, which func(*replica) bool) {
	for _, t := range op.targets {
		if t.made && t.replica != none && e.replicas[t.replica].wanted != Gone && which(&e.replicas[t.replica]) {
			e.want(t.replica, Gone, &Cause{Reason: Requested, Replica: t.replica})
		}
	}
}
