package lastcall

import (
	"runtime"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// lock locks the run and reads what was posted.
func (r *run) lock() {
	r.mu.Lock()
	r.readMailLocked()
}

// stepLocked tells the engine something and carries out what it decides.
func (r *run) stepLocked(in engine.Input) {
	r.at = r.now()
	r.stepAtLocked(in)
}

// stepAtLocked is stepLocked at the time of the step before.
func (r *run) stepAtLocked(in engine.Input) {
	if !r.frozen && r.leavingAbove() {
		r.frozen = true
		r.carryOut(engine.Freeze{})
	}
	r.carryOut(in)
	if next := r.engine.Next(); next != 0 && (r.next == 0 || next < r.next) {
		r.wakeUp() // the goroutine that called Run waits too long
	}
}

// unlock ends a change of the run: it unlocks, then does what was put off.
func (r *run) unlock() {
	todo, posted, yield, afterwards := r.todo, r.posted, r.yield, r.afterwards
	r.todo, r.posted, r.yield, r.afterwards = nil, false, false, nil
	r.mu.Unlock()
	for _, f := range todo {
		f()
	}
	if yield { // first the workers, all of them, then the rest of what this goroutine has to do
		runtime.Gosched()
	}
	if afterwards != nil {
		afterwards()
	}
	if posted {
		r.bus.deliver()
	}
}

// endLife ends a lifetime, if it has not ended, and puts off the calls of what joined it.
func (r *run) endLife(l *lifetime, e *ending) {
	if joined := l.end(e); joined != nil {
		r.later(joined.call)
	}
}

// later puts f off until the run is unlocked.
func (r *run) later(f func()) { r.todo = append(r.todo, f) }

// emit tells the listeners of this group and of those around it; unlock delivers it.
func (r *run) emit(event Event) { r.post(event, r.listeners) }

// emitGroup is emit for an event of the group itself. In a nested group only its own listener gets it: for those around it
// the group is a worker, whose events they have.
func (r *run) emitGroup(event Event) {
	listeners := r.listeners
	if r.parent != nil {
		listeners = listeners[:len(listeners)-len(r.parent.m.run.listeners)]
	}
	event.Name = r.name()
	r.post(event, listeners)
}

func (r *run) post(event Event, listeners []func(Event)) {
	if len(listeners) > 0 {
		event.Time = time.Now()
		r.bus.post(event, listeners)
		r.posted = true
	}
}

// wakeUp wakes the goroutine that called Run, because the deadlines changed or all is over.
func (r *run) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
