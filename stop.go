package lastcall

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// requested is the cause of the soft stop that the end of Run's context asks for.
func (r *run) requested() *StopCause {
	cause := context.Cause(r.ctx)
	stop, ok := cause.(*StopCause) // as a rule
	if ok || errors.As(cause, &stop) {
		soft := *stop
		soft.Hard = false
		return &soft
	}
	return &StopCause{Reason: StopRequested, Err: cause}
}

// whyLocked is why the group stops, or would if it stopped now.
func (r *run) whyLocked() *StopCause {
	if r.cause != nil {
		return r.cause
	}
	return r.requested()
}

// begin starts the workers.
func (r *run) begin() {
	r.lock()
	defer r.unlock()
	r.stepLocked(engine.Begin{})
}

// softStop begins the stop, after the lame-duck delay if there is one.
func (r *run) softStop(cause *StopCause) {
	bounds, bounded := r.boundsAbove()
	r.lock()
	defer r.unlock()
	if bounded {
		r.stepLocked(bounds)
	}
	r.stepLocked(engine.SoftStop{Cause: engine.Cause{Detail: cause}, Now: cause.Reason == StopSignal && cause.Signal == os.Interrupt})
}

// boundsAbove is when the group around this one cuts and abandons it, as far as that is known.
func (r *run) boundsAbove() (b engine.Bounds, known bool) {
	if r.parent == nil {
		return b, false
	}
	above := r.parent.m.run
	above.mu.Lock() // and not lock: this only looks, and must not carry out what was posted there
	defer above.mu.Unlock()
	plan := above.planOf(r.parent)
	if plan.HardAt == 0 {
		return b, false
	}
	offset := above.epoch.Sub(r.epoch)
	return engine.Bounds{HardAt: max(plan.HardAt+offset, 1), AbandonAt: max(plan.AbandonAt+offset, 1)}, true
}

// planOf is the times of the stop of an attempt, zero before it.
func (r *run) planOf(a *attempt) engine.StopPlan {
	if a.m.attempt() != a || a.m.id == forgotten {
		return engine.StopPlan{}
	}
	return r.engine.Plan(a.m.id)
}

// beginLeaving passes the lame duck of the group around on to the workers.
func (r *run) beginLeaving() {
	r.lock()
	defer r.unlock()
	closeOnce(r.lameDuck)
	if r.leavingAbove() {
		r.stepLocked(engine.Freeze{})
	}
}

// closeOnce closes c unless it is closed. Calls are made with the run locked.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// hardStop cuts the group, because the group around it was cut or a second signal came.
func (r *run) hardStop(cause *StopCause) {
	soft := *cause
	soft.Hard = false
	if r.ctx.Err() != nil {
		soft = *r.requested()
	}
	bounds, bounded := r.boundsAbove()
	r.lock()
	defer r.unlock()
	if bounded {
		r.stepLocked(bounds)
	}
	r.stepLocked(engine.SoftStop{Cause: engine.Cause{Detail: &soft}, Now: true})
	r.stepLocked(engine.HardStop{Cause: engine.Cause{Hard: true, Detail: cause}})
}

// forceStop abandons every worker.
func (r *run) forceStop() {
	var stacks map[string]string
	if r.labels {
		stacks = goroutines(r.label)
	}
	r.lock()
	cause := r.whyLocked()
	r.unlock()
	r.forceStopWith(cause, stacks)
}

func (r *run) forceStopWith(cause *StopCause, stacks map[string]string) {
	r.lock()
	var groups []leaver
	for _, m := range r.members {
		if m != nil && m.running() {
			groups = append(groups, groupAttempt(m)...)
		}
	}
	r.unlock()
	r.leaveFirst(groups, cause, stacks)
	r.lock()
	defer r.unlock()
	r.stacks = stacks
	r.stepLocked(engine.Force{Cause: engine.Cause{Detail: cause}})
	r.stacks = nil
}

// A leaver is the attempt of a worker that is a group, and what is closed when it has ended.
type leaver struct {
	*attempt
	left <-chan struct{}
}

// groupAttempt is the present attempt of a worker that is a group; none of any other. It is called with the run locked.
func groupAttempt(m *member) []leaver {
	if _, ok := m.w.(*Group); !ok {
		return nil
	}
	if m.more().left == nil {
		m.extra.left = make(chan struct{})
	}
	return []leaver{{m.attempt(), m.extra.left}}
}

// leaveFirst abandons the workers of groups that are about to be abandoned, so that they are named, and waits until the groups
// have returned, as they do by that.
func (r *run) leaveFirst(groups []leaver, cause *StopCause, stacks map[string]string) {
	for _, a := range groups {
		inner := a.m.w.(*Group).current()
		if inner == nil || inner.parent != a.attempt { // it has not come to run
			continue
		}
		inner.forceStopWith(cause, stacks)
		r.awaitLeaver(a)
	}
	r.wakeUp() // for what was taken from the goroutine that called Run
}

// awaitLeaver waits until a group has returned, and reads what is posted meanwhile.
func (r *run) awaitLeaver(a leaver) {
	patience := time.NewTimer(groupPatience)
	defer patience.Stop()
	for {
		r.lock()
		r.unlock()
		select {
		case <-a.left:
			return
		case <-r.wake:
		case <-patience.C: // a machine so busy, or a listener that hangs: the group is abandoned as well
			return
		}
	}
}

const groupPatience = 100 * time.Millisecond

// share is how long a worker has from its soft stop to its hard stop at the least.
func (r *run) share(m *member) time.Duration {
	grace := r.group.Grace
	if r.parent != nil {
		around := engine.WithoutMargin(r.parent.m.run.share(r.parent.m))
		orDefault(&grace, around)
		grace = min(grace, around)
	}
	orDefault(&grace, DefaultGrace)
	r.lock()
	defer r.unlock()
	if m.id == forgotten {
		return 0
	}
	return r.engine.Share(m.id, grace)
}

// interrupted counts a unit of work that was cut.
func (r *run) interrupted(a *attempt) {
	r.lock()
	defer r.unlock()
	if a.m.attempt() == a {
		a.m.more().interrupted++
	}
}

// awaitDrained returns what drained will close.
func (r *run) awaitDrained(a *attempt) <-chan struct{} {
	r.lock()
	defer r.unlock()
	empty := make(chan struct{})
	a.m.more().drained = empty
	return empty
}

// drained tells a worker that nothing of it is in flight any more.
func (r *run) drained(a *attempt) {
	r.lock()
	defer r.unlock()
	if x := a.m.more(); x.drained != nil {
		close(x.drained)
		x.drained = nil
	}
}
