package engine

import (
	"testing"
	"time"
)

// The stop of a nested group comes to its ends before those of the group around, however long its own times are.
func TestBoundsOfTheGroupAround(t *testing.T) {
	const second = time.Second
	around := Bounds{HardAt: 5 * second, AbandonAt: 6 * second}
	e := New(Config{Grace: time.Minute, HardStop: time.Minute})
	steps(e, 1, Add{Replicas: 1}, Add{Replicas: 1, Spec: Spec{After: []MemberID{0}}}, Begin{}, BecameReady{0, 1}, BecameReady{1, 2})
	steps(e, second, around, SoftStop{Now: true}, Ended{Replica: 1, Attempt: 2})
	p := e.Plan(0)
	if p.HardAt >= around.HardAt || p.HardAt < 4*second {
		t.Errorf("the hard stop is at %v, and that of the group around at %v", p.HardAt, around.HardAt)
	}
	if p.AbandonAt >= around.AbandonAt || p.AbandonAt <= around.HardAt {
		t.Errorf("abandoned at %v, and the group around at %v", p.AbandonAt, around.AbandonAt)
	}
	steps(e, p.HardAt, Tick{})
	steps(e, p.AbandonAt, Tick{})
	if e.phase != GroupOver || e.now >= around.AbandonAt {
		t.Errorf("the group is in phase %d at %v", e.phase, e.now)
	}
}
