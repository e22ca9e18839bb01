package engine

import (
	"testing"
	"time"
	"unsafe"
)

// A record is small: there may be millions.
func TestReplicaIsSmall(t *testing.T) {
	if got, most := unsafe.Sizeof(replica{}), 8+3*unsafe.Sizeof(uintptr(0)); got > most {
		t.Errorf("a replica has %d bytes, at most %d", got, most)
	}
}

// What is known of a replica that was forgotten is told until its identifier is used again: the actions are about it.
func TestForgottenReplicaIsToldOf(t *testing.T) {
	e := New(Config{Grace: time.Second, HardStop: time.Second})
	steps(e, 1, Add{Replicas: 1}, Add{Replicas: 1}, Begin{}, BecameReady{0, 1}, BecameReady{1, 2})
	steps(e, 2, Remove{Op: 1, Member: 0, Index: All}, Ended{Replica: 0, Attempt: 1})
	if got := e.Plan(0).Told; got != 2 {
		t.Errorf("it was told to stop at %d, want 2", got)
	}
	steps(e, 3, Add{Replicas: 1})
	if got := e.Plan(0).Told; got != 0 {
		t.Errorf("the next one with the identifier was told to stop at %d", got)
	}
}

// Of several ends at the same time each counts as one alone, also after one that stops the group.
func TestEnds(t *testing.T) {
	e := New(Config{Grace: time.Second, HardStop: time.Second})
	steps(e, 1, Add{Replicas: 1, Spec: Spec{Essential: true}}, Add{Replicas: 1}, Add{Replicas: 1}, Begin{},
		BecameReady{0, 1}, BecameReady{1, 2}, BecameReady{2, 3})
	steps(e, 2, &Ends{{Replica: 0, Attempt: 1}, {Replica: 1, Attempt: 2}})
	for id, want := range []Phase{Stopped, Stopped, Stopping} {
		if got, _ := e.Phase(ReplicaID(id)); got != want {
			t.Errorf("replica %d is %v, want %v", id, got, want)
		}
	}
	if steps(e, 3, &Ends{{Replica: 2, Attempt: 3}}); e.phase != GroupOver {
		t.Errorf("the group is in phase %d", e.phase)
	}
}
