package lastcall

import (
	"context"
	"fmt"
	"time"
)

// start starts the workers of a layer. What it depends on is ready.
func (r *run) start(l *layer) {
	again := l.started
	if r.leaves() || r.phase == phaseLameDuck && !again {
		return
	}
	l.moment = newMoment(r.base)
	l.started, l.up, l.ready, l.told, l.cut, l.recycle, l.again = true, true, false, false, false, nil, false
	l.counts.unready.Store(int64(len(l.members)))
	for i := range l.members {
		m := &l.members[i]
		s := &m.first
		if again { // such a layer has one member
			x := m.more()
			s = &scope{m: m}
			x.scope, x.err, x.late, x.unready, x.inFlight, x.interrupted = s, nil, false, "", 0, 0
			x.restarts.total++
			m.readied.Store(0)
			m.ended.Store(0)
		}
		s.moment = l.moment
		r.enter(m, StateStarting, Event{Attempt: m.restarts()})
		if within := m.options().within; m.self && within > 0 {
			m.more().startBy = r.deadlines.add(time.Now().Add(within), func() { r.lateStart(s, within) })
			r.poke()
		}
		var labels context.Context
		if r.labels {
			labels = withLabels(r.ctx, r.id, m.path())
		}
		go s.main(labels)
	}
}

// restarts is how often the worker was started again.
func (m *member) restarts() int {
	if m.extra == nil {
		return 0
	}
	return m.extra.restarts.total
}

// entered is called by a worker's goroutine before the worker's function. Like returned, it does without the lock what
// can be done without.
func (r *run) entered(s *scope) {
	m, now := s.m, r.now()
	m.started.Store(now)
	switch {
	case m.self:
	case m.plain && !r.observed() && m.swap(StateStarting, StateReady):
		m.readied.Store(now)
		if m.layer.counts.unready.Add(-1) == 0 {
			r.mu.Lock()
			r.layerReady(m.layer)
			r.unlock()
		}
	default:
		r.ready(s)
	}
}

// ready makes a worker ready, or ready again.
func (r *run) ready(s *scope) {
	m := s.m
	r.mu.Lock()
	defer r.unlock()
	if m.present() != s {
		return
	}
	if m.swap(StateStarting, StateReady) {
		m.readied.Store(r.now())
		if m.extra != nil {
			m.extra.unready = ""
			r.deadlines.cancel(m.extra.startBy)
		}
		r.emit(Event{Name: m.path(), State: StateReady})
		if m.layer.counts.unready.Add(-1) == 0 {
			r.layerReady(m.layer)
		}
	} else if m.is() == StateReady && m.extra != nil && m.extra.unready != "" {
		m.extra.unready = ""
		r.emit(Event{Name: m.path(), Kind: EventReadiness, State: StateReady})
	}
}

// unready records why a worker is not ready at the moment.
func (r *run) unready(s *scope, reason string) {
	r.mu.Lock()
	defer r.unlock()
	if s.m.present() != s || !s.m.running() {
		return
	}
	if reason == "" {
		reason = "not ready"
	}
	s.m.more().unready = reason
	r.emit(Event{Name: s.m.path(), Kind: EventReadiness, State: s.m.is(), Reason: reason})
}

// status records what a worker says of itself.
func (r *run) status(s *scope, text string) {
	r.mu.Lock()
	defer r.unlock()
	s.m.more().status = text
}

// layerReady starts what waits for the layer: what has not started yet, and what restarts with it.
func (r *run) layerReady(l *layer) {
	if l.ready || l.recycle != nil || r.phase >= phaseStopping {
		return
	}
	if l.replaces != nil {
		r.takeOver(l)
	}
	first := !l.wasReady
	l.ready, l.wasReady = true, true
	for _, user := range l.users {
		if user.waits() {
			user.to.counts.unreadyDeps--
			r.startIfDue(user.to)
		}
	}
	if first {
		r.countReady()
	}
}

// countReady counts a layer that has become ready for the first time, or for which the group does not wait any more.
func (r *run) countReady() {
	if r.unreadyLayers--; r.unreadyLayers == 0 {
		r.allReady()
	}
}

// startIfDue starts a layer if nothing is in the way any more.
func (r *run) startIfDue(l *layer) {
	if l.up || l.over || l.held || l.retired || l.counts.unreadyDeps > 0 || l.started && l.requiredByRunning() || l.backingOff() {
		return
	}
	r.start(l)
}

// allReady tells that the group is ready, to the group around it as well.
func (r *run) allReady() {
	if r.wasReady {
		return
	}
	r.wasReady = true
	r.emitOwn(Event{State: StateReady})
	if r.parent != nil {
		r.later(func() { r.parent.m.run().ready(r.parent) })
	}
}

// lateStart is the end of the time in which a worker had to be ready.
func (r *run) lateStart(s *scope, within time.Duration) {
	m := s.m
	if m.present() != s || m.is() != StateStarting {
		return
	}
	err := fmt.Errorf("not ready within %v", within)
	if unready := m.extra.unready; unready != "" {
		err = fmt.Errorf("%w (%s)", err, unready)
	}
	m.extra.err = err
	switch {
	case r.leaves():
	case m.layer.replaces != nil || m.options().restart.When == RestartNever && m.options().optional:
		r.tell(m.layer, &StopCause{Reason: StopFailure, Worker: m.path(), Err: err})
		return
	case m.options().restart.When != RestartNever:
		r.tell(m.layer, &StopCause{Reason: StopRestart, Worker: m.path()})
		return
	}
	m.extra.late = true
	r.fail(m, err, true)
}

// fail records a failure and stops the group.
func (r *run) fail(m *member, err error, starting bool) {
	failure := &WorkerError{Name: m.path(), Starting: starting, Err: err}
	r.errs = append(r.errs, failure)
	r.softStop(&StopCause{Reason: StopFailure, Worker: failure.Name, Err: err})
}
