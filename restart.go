package lastcall

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// RestartWhen says after which ends a worker is started again.
type RestartWhen uint8

const (
	// RestartNever: a failure stops the group, and completion is completion. With other fields of a policy set it
	// means RestartOnFailure.
	RestartNever RestartWhen = iota
	// RestartOnFailure: after an error, a panic, runtime.Goexit, or not being ready in time.
	RestartOnFailure
	// RestartAlways: also after it returned nil.
	RestartAlways
)

// RestartPolicy says when and how a worker is started again. Nothing is started again once the soft stop began, and the
// stop does not wait for a back-off to pass.
//
// The back-off starts at MinDelay, or with AtOnce at nothing, and doubles up to MaxDelay, each time shortened by up to a half at random so that
// workers which failed together do not come back together; a start that lasted Stable begins anew. If the worker would
// be started more than Limit times within Within, it failed for good: the group stops, and its parent decides about the
// group by the same rules.
type RestartPolicy struct {
	When     RestartWhen
	MinDelay time.Duration // 0 means 100 ms
	MaxDelay time.Duration // 0 means 30 s
	Stable   time.Duration // 0 means 1 minute
	Limit    int           // 0 means 10; negative means no limit
	Within   time.Duration // 0 means 1 minute
	AtOnce   bool          // the first restart of a series comes without a delay, the second after MinDelay
}

// Permanent marks an error that a restart cannot mend: the worker fails for good whatever its [RestartPolicy].
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

func (p RestartPolicy) withDefaults() RestartPolicy {
	orDefault(&p.MinDelay, 100*time.Millisecond)
	orDefault(&p.MaxDelay, max(30*time.Second, p.MinDelay))
	orDefault(&p.Stable, time.Minute)
	orDefault(&p.Within, time.Minute)
	orDefault(&p.Limit, 10)
	return p
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (p RestartPolicy) problems() (problems []string) {
	for _, field := range []struct {
		name  string
		value time.Duration
	}{{"MinDelay", p.MinDelay}, {"MaxDelay", p.MaxDelay}, {"Stable", p.Stable}, {"Within", p.Within}} {
		if field.value < 0 {
			problems = append(problems, fmt.Sprintf("Restart with negative %s (%v)", field.name, field.value))
		}
	}
	if p.MinDelay > 0 && p.MaxDelay > 0 && p.MinDelay > p.MaxDelay {
		problems = append(problems, fmt.Sprintf("Restart with MinDelay %v above MaxDelay %v", p.MinDelay, p.MaxDelay))
	}
	if p.When > RestartAlways {
		problems = append(problems, fmt.Sprintf("Restart with unknown When (%d)", p.When))
	}
	return problems
}

// restarts is the history of one worker's restarts.
type restarts struct {
	total    int         // over the whole run, for the report
	attempts int         // since the last stable period, for the back-off
	at       []time.Time // within the policy's window, for the limit
	delay    *deadline   // the back-off that is running
}

// next decides whether a worker that ended with err (nil: it returned nil) after it had run for lasted is started
// again, and after which back-off. Where the limit is the reason not to, tooMany says so.
func (h *restarts) next(p RestartPolicy, err error, permanent bool, lasted time.Duration, now time.Time) (delay time.Duration, again bool, tooMany error) {
	if p.When == RestartNever || err == nil && p.When != RestartAlways || permanent {
		return 0, false, nil
	}
	p = p.withDefaults()
	if lasted >= p.Stable {
		h.attempts = 0
	}
	for len(h.at) > 0 && now.Sub(h.at[0]) > p.Within {
		h.at = h.at[1:]
	}
	if p.Limit >= 0 && len(h.at) >= p.Limit {
		if err == nil {
			err = errors.New("it returned")
		}
		return 0, false, errorLater("restarted %s within %v, giving up: %w", text.Count(len(h.at), "time"), p.Within, err)
	}
	doubled := h.attempts
	if p.AtOnce {
		doubled--
	}
	switch {
	case doubled < 0:
		delay = 0
	case doubled < 62 && p.MinDelay<<doubled < p.MaxDelay && p.MinDelay<<doubled > 0:
		delay = p.MinDelay << doubled
	default:
		delay = p.MaxDelay
	}
	delay -= time.Duration(rand.Int64N(int64(delay)/2 + 1))
	h.at = append(h.at, now)
	h.attempts++
	return delay, true, nil
}

// backOff waits before a worker is started again. What requires it is stopped meanwhile.
func (r *run) backOff(m *member, failure error, delay time.Duration) {
	l, x := m.layer, m.more()
	x.err = failure
	if failure != nil {
		r.enter(m, StateFailed, Event{Err: failure})
	}
	r.enter(m, StateRestarting, Event{Err: failure, Attempt: x.restarts.total + 1, Delay: delay})
	r.wentDown(l)
	if delay > 0 {
		x.restarts.delay = r.deadlines.add(time.Now().Add(delay), func() {
			x.restarts.delay = nil
			r.startIfDue(l)
		})
		r.poke()
	}
	cause := &StopCause{Reason: StopRestart, Worker: m.path()}
	for _, user := range l.users {
		if user.requires {
			r.recycleLayer(user.to, cause)
		}
	}
	if delay == 0 {
		r.startIfDue(l)
	}
}

// recycleLayer stops a layer in order to start it again when what it requires is ready: after the layers that require it.
func (r *run) recycleLayer(l *layer, cause *StopCause) {
	if l.over || l.recycle != nil {
		return
	}
	l.recycle = cause
	l.withdraw()
	for _, user := range l.users {
		if user.requires {
			r.recycleLayer(user.to, cause)
		}
	}
	r.recycleIfDue(l)
}

// recycleIfDue tells a layer that is to be recycled to stop, if nothing that requires it runs any more.
func (r *run) recycleIfDue(l *layer) {
	if l.recycle != nil && l.up && !l.told && !l.requiredByRunning() {
		r.tell(l, l.recycle)
	}
}

// wentDown is the end of one start of a layer that will be started again.
func (r *run) wentDown(l *layer) {
	l.up = false
	r.deadlines.cancel(l.ending)
	ended, cause := l.moment, &StopCause{Reason: StopRestart, Worker: l.members[0].path()}
	r.later(func() { ended.end(cause) })
	l.withdraw()
	r.release(l)
}

// release goes on with what a layer requires, and what waited for it to be down: to stop, or to start again.
func (r *run) release(l *layer) {
	for _, dep := range l.deps {
		if dep.requires {
			r.recycleIfDue(dep.to)
			if !dep.to.up {
				r.startIfDue(dep.to)
			}
		}
	}
}

// withdraw takes back that the layer is ready: what requires it, and what has not started yet, waits for its next start.
func (l *layer) withdraw() {
	if !l.ready {
		return
	}
	l.ready = false
	for _, user := range l.users {
		if user.waits() {
			user.to.counts.unreadyDeps++
		}
	}
}

// requiredByRunning reports whether a layer that requires l runs.
func (l *layer) requiredByRunning() bool {
	for _, user := range l.users {
		if user.requires && user.to.up {
			return true
		}
	}
	return false
}

// backingOff reports whether the layer's back-off still runs.
func (l *layer) backingOff() bool {
	x := l.members[0].extra
	return x != nil && x.restarts.delay != nil
}
