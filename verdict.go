package lastcall

import (
	"errors"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
	"github.com/lastcall-go/lastcall/internal/text"
)

// returned is the end of an attempt.
func (r *run) returned(a *attempt, err error, known facts) {
	if !a.isPresent() { // abandoned
		return
	}
	if err == nil || known == (facts{stopped: true}) && a.m.state == StateStopping {
		if a.m.state != StateCut && (a.m.extra == nil || a.m.extra.err == nil) { // as a rule
			r.ends = append(r.ends, engine.Ended{Replica: a.m.id, Attempt: a.id})
			return
		}
	}
	r.endAllLocked()
	v, final := r.judge(a.m, err, known), known.permanent
	if i := slices.IndexFunc(v.errs, isAbandoned); i >= 0 && !r.leaving() && r.startsAgain(a.m) {
		final = true // it was to start again, and cannot: one of its workers still runs
		if left := v.errs[i].(*WorkerError); v.failure == nil {
			v.failure, v.known, v.worker = left, true, left.Name
		}
	}
	r.stepAtLocked(engine.Ended{Replica: a.m.id, Attempt: a.id, Failed: v.failure != nil, Final: final, Err: v})
}

// endAllLocked tells the engine of the ends that have nothing to be said about, all at the same time.
func (r *run) endAllLocked() {
	if len(r.ends) > 0 {
		r.stepAtLocked(&r.ends)
		r.ends = r.ends[:0]
	}
}

// startsAgain reports whether a worker that returns now without a failure is started again.
func (r *run) startsAgain(m *member) bool {
	switch r.engine.Wanted(m.id) {
	case engine.Again:
		return true
	case engine.Run:
		return m.opt.restart != nil
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
		r.emitState(m, Event{Err: failure, Took: r.took(m)})
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
	if m.extra != nil || a.Phase == engine.Failed || a.Err != nil || r.observed() {
		r.tellEnd(m, a)
	}
	if a.Phase == engine.Stopped && was < StateStopping && r.engine.Wanted(m.id) == engine.Run { // it completed
		r.takePlace(m)
	}
}

// tellEnd tells the listeners, the error of Run and the report how a worker ended.
func (r *run) tellEnd(m *member, a *engine.Action) {
	event := Event{InFlight: m.attempt().work.units(), Took: r.took(m)}
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
		if known && v.whole != nil { // of a group: the errors of its workers
			event.Err = v.whole
		}
		m.more().err = failure
		if !known {
			errs = append(errs, m.failedWith(failure))
		}
	} else if len(errs) > 0 {
		m.more().err = errs[0]
		if isKind(errs[0], ErrInterrupted) {
			event.Err = errs[0]
		}
	}
	r.emitState(m, event)
	switch {
	case a.Owned: // the caller of the operation has the error
	case !r.leaving() && m.opt.optional:
		m.more().ends = errs
		r.tolerated = true
	default:
		r.errs = append(r.errs, errs...)
	}
}

// took is the time since the worker was told to stop, or since its start if it was not.
func (r *run) took(m *member) time.Duration {
	if told := r.engine.Plan(m.id).Told; told != 0 {
		return time.Duration(r.at - int64(told))
	}
	return time.Duration(r.at - m.started)
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
		units := 0
		if m.extra != nil {
			units = m.extra.interrupted
		}
		if known.unit != nil {
			err = known.unit.Err
		}
		v.errs = append(v.errs, m.interruptedWith(units, err))
	case err != nil && !(told && known.stopped && !known.broke):
		v.failure = err
	}
	return v
}

// innerErrors are the errors of a group's Run, nil for any other error. ErrInterrupted counts only from a worker that is a
// group: others have it from [Do].
func innerErrors(err error, group bool) []error {
	switch e := err.(type) {
	case *groupError:
		return e.errs
	case *ConfigError:
		return []error{err}
	case *WorkerError:
		if e.Kind == ErrFailed || e.Kind == ErrAbandoned || group && e.Kind == ErrInterrupted {
			return []error{err}
		}
	}
	return nil
}

// failedWith is the error of a worker that failed.
func (m *member) failedWith(err error) error {
	return &WorkerError{Kind: ErrFailed, Name: m.path(), Err: err, Starting: !m.ready}
}

// interruptedWith is the error of a worker whose work, so many units, the hard stop cut.
func (m *member) interruptedWith(units int, err error) error {
	return &WorkerError{Kind: ErrInterrupted, Name: m.path(), Units: units, Err: err}
}

// abandonedWith is the error of a worker that is abandoned now.
func (m *member) abandonedWith(stacks string) *WorkerError {
	e := &WorkerError{Kind: ErrAbandoned, Name: m.path(), PID: m.more().pid, Status: m.extra.status, Stacks: stacks}
	if told := m.run.engine.Plan(m.id).Told; told != 0 {
		e.Took = time.Duration(m.run.now() - int64(told))
	}
	return e
}

// notReplaced is the error of a worker whose replacement did not become ready.
func (m *member) notReplaced(err error) error {
	return &WorkerError{Kind: ErrNotReplaced, Name: m.path(), Err: err}
}
