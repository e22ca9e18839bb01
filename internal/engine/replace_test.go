package engine

import (
	"testing"
	"time"
)

// steps feeds an engine, and takes all pieces of what it decides.
func steps(e *Engine, now Time, inputs ...Input) (all []Action) {
	for _, in := range inputs {
		for more := e.Step(now, in); len(more) > 0; more = e.Continue() {
			all = append(all, more...)
		}
	}
	return all
}

// phases are those of a member's replicas, in the order of their making.
func phases(e *Engine, of MemberID) (list []Phase) {
	for id := range e.replicas {
		if r := &e.replicas[id]; r.is(exists) && e.member(ReplicaID(id)) == of {
			list = append(list, r.phase)
		}
	}
	return list
}

func done(actions []Action) (op OpID, result Result, is bool) {
	for _, a := range actions {
		if a.Kind == Done {
			return a.Op, a.Result, true
		}
	}
	return 0, 0, false
}

// A replacement stops with what it requires while it is not ready, although something runs that requires the one which it is to
// replace, and is given up: nothing waits for it, and there are never two in one place.
func TestReplacementWhoseRequirementRestarts(t *testing.T) {
	e := New(Config{Grace: time.Second, HardStop: time.Second})
	steps(e, 1, Add{Replicas: 1}, Add{Replicas: 1}, Add{Replicas: 1, Spec: Spec{Requires: []MemberID{1}}}, Begin{},
		BecameReady{0, 1}, BecameReady{1, 2}, BecameReady{2, 3})
	steps(e, 2, Replace{Op: 1, Member: 1, Index: 0, Spec: Spec{Requires: []MemberID{0}, AwaitReady: true}})
	steps(e, 3, Recycle{Op: 2, Member: 0, Index: 0})
	if p, _ := e.Phase(3); p != Stopping {
		t.Errorf("the new one is %v", p)
	}
	if p, _ := e.Phase(2); p != Ready {
		t.Errorf("what requires the old one is %v", p)
	}
	op, result, is := done(steps(e, 4, BecameReady{3, 4}, Ended{Replica: 3, Attempt: 4}))
	if !is || op != 1 || result != NotReady {
		t.Errorf("done %t: operation %d, %v", is, op, result)
	}
	if p, _ := e.Phase(0); p != Stopping {
		t.Errorf("what restarts is %v", p)
	}
	if list := phases(e, 1); len(list) != 1 || list[0] != Ready {
		t.Errorf("in its place are %v", list)
	}
}

// A replacement that is not ready in time is stopped and forgotten, and neither the old one nor the group is.
func TestReplacementThatIsLate(t *testing.T) {
	for name, restart := range map[string]Policy{"without a policy": {}, "with one": {When: Always, Limit: -1}} {
		e := New(Config{Grace: time.Second, HardStop: time.Second})
		steps(e, 1, Add{Replicas: 1}, Begin{}, BecameReady{0, 1})
		steps(e, 2, Replace{Op: 1, Member: 0, Index: 0, Spec: Spec{AwaitReady: true, ReadyWithin: 10, Restart: restart}})
		steps(e, 12, Tick{})
		if e.phase != GroupRunning {
			t.Fatalf("%s: the group is in phase %d", name, e.phase)
		}
		if p, _ := e.Phase(1); p != Stopping || e.Wanted(1) != Gone {
			t.Errorf("%s: the late one is %v, and wanted %d", name, p, e.Wanted(1))
		}
		op, result, is := done(steps(e, 13, Ended{Replica: 1, Attempt: 2}))
		if !is || op != 1 || result != NotReady {
			t.Errorf("%s: done %t: operation %d, %v", name, is, op, result)
		}
		if list := phases(e, 0); len(list) != 1 || list[0] != Ready {
			t.Errorf("%s: left are %v", name, list)
		}
	}
}

// Members that depend on more, or on less, after a replacement have another depth.
func TestReplacementHasItsOwnDepth(t *testing.T) {
	e := New(Config{Grace: time.Second, HardStop: time.Second})
	steps(e, 1, Add{Replicas: 1}, Add{Replicas: 1, Spec: Spec{After: []MemberID{0}}}, Add{Replicas: 1}, Begin{},
		BecameReady{0, 1}, BecameReady{2, 2}, BecameReady{1, 3})
	depth := func(want int) {
		t.Helper()
		if got := e.Depth(e.first(2)); got != want {
			t.Errorf("the depth is %d, want %d", got, want)
		}
	}
	depth(0)
	old := ReplicaID(2)
	replace := func(op OpID, deps ...MemberID) {
		t.Helper()
		steps(e, 2, Replace{Op: op, Member: 2, Index: All, Spec: Spec{After: deps}})
		next := e.first(2)
		depth(max(e.depth(2), len(deps))) // of both, while both are there
		_, attempt := e.Phase(next)
		steps(e, 3, BecameReady{next, attempt})
		_, attempt = e.Phase(old)
		steps(e, 4, Ended{Replica: old, Attempt: attempt})
		old = next
		if err := e.recount(); err != nil {
			t.Error(err)
		}
	}
	replace(1, 0, 1)
	depth(2)
	replace(2, 0)
	depth(1)
}

// After a second signal each depth has a slot, and half of it until its hard stop.
func TestHardStopCutsAtHalfOfTheSlot(t *testing.T) {
	e := New(Config{Grace: 10 * time.Second, HardStop: 4 * time.Second})
	steps(e, 1, Add{Replicas: 1}, Add{Replicas: 1, Spec: Spec{After: []MemberID{0}}}, Begin{}, BecameReady{0, 1}, BecameReady{1, 2})
	const second = time.Second
	steps(e, second, SoftStop{Now: true}, HardStop{})
	steps(e, second, Ended{Replica: 1, Attempt: 2}) // at once: the other one is told now
	// 4 s for two depths: the second slot is from 3 s to 5 s, as counted from the begin of the group.
	if got, want := e.Plan(0), (StopPlan{Told: second, HardAt: 4 * second, AbandonAt: 5 * second}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
