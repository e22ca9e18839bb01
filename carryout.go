package lastcall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
	"github.com/lastcall-go/lastcall/internal/text"
)

// carryOut does what the engine decided.
func (r *run) carryOut(actions []engine.Action) {
	for i := range actions {
		a := &actions[i]
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
			r.emitGroup(Event{State: StateReady})
			if r.parent != nil {
				r.later(func() { r.parent.m.run.ready(r.parent) })
			}
		case engine.GroupCut:
			r.cutAt = r.now()
		case engine.Done:
			r.operationDone(a)
		case engine.Remind:
			r.remindLocked()
		}
	}
}

// bind gives the member that is being added its identifiers.
func (r *run) bind(a *engine.Action) {
	m := r.adding
	r.adding = nil
	m.id, m.place = a.Replica, a.Member
	for len(r.members) <= int(a.Replica) {
		r.members = append(r.members, nil)
	}
	r.members[a.Replica] = m
}

// forget takes a member out. Operations that wait for it keep it.
func (r *run) forget(a *engine.Action) {
	if a.Replica < 0 {
		return
	}
	m := r.members[a.Replica]
	r.members[a.Replica] = nil
	m.id = forgotten
	if r.byName[m.name] == m {
		delete(r.byName, m.name)
	}
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
		r.cause, r.duckAt = r.causeOf(a.Cause), r.now()
		closeOnce(r.lameDuck)
		r.emitGroup(Event{Kind: EventLameDuck, State: StateReady, Cause: r.cause, Delay: a.Delay})
	case engine.GroupStopping:
		r.cause, r.stopAt = r.causeOf(a.Cause), r.now()
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
		r.endedAt = r.now()
		if r.engine.Overdue() && !slices.ContainsFunc(r.errs, isAbandoned) {
			problem := fmt.Sprintf("the stop%s did not come to its end within its time, and was ended", r.named())
			r.problems = append(r.problems, problem)
			r.errs = append(r.errs, errors.New("lastcall: "+problem))
		}
		r.poke()
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
	r.errs = append(r.errs, &WorkerError{Name: m.path(), Starting: true, Err: m.extra.err})
}

// overdue is the end of the time in which a worker had to be ready.
func (r *run) overdue(m *member) {
	err := fmt.Errorf("not ready within %v", m.opt.within)
	if m.extra != nil && m.extra.unready != "" {
		err = fmt.Errorf("%w (%s)", err, m.extra.unready)
	}
	m.more().err = err
}

// causeOf says the engine's cause in the words of the API. All that stop for the same reason share the result.
func (r *run) causeOf(c *engine.Cause) *StopCause {
	if c == nil {
		return &StopCause{Reason: StopCompleted}
	}
	if said := r.causes[c]; said != nil {
		return said
	}
	said := r.newCause(c)
	if len(r.causes) > 100 { // of single stops, long over
		clear(r.causes)
		clear(r.endings)
	}
	r.causes[c] = said
	return said
}

func (r *run) newCause(c *engine.Cause) *StopCause {
	if said, ok := c.Detail.(*StopCause); ok {
		if said.Hard == c.Hard {
			return said
		}
		other := *said
		other.Hard = c.Hard
		return &other
	}
	said := &StopCause{Hard: c.Hard, After: c.After}
	var m *member
	if c.Replica >= 0 && int(c.Replica) < len(r.members) {
		m = r.members[c.Replica]
	}
	if m != nil {
		said.Worker = m.path()
	}
	switch c.Reason {
	case engine.Requested:
		said.Reason = StopRequested
	case engine.Failure:
		said.Reason = StopFailure
		if v, ok := c.Err.(*verdict); ok && v.worker != "" {
			said.Worker, said.Err = v.worker, v.failure
		} else if m != nil {
			said.Err = m.err()
			if left, ok := said.Err.(*AbandonedError); ok {
				said.Worker = left.Name
			}
		}
	case engine.Essential:
		said.Reason = StopEssential
	case engine.GraceExpired:
		said.Reason, said.Worker = StopGraceExpired, ""
	case engine.Restart:
		said.Reason = StopRestart
	case engine.Replaced:
		said.Reason = StopReplaced
	case engine.Completed:
		said.Reason, said.Worker = StopCompleted, ""
	}
	return said
}

// endingOf is the ending with that cause.
func (r *run) endingOf(cause *StopCause) *ending {
	e := r.endings[cause]
	if e == nil {
		e = newEnding(cause)
		r.endings[cause] = e
	}
	return e
}

var (
	completed     = newEnding(&StopCause{Reason: StopCompleted})
	completedHard = newEnding(&StopCause{Reason: StopCompleted, Hard: true})

	_ = completedHard.over() // now, since a channel that is made in a bubble of testing/synctest belongs to that
)

// endingsLocked are how the contexts of an attempt end at its own end at the latest.
func (r *run) endingsLocked(a *attempt) (soft, hard *ending) {
	e := a.soft.ended.Load()
	if e == nil || e.cause.Reason == StopCompleted {
		return completed, completedHard
	}
	cause := *e.cause
	cause.Hard = true
	return e, newEnding(&cause)
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
		m.readied = r.now()
		if x := m.extra; x != nil {
			x.unready = ""
		}
		r.emitState(m, Event{})
		r.takePlace(m)
	case engine.Stopping:
		cause := r.causeOf(a.Cause)
		inFlight := m.attempt.work.close()
		if inFlight > 0 {
			m.more().inFlight = inFlight
		}
		r.emitState(m, Event{Cause: cause, InFlight: inFlight})
		at, end := m.attempt, r.endingOf(cause)
		r.later(func() { at.soft.finish(end) })
	case engine.Cut:
		cause := r.causeOf(a.Cause)
		m.more().cutAt = r.now()
		r.emitState(m, Event{Cause: cause, InFlight: m.attempt.work.units()})
		at, end := m.attempt, r.endingOf(cause)
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
	if m.attempt != nil {
		x := m.more()
		x.err, x.blamed, x.unready, x.inFlight, x.interrupted, x.cutAt = nil, false, "", 0, 0, 0
		x.restarts++
		attempts = x.restarts
		m.started, m.readied, m.ended = 0, 0, 0
		a = &attempt{m: m}
	}
	_, a.id = r.engine.Phase(m.id)
	a.soft.done = make(chan struct{})
	m.attempt = a
	r.emitState(m, Event{Attempt: attempts})
	var labels context.Context
	if r.labels {
		labels = withLabels(r.ctx, r.id, m.path())
	}
	go a.main(labels)
}

// entered is called by a worker's goroutine before the worker's function.
func (r *run) entered(a *attempt) {
	r.mu.Lock()
	defer r.unlock()
	a.m.started = r.now()
	if !a.m.opt.selfReady {
		r.stepLocked(engine.BecameReady{Replica: a.m.id, Attempt: a.id})
	}
}

// ready makes a worker ready, or ready again.
func (r *run) ready(a *attempt) {
	r.mu.Lock()
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
	r.mu.Lock()
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
	r.mu.Lock()
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
	r.byName[m.name] = m
}

// ended ends the contexts of an attempt that is over.
func (r *run) ended(m *member, was State) {
	if was < StateStarting || was > StateCut {
		return
	}
	m.ended = r.now()
	if x := m.extra; x != nil && x.left != nil {
		close(x.left)
		x.left = nil
	}
	a := m.attempt
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
	r.later(func() { a.soft.finish(completed) })
}

// returned is the end of an attempt.
func (r *run) returned(a *attempt, err error) {
	known := factsOf(err)
	r.mu.Lock()
	defer r.unlock()
	if !a.isPresent() { // abandoned
		return
	}
	v, final := r.judge(a.m, err, known), known.permanent
	if i := slices.IndexFunc(v.errs, isAbandoned); i >= 0 && !r.leaving() && r.startsAgain(a.m) {
		final = true // it was to start again, and cannot: one of its workers still runs
		if left := v.errs[i].(*AbandonedError); v.failure == nil {
			v.failure, v.known, v.worker = left, true, left.Name
		}
	}
	r.stepLocked(engine.Ended{Replica: a.m.id, Attempt: a.id, Failed: v.failure != nil, Final: final, Err: v})
}

// startsAgain reports whether a worker that returns now without a failure is started again.
func (r *run) startsAgain(m *member) bool {
	switch r.engine.Wanted(m.id) {
	case engine.Again:
		return true
	case engine.Run:
		return m.opt.restart.When != RestartNever
	}
	return false
}

// outcomeOf is how the attempt of an action ended.
func outcomeOf(a *engine.Action) (v *verdict, gaveUp *engine.GaveUp) {
	said := a.Err
	if gave, ok := said.(*engine.GaveUp); ok {
		gaveUp, said = gave, gave.Err
	}
	if v, _ = said.(*verdict); v == nil {
		v = new(verdict)
	}
	return v, gaveUp
}

// failureOf is how a worker failed, all things considered: err is what its attempt failed with, nil if it did not.
func (r *run) failureOf(m *member, err error, gaveUp *engine.GaveUp) error {
	if late := m.err(); late != nil { // it was not ready in time
		if err != nil {
			err = errorLater("%w, then: %w", late, err)
		} else {
			err = late
		}
	}
	if gaveUp == nil {
		return err
	}
	if err == nil {
		err = errors.New("it returned")
	}
	return errorLater("restarted %s within %v, giving up: %w", text.Count(gaveUp.Times, "time"), gaveUp.Within, err)
}

// backOff waits before a worker is started again.
func (r *run) backOff(m *member, a *engine.Action, was State) {
	r.ended(m, was)
	x := m.more()
	v, _ := outcomeOf(a)
	failure := v.failure
	if v.known {
		failure = v.whole
	}
	failure = r.failureOf(m, failure, nil)
	x.err = failure
	if failure != nil {
		m.state = StateFailed
		r.emitState(m, Event{Err: failure})
		m.state = StateRestarting
	}
	r.emitState(m, Event{Err: failure, Attempt: x.restarts + 1, Delay: a.Delay})
}

// stopped is the end of a worker until something asks for another start.
func (r *run) stopped(m *member, a *engine.Action, was State) {
	if was < StateStarting || was > StateCut { // its function did not run
		r.emitState(m, Event{Cause: r.causeOf(a.Cause)})
		return
	}
	r.ended(m, was)
	event := Event{InFlight: m.attempt.work.units()}
	if cause := r.whyStopped(m); cause != nil {
		event.Cause = cause
	}
	v, gaveUp := outcomeOf(a)
	errs := slices.Clone(v.errs)
	if a.Phase == engine.Failed {
		failure, known := v.failure, v.known
		if gaveUp != nil {
			if known {
				failure, known = v.whole, false
			}
			errs = slices.DeleteFunc(errs, isFailure) // the failure has them
		}
		switch x := m.extra; {
		case x == nil || !x.blamed:
			known = known && m.err() == nil
			failure = r.failureOf(m, failure, gaveUp)
		case failure == nil:
			failure, known = x.err, true
		}
		event.Err = failure
		m.more().err = failure
		if !known {
			errs = append(errs, &WorkerError{Name: m.path(), Starting: m.readied == 0, Err: failure})
		}
	} else if len(errs) > 0 {
		m.more().err = errs[0]
	}
	r.emitState(m, event)
	switch {
	case a.Owned: // the caller of the operation has the error
	case !r.leaving() && m.opt.optional:
		m.more().ends = errs
	default:
		r.errs = append(r.errs, errs...)
	}
	if a.Phase == engine.Stopped && was < StateStopping && r.engine.Wanted(m.id) == engine.Run { // it completed
		r.takePlace(m)
	}
}

// whyStopped is why the present attempt was told to stop, or cut; nil if it was not.
func (r *run) whyStopped(m *member) *StopCause {
	if m.id == forgotten || m.attempt == nil {
		return nil
	}
	if c := r.engine.Cause(m.id); c != nil && r.engine.Plan(m.id).Told != 0 {
		return r.causeOf(c)
	}
	return nil
}

// abandon leaves a worker behind.
func (r *run) abandon(m *member, a *engine.Action) {
	m.ended = r.now()
	x := m.more()
	x.stacks = stacksOf(r.stacks, m.path())
	left := &AbandonedError{Name: m.path(), Status: x.status, Stacks: x.stacks}
	if told := r.engine.Plan(m.id).Told; told != 0 {
		left.For = time.Duration(r.now() - int64(told))
	}
	x.err = left
	r.errs = append(r.errs, left)
	r.emitState(m, Event{Cause: r.causeOf(a.Cause), Err: left, Stacks: x.stacks, InFlight: m.attempt.work.units()})
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

// A verdict is how an attempt ended.
type verdict struct {
	failure error   // nil if it did not fail
	whole   error   // what it returned, where that says more
	known   bool    // errs has the failure already
	worker  string  // whose failure that is
	errs    []error // what goes into the group's error besides
}

// judge says how a worker ended that returned err.
func (r *run) judge(m *member, err error, known facts) *verdict {
	told := m.state == StateStopping || m.state == StateCut
	v := &verdict{worker: m.path()}
	_, group := m.w.(*Group)
	if inner := innerErrors(err, group); inner != nil { // of a group in this one: its workers' names are known
		v.errs = slices.Clone(inner)
		for _, one := range inner {
			if isFailure(one) {
				v.failure, v.whole, v.known = one, err, true
				if failed, ok := one.(*WorkerError); ok {
					v.failure, v.worker = failed.Err, failed.Name
				}
				break
			}
		}
		return v
	}
	switch {
	case (m.state == StateCut || told && known.hard) && !known.broke && !group:
		cut := &InterruptedError{Name: m.path(), Err: err}
		if m.extra != nil {
			cut.Units = m.extra.interrupted
		}
		if known.unit != nil {
			cut.Err = known.unit.Err
		}
		v.errs = append(v.errs, cut)
	case err != nil && !(told && known.stopped && !known.broke):
		v.failure = err
	}
	return v
}

// innerErrors are the errors of a group's Run, nil for any other error. An InterruptedError is one only from a worker that
// is a group: others have it from [Do].
func innerErrors(err error, group bool) []error {
	switch e := err.(type) {
	case *GroupError:
		return e.Errs
	case *WorkerError, *AbandonedError, *ConfigError:
		return []error{err}
	case *InterruptedError:
		if group {
			return []error{err}
		}
	}
	return nil
}
