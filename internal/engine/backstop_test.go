package engine

import (
	"testing"
	"time"
)

// Whatever the counts say, the group is over when the time of its stop is.
func TestBackstop(t *testing.T) {
	for name, broken := range map[string]func(e *Engine){
		"a dependent that is none": func(e *Engine) { e.link(0).running++ },
		"a replica that is none":   func(e *Engine) { e.running++ },
		"both":                     func(e *Engine) { e.link(0).running++; e.running++ },
		"a user that is none":      func(e *Engine) { e.link(0).requiring++; e.open++ },
	} {
		e := New(Config{Grace: time.Second, HardStop: 2 * time.Second})
		step := func(now Time, in Input) { // Step without verify, which would find the defect
			e.now, e.actions = now, e.actions[:0]
			e.take(in)
			e.advance()
		}
		step(1, Add{Replicas: 1})
		step(1, Begin{})
		step(1, BecameReady{Replica: 0, Attempt: 1})
		broken(e)
		step(2, SoftStop{})
		for next := e.Next(); next != 0; next = e.Next() {
			step(next, Tick{})
		}
		if e.phase != GroupOver || e.now > 2+3*time.Second || !e.Overdue() {
			t.Errorf("%s: phase %d at %v, overdue: %v", name, e.phase, e.now, e.Overdue())
		}
	}
}
