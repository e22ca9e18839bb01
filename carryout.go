package lastcall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// carryOut has the engine decide, and does what it decided, piece by piece.
func (r *run) carryOut(in engine.Input) {
	for actions := r.engine.Step(engine.Time(r.at), in); len(actions) > 0; actions = r.engine.Continue() {
		for i := range actions {
			r.do(&actions[i])
		}
	}
}

// do does one thing that the engine decided.
func (r *run) do(a *engine.Action) {
	switch a.Kind {
	case engine.Added:
		r.bind(a)
	case engine.Forget:
		r.forget(a)
	case engine.Enter:
		r.enter(a)
	case engine.Overdue:
		r.overdue(r.members[a.Replica])
	case engine.Turn:
		r.turn(a)
	case engine.GroupReady:
		r.emitGroup(Event{State: StateReady, Took: time.Since(r.began)})
		if r.parent != nil {
			r.later(func() { r.parent.m.run.ready(r.parent) })
		}
	case engine.GroupCut:
		r.cutAt = r.at
	case engine.Done:
		r.operationDone(a)
	case engine.Remind:
		r.remindLocked()
	}
}

// bind gives the member that is being added its identifiers.
func (r *run) bind(a *engine.Action) {
	m := r.coming(a)
	if m == nil {
		return
	}
	m.id, m.place = a.Replica, a.Member
	for len(r.members) <= int(a.Replica) {
		r.members = append(r.members, nil)
	}
	r.members[a.Replica] = m
	if m.extra == nil || m.extra.replaces == nil {
		r.byName.put(m.name, int(m.id))
	}
}

// memberOf is the member with this name, nil if there is none.
func (r *run) memberOf(name string) *member {
	if at, ok := r.byName.get(name); ok {
		return r.members[at]
	}
	return nil
}

// forget takes a member out. Operations that wait for it keep it.
func (r *run) forget(a *engine.Action) {
	if a.Member >= 0 {
		r.dropPool(a.Member)
	}
	if a.Replica < 0 {
		return
	}
	m := r.members[a.Replica]
	if r.memberOf(m.name) == m {
		r.byName.drop(m.name)
	}
	r.members[a.Replica] = nil
	m.id = forgotten
	if x := m.extra; x != nil && x.replaces != nil {
		x.replaces.more().candidate = nil
		x.replaces = nil
	}
}

// turn is a new phase of the group.
func (r *run) turn(a *engine.Action) {
	r.phase = a.Group
	switch a.Group {
	case engine.GroupRunning:
		r.emitGroup(Event{State: StateStarting})
	case engine.GroupLameDuck:
		r.cause, r.duckAt = r.causeOf(a.Cause), r.at
		closeOnce(r.lameDuck)
		r.emitGroup(Event{Kind: EventLameDuck, State: StateReady, Cause: r.cause, Delay: a.Delay})
	case engine.GroupStopping:
		r.cause, r.stopAt = r.causeOf(a.Cause), r.at
		r.blame(a.Cause)
		r.stopping.Store(true)
		closeOnce(r.lameDuck)
		cause := r.cause
		r.emitGroup(Event{State: StateStopping, Cause: cause})
		r.yield = true
		if r.control != nil {
			r.afterwards = func() { r.control.endReload(cause) }
		}
	case engine.GroupOver:
		if r.cause == nil {
			r.cause = r.causeOf(a.Cause)
		}
		r.endedAt = r.at
		if r.engine.Overdue() && !slices.ContainsFunc(r.errs, isAbandoned) {
			problem := fmt.Sprintf("the stop%s did not come to its end within its time, and was ended", r.named())
			r.problems = append(r.problems, problem)
			r.errs = append(r.errs, errors.New("lastcall: "+problem))
		}
		r.wakeUp()
	}
}

// blame records a worker that was not ready in time and so stops the group: it has not ended yet.
func (r *run) blame(c *engine.Cause) {
	if c == nil || c.Reason != engine.Failure || c.Replica < 0 {
		return
	}
	m := r.members[c.Replica]
	if m == nil || m.state != StateStarting || m.extra == nil || m.extra.err == nil {
		return
	}
	m.extra.blamed = true
	r.errs = append(r.errs, m.failedWith(m.extra.err))
}

// overdue is the end of the time in which a worker had to be ready.
func (r *run) overdue(m *member) {
	err := fmt.Errorf("not ready within %v", m.opt.within)
	if m.extra != nil && m.extra.unready != "" {
		err = fmt.Errorf("%w (%s)", err, m.extra.unready)
	}
	m.more().err = err
}

// enter is a new phase of a worker.
func (r *run) enter(a *engine.Action) {
	m := r.members[a.Replica]
	was := m.state
	m.state = State(a.Phase)
	switch a.Phase {
	case engine.Waiting:
		r.ended(m, was)
		if a.Cause == nil { // it was asked for
			x := m.more()
			x.err, x.ends = nil, nil
		}
		event := Event{}
		if a.Cause != nil {
			event.Cause = r.causeOf(a.Cause)
		}
		r.emitState(m, event)
	case engine.Starting:
		r.start(m)
	case engine.Ready:
		if m.ready = true; r.at != m.started {
			m.more().readied = r.at
		}
		if x := m.extra; x != nil {
			x.unready = ""
		}
		r.emitState(m, Event{Took: time.Duration(r.at - m.started)})
		r.takePlace(m)
	case engine.Stopping:
		cause := r.causeOf(a.Cause)
		inFlight := m.attempt().work.close()
		if inFlight > 0 {
			m.more().inFlight = inFlight
		}
		r.emitState(m, Event{Cause: cause, InFlight: inFlight})
		r.endLife(&m.attempt().soft, r.endingOf(cause))
	case engine.Cut:
		cause := r.causeOf(a.Cause)
		m.more().cutAt = r.at
		r.emitState(m, Event{Cause: cause, InFlight: m.attempt().work.units(), Took: r.took(m)})
		at, end := m.attempt(), r.endingOf(cause)
		r.later(func() { at.endGrace(end) })
	case engine.Abandoned:
		r.abandon(m, a)
	case engine.Restarting:
		r.backOff(m, a, was)
	case engine.Stopped, engine.Failed:
		r.stopped(m, a, was)
	}
}

// emitState tells the listeners of the state that m is in.
func (r *run) emitState(m *member, event Event) {
	if !r.observed() {
		return
	}
	event.Name, event.State = m.path(), m.state
	r.emit(event)
}

// start runs a new attempt.
func (r *run) start(m *member) {
	attempts := 0
	a := &m.first
	if m.attempt() != nil {
		x := m.more()
		x.err, x.blamed, x.unready, x.inFlight, x.interrupted, x.cutAt = nil, false, "", 0, 0, 0
		x.restarts++
		attempts = x.restarts
		m.started, x.readied, m.ended, m.ready = 0, 0, 0, false
		a = &attempt{m: m}
		x.attempt = a
	}
	_, a.id = r.engine.Phase(m.id)
	a.soft.done = make(chan struct{})
	r.emitState(m, Event{Attempt: attempts})
	var labels context.Context
	if r.labels {
		labels = withLabel(r.ctx, r.label, m.path())
	}
	go a.main(labels)
}

// entered is the beginning of an attempt.
func (r *run) entered(a *attempt) {
	if !a.isPresent() { // abandoned
		return
	}
	a.m.started = r.at
	if !a.m.opt.selfReady {
		r.entry = engine.BecameReady{Replica: a.m.id, Attempt: a.id}
		r.stepAtLocked(&r.entry)
	}
}

// ready makes a worker ready, or ready again.
func (r *run) ready(a *attempt) {
	r.lock()
	defer r.unlock()
	m := a.m
	switch {
	case !a.isPresent():
	case m.state == StateReady && m.extra != nil && m.extra.unready != "":
		m.extra.unready = ""
		r.emit(Event{Name: m.path(), Kind: EventReadiness, State: StateReady})
	default:
		r.stepLocked(engine.BecameReady{Replica: m.id, Attempt: a.id})
	}
}

// unready records why a worker is not ready at the moment.
func (r *run) unready(a *attempt, reason string) {
	r.lock()
	defer r.unlock()
	if !a.isPresent() {
		return
	}
	if reason == "" {
		reason = "not ready"
	}
	a.m.more().unready = reason
	r.emit(Event{Name: a.m.path(), Kind: EventReadiness, State: a.m.state, Reason: reason})
}

// status records what a worker says of itself.
func (r *run) status(a *attempt, text string) {
	r.lock()
	defer r.unlock()
	a.m.more().status = text
}

// takePlace gives a replacement that is ready the name of its predecessor.
func (r *run) takePlace(m *member) {
	x := m.extra
	if x == nil || x.replaces == nil {
		return
	}
	old := x.replaces
	x.replaces, old.more().candidate = nil, nil
	m.order = old.order
	r.byName.put(m.name, int(m.id))
}

// ended ends the contexts of an attempt that is over.
func (r *run) ended(m *member, was State) {
	if was < StateStarting || was > StateCut {
		return
	}
	m.ended = r.at
	if x := m.extra; x != nil {
		x.pid = 0
		if x.left != nil {
			close(x.left)
			x.left = nil
		}
	}
	a := m.attempt()
	if m.state == StateWaiting || m.state == StateRestarting { // another follows, and this one is not looked at again
		restarts := &StopCause{Reason: StopRestart, Worker: m.path()}
		hard := *restarts
		hard.Hard = true
		r.later(func() {
			a.soft.finish(newEnding(restarts))
			a.endGrace(newEnding(&hard))
		})
		return
	}
	r.endLife(&a.soft, completed)
}

// abandon leaves a worker behind.
func (r *run) abandon(m *member, a *engine.Action) {
	m.ended = r.at
	x := m.more()
	x.stacks = stacksOf(r.stacks, m.path())
	left := m.abandonedWith(x.stacks)
	x.err = left
	r.errs = append(r.errs, left)
	r.emitState(m, Event{Cause: r.causeOf(a.Cause), Err: left, Stacks: x.stacks, InFlight: m.attempt().work.units(), Took: left.Took})
}

// stacksOf are those of the worker at path and, where it is a group, of its workers.
func stacksOf(stacks map[string]string, path string) string {
	all := stacks[path]
	var inner []string
	for name := range stacks {
		if strings.HasPrefix(name, path+"/") {
			inner = append(inner, name)
		}
	}
	slices.Sort(inner)
	for _, name := range inner {
		all += name + ":\n" + stacks[name]
	}
	return all
}
