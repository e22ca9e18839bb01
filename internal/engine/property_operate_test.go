package engine

import (
	"fmt"
	"maps"
	"slices"
)

// shadowOp is what the model knows of an operation: what it is about, and so how it may end.
type shadowOp struct {
	id        OpID
	in        Input
	done      bool
	refused   bool // at once,
	why       Result
	users     []MemberID // with InUse: those that depend on the member
	targets   []shadowTarget
	made      []*shadow // by the operation
	indices   []int     // Scale: those that there are to be in the end,
	going     []*shadow // besides these, which were on their way out before
	setback   bool      // something happened since for which what it starts may not become ready
	called    bool      // another operation may have called it off
	withdrawn bool
}

// shadowTarget is a replica that an operation is about, as it was when that was asked for.
type shadowTarget struct {
	*shadow
	attempt Attempt
	phase   Phase
}

// about is the member and the index that an operation names.
func about(in Input) (id OpID, member MemberID, index int) {
	switch in := in.(type) {
	case Suspend:
		return in.Op, in.Member, in.Index
	case Resume:
		return in.Op, in.Member, in.Index
	case Recycle:
		return in.Op, in.Member, in.Index
	case Replace:
		return in.Op, in.Member, in.Index
	case Remove:
		return in.Op, in.Member, in.Index
	case Scale:
		return in.Op, in.Member, All
	}
	panic(fmt.Sprintf("%#v is no operation", in))
}

// changesReplicas reports whether an operation makes or forgets replicas, so that there may be one at a time.
func changesReplicas(in Input) bool {
	switch in.(type) {
	case Replace, Remove, Scale:
		return true
	}
	return false
}

// ask asks for an operation, after the model has said what is to come of it.
func (w *world) ask(in Input) {
	id, member, index := about(in)
	op := &shadowOp{id: id, in: in}
	op.why, op.refused = w.refusal(op, member, index)
	if !op.refused {
		for _, other := range w.ops {
			if _, m, _ := about(other.in); m == member && !other.done {
				other.setback, other.called = true, true
			}
		}
	}
	w.ops[id] = op
	w.step(in)
	if op.refused && !op.done {
		panic(fmt.Sprintf("operation %d, %#v, is to be refused with %v, and is not", id, in, op.why))
	}
	if why := w.notStarted(op); why != "" {
		panic(fmt.Sprintf("operation %d, %#v: %s", id, in, why))
	}
}

// starts reports whether an operation starts what it is about, however that ended before.
func (op *shadowOp) starts() bool {
	_, resumes := op.in.(Resume)
	_, recycles := op.in.(Recycle)
	return (resumes || recycles) && !op.refused
}

// notStarted says of what an operation has not begun the start at once, where nothing is in the way.
func (w *world) notStarted(op *shadowOp) string {
	if !op.starts() || w.group != GroupRunning {
		return ""
	}
	for _, t := range op.targets {
		required := func(r *shadow) bool { return r.phase.Running() && slices.Contains(w.specs[r.id].Requires, t.member) }
		free := len(w.specs[t.id].Requires) == 0 && !slices.ContainsFunc(slices.Collect(maps.Values(w.replicas)), required)
		switch {
		case t.forgotten || t.attempt == 0 || t.shadow.attempt > t.attempt:
		case t.phase.Ended() && t.shadow.phase.Ended():
			return fmt.Sprintf("the replica with index %d had ended, and is not started", t.index)
		case t.phase == Restarting && free:
			return fmt.Sprintf("the replica with index %d waits for its back-off", t.index)
		}
	}
	return ""
}

// gaveUp says what an operation was to start again however it ended, and does not.
func (w *world) gaveUp(op *shadowOp) string {
	if !op.starts() || op.called || w.group >= GroupStopping {
		return ""
	}
	_, resumes := op.in.(Resume)
	for _, t := range op.targets {
		stays := !t.phase.Running() || resumes && t.phase < Stopping || t.forgotten || t.joining || t.final || t.shadow.attempt > t.attempt
		if p := t.shadow.phase; !stays && (p == Stopped || p == Failed || p == Restarting) {
			return fmt.Sprintf("the replica with index %d is to start again at once, and is %v", t.index, p)
		}
	}
	return ""
}

// refusal is with what an operation is to be refused at once, if it is. It fills in what the operation is about.
func (w *world) refusal(op *shadowOp, member MemberID, index int) (why Result, refused bool) {
	m := w.members[member]
	switch {
	case w.group != GroupRunning:
		return Leaving, true
	case m == nil:
		return Unknown, true
	case m.removing:
		return Busy, true
	}
	var present, all []*shadow
	for id, r := range w.replicas {
		if r.member == member {
			all = append(all, r)
			if w.e.Wanted(id) != Gone {
				present = append(present, r)
			} else {
				op.going = append(op.going, r)
			}
		}
	}
	for _, r := range present {
		if index != All && r.index != index {
			continue
		}
		second := func(other *shadow) bool { return other != r && other.index == r.index }
		if index != All && r.joining && slices.ContainsFunc(present, second) {
			continue // it is the other one that is meant
		}
		op.targets = append(op.targets, shadowTarget{r, r.attempt, r.phase})
	}
	if index != All && len(op.targets) == 0 {
		return Unknown, true
	}
	for _, other := range w.ops {
		_, m, i := about(other.in)
		if !other.done && m == member && changesReplicas(other.in) && (i == index || i == All || index == All) {
			return Busy, true
		}
	}
	switch in := op.in.(type) {
	case Remove:
		if len(op.targets) < len(present) {
			break
		}
		if op.users = w.usersOf(member); len(op.users) > 0 {
			return InUse, true
		}
		m.removing = true
	case Scale:
		op.indices = indicesAfter(present, all, in.Replicas)
	}
	return OK, false
}

// usersOf are the members that depend on a member and have not ended.
func (w *world) usersOf(member MemberID) (users []MemberID) {
	for id, r := range w.replicas {
		if spec := w.specs[id]; w.e.Wanted(id) != Gone && !r.phase.Ended() &&
			(slices.Contains(spec.After, member) || slices.Contains(spec.Requires, member)) {
			users = append(users, r.member)
		}
	}
	return users
}

// indicesAfter are those of the replicas after a Scale to n: the lowest stay, and the lowest free ones come.
func indicesAfter(present, all []*shadow, n int) (indices []int) {
	used := map[int]bool{}
	for _, r := range all {
		used[r.index] = true
	}
	for _, r := range present {
		indices = append(indices, r.index)
	}
	slices.Sort(indices)
	for i := 0; len(indices) < n; i++ {
		if !used[i] {
			indices = append(indices, i)
		}
	}
	indices = indices[:n]
	slices.Sort(indices)
	return indices
}

// noteSetback notes what keeps operations under way from what they wait for.
func (w *world) noteSetback(r *shadow) {
	for _, op := range w.ops {
		if !op.done && op.concerns(r) {
			op.setback = true
		}
	}
}

func (op *shadowOp) concerns(r *shadow) bool {
	return slices.Contains(op.made, r) || slices.ContainsFunc(op.targets, func(t shadowTarget) bool { return t.shadow == r })
}

// checkDone holds the result of an operation against what has become of what it is about.
func (w *world) checkDone(a Action) {
	op := w.ops[a.Op]
	if op == nil || op.done {
		panic(fmt.Sprintf("operation %d was done twice, or never asked for", a.Op))
	}
	op.done = true
	wrong := func(why string) {
		panic(fmt.Sprintf("operation %d, %#v, was done with %v: %s", a.Op, op.in, a.Result, why))
	}
	if op.refused {
		if a.Result != op.why {
			wrong(fmt.Sprintf("it is to be refused with %v", op.why))
		}
		if a.Result == InUse && !slices.Contains(op.users, a.Member) {
			wrong(fmt.Sprintf("member %d does not depend on the member, but %v", a.Member, op.users))
		}
		return
	}
	_, suspends := op.in.(Suspend)
	_, removes := op.in.(Remove)
	switch a.Result {
	case OK:
		if why := w.missing(op); why != "" {
			wrong(why)
		}
	case NotReady:
		switch {
		case suspends || removes:
			wrong("it starts nothing")
		case w.gaveUp(op) != "":
			wrong(w.gaveUp(op))
		case !op.setback:
			wrong("nothing has gone wrong")
		case w.group < GroupStopping && op.left():
			wrong("something that it made is left")
		}
	case Leaving:
		if w.group < GroupStopping || suspends || removes {
			wrong("the group does not leave, or that is no hindrance")
		}
	case Withdrawn:
		if !op.withdrawn {
			wrong("nobody has withdrawn it")
		}
		if w.group < GroupStopping && op.left() {
			wrong("something that has not taken its place is left")
		}
	default:
		wrong("it was not refused at once")
	}
}

// left reports whether something is left that the operation made and that was never ready.
func (op *shadowOp) left() bool {
	return slices.ContainsFunc(op.made, func(r *shadow) bool { return !r.forgotten && r.joining })
}

// missing says what an operation has not achieved; "" means that it is to be done, with OK.
func (w *world) missing(op *shadowOp) string {
	for _, t := range op.targets {
		up := !t.forgotten && t.wasReady && (t.shadow.phase == Ready || t.shadow.phase.Ended())
		down := t.forgotten || t.shadow.phase.Ended()
		again := t.shadow.attempt > t.attempt
		switch op.in.(type) {
		case Suspend, Remove:
			if !down && !again && !op.called {
				return fmt.Sprintf("the replica with index %d runs, or waits", t.index)
			}
		case Recycle:
			if !up || !again {
				return fmt.Sprintf("the replica with index %d is not ready again", t.index)
			}
		case Resume:
			if ran := t.phase == Starting || t.phase == Ready; !up || !ran && !again {
				return fmt.Sprintf("the replica with index %d is not ready", t.index)
			}
		case Replace:
			is := func(r *shadow) bool { return r.index == t.index && !r.forgotten && !r.joining }
			if !t.forgotten || !slices.ContainsFunc(op.made, is) {
				return fmt.Sprintf("the replica with index %d has no successor, or is there", t.index)
			}
		}
	}
	if in, ok := op.in.(Scale); ok {
		var indices []int
		for _, r := range w.replicas {
			if r.member == in.Member && !slices.Contains(op.going, r) {
				indices = append(indices, r.index)
				if r.joining {
					return fmt.Sprintf("the replica with index %d is not ready", r.index)
				}
			}
		}
		if slices.Sort(indices); !slices.Equal(indices, op.indices) {
			return fmt.Sprintf("there are the indices %v, and should be %v", indices, op.indices)
		}
	}
	return ""
}

// isToStop reports whether a replica stays no longer than something that requires it, so that it is not what a Resume waits for.
func (w *world) isToStop(t shadowTarget) bool {
	return !t.forgotten && w.e.Wanted(t.id) == Again
}

// checkOps looks for operations that have come to their end and were not done.
func (w *world) checkOps() {
	for id, op := range w.ops {
		if why := w.gaveUp(op); why != "" && !op.done {
			panic(fmt.Sprintf("operation %d, %#v: %s", id, op.in, why))
		}
		switch {
		case op.done || op.setback || op.called:
		case op.withdrawn && !op.left():
			panic(fmt.Sprintf("operation %d, %#v, was withdrawn, nothing of it is left, and it was not done", id, op.in))
		case !op.withdrawn && w.missing(op) == "" && !slices.ContainsFunc(op.targets, w.isToStop):
			panic(fmt.Sprintf("operation %d, %#v, has come to its end, and was not done", id, op.in))
		}
	}
}
