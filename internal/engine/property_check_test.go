package engine

import (
	"fmt"
	"slices"
)

// checkTime holds the stop against its one total, and looks for timers of a group at rest.
func (w *world) checkTime() {
	if w.asked != 0 && w.group != GroupOver {
		if limit := w.asked + w.cfg.Grace + w.cfg.HardStop; w.now > limit {
			panic(fmt.Sprintf("the stop was asked for at %v and has not ended by %v", w.asked, w.now))
		}
	}
	if w.group == GroupRunning && w.ready && w.e.Next() != 0 {
		for id := range w.replicas {
			if r := w.replicas[id]; r.phase != Ready && !r.phase.Ended() {
				return
			}
		}
		panic(fmt.Sprintf("every worker is ready or has ended, and there is a timer for %v", w.e.Next()))
	}
}

// checkStart holds a start against the order of the start.
func (w *world) checkStart(a Action, r *shadow) {
	if w.group != GroupRunning && !(w.group == GroupLameDuck && r.attempt != 0) {
		panic(fmt.Sprintf("replica %d starts while the group is in phase %d", a.Replica, w.group))
	}
	spec := w.specs[a.Replica]
	deps := spec.Requires
	if r.attempt == 0 {
		deps = slices.Concat(spec.After, spec.Requires)
	}
	for _, dep := range deps {
		some, any := false, false
		for id, other := range w.replicas {
			if at := &w.e.replicas[id]; other.member == dep && at.is(exists) && at.wanted != Gone && !at.is(joining) {
				any = true
				some = some || other.wasReady && (other.phase == Ready || other.phase.Ended() || other.phase == Stopping || other.phase == Cut)
			}
		}
		if any && !some {
			panic(fmt.Sprintf("replica %d of member %d starts before member %d, which it depends on, is ready", a.Replica, r.member, dep))
		}
	}
}

// checkTold holds a soft stop against the order of the stop, and its times against the group's.
func (w *world) checkTold(a Action, r *shadow) {
	if a.Cause == nil {
		panic(fmt.Sprintf("replica %d is told to stop without a cause", a.Replica))
	}
	plan := w.e.Plan(a.Replica)
	if plan.Told != w.now || plan.HardAt < plan.Told || plan.AbandonAt < plan.HardAt {
		panic(fmt.Sprintf("replica %d is told to stop at %v with the times %+v", a.Replica, w.now, plan))
	}
	if w.group < GroupStopping {
		return
	}
	if limit := w.asked + w.cfg.Grace + w.cfg.HardStop; plan.AbandonAt > limit {
		panic(fmt.Sprintf("replica %d is abandoned at %v, after the end of the stop at %v", a.Replica, plan.AbandonAt, limit))
	}
	for id, other := range w.replicas {
		spec := w.specs[id]
		if other.phase.Running() && (slices.Contains(spec.After, r.member) || slices.Contains(spec.Requires, r.member)) && !w.hard {
			panic(fmt.Sprintf("replica %d is told to stop while replica %d, which depends on it, runs", a.Replica, id))
		}
	}
}
