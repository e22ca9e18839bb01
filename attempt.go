package lastcall

import (
	"context"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
	"github.com/lastcall-go/lastcall/internal/identity"
	"github.com/lastcall-go/lastcall/internal/strict"
)

// An attempt is one start of a worker, and the context that the worker gets: it ends at the soft stop. There may be
// millions, so it is small: what only some attempts need is made when it is needed.
type attempt struct {
	m     *member
	soft  lifetime
	grace atomic.Pointer[lifetime] // ends at the hard stop; made when first asked for
	work  flight
	next  *attempt // in the mailbox; guarded by being there
	news  atomic.Uint32
	id    engine.Attempt
}

type attemptKey struct{}

// attemptOf is the attempt whose context ctx comes from, nil outside a group.
func attemptOf(ctx context.Context) *attempt {
	switch c := ctx.(type) { // without a walk, the two that are asked most
	case *attempt:
		return c
	case *graceContext:
		return c.attempt
	}
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

// workerOf is attemptOf for the function of that name, which in strict tests must be called with a worker's context.
func workerOf(ctx context.Context, function string) *attempt {
	a := attemptOf(ctx)
	if a == nil {
		strict.Outside(ctx, function)
	}
	return a
}

// Deadline is none: the time of the soft stop is not known.
func (a *attempt) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done is closed at the soft stop.
func (a *attempt) Done() <-chan struct{} {
	if a.soft.ended() != nil {
		a.askedLate()
	}
	return a.soft.done
}

// Err is context.Canceled after the soft stop.
func (a *attempt) Err() error { return a.soft.err() }

// AfterFunc is what package context asks for, so that contexts made from this one need no goroutine.
func (a *attempt) AfterFunc(f func()) (stop func() bool) { return a.soft.afterFunc(f) }

// Value has the values of the context of Run, and answers context.Cause.
func (a *attempt) Value(key any) any {
	switch key.(type) {
	case attemptKey:
		return a
	case graceKey:
		return nil
	case identity.Key:
		return a
	}
	if v := a.soft.value(key); v != nil {
		return v
	}
	return a.m.run.base.Value(key)
}

// SetPID is what package identity asks for.
func (a *attempt) SetPID(pid int) {
	r := a.m.run
	r.lock()
	defer r.unlock()
	if a.m.attempt() == a {
		a.m.more().pid = pid
	}
}

// String names the worker, for a context that is printed.
func (a *attempt) String() string { return "lastcall worker " + a.m.path() }

// hard is the lifetime that ends at the hard stop.
func (a *attempt) hard() *lifetime {
	if l := a.grace.Load(); l != nil {
		return l
	}
	l := &lifetime{done: make(chan struct{})}
	a.m.run.graced.Store(true)
	if !a.grace.CompareAndSwap(nil, l) {
		return a.grace.Load()
	}
	if a.m.run.over.Load() { // too late for the end of the run to see it
		l.finish(completedHard)
	}
	return l
}

// endGrace is the hard stop of the attempt. Attempts whose grace lifetime was never asked for share one per reason.
func (a *attempt) endGrace(e *ending) {
	if !a.grace.CompareAndSwap(nil, e.over()) {
		a.grace.Load().finish(e)
	}
}

// wasCut reports whether the hard stop has come.
func (a *attempt) wasCut() bool {
	l := a.grace.Load()
	return l != nil && l.ended() != nil
}

// hardAt is when the hard stop comes, known once the soft stop began.
func (a *attempt) hardAt() (time.Time, bool) {
	r := a.m.run
	r.lock()
	defer r.unlock()
	if plan := r.planOf(a); plan.HardAt != 0 {
		return r.time(int64(plan.HardAt)), true
	}
	return time.Time{}, false
}

// main is the goroutine of the attempt. Its frames are small: with the worker's own, they should fit in the 2 KiB stack that a
// goroutine starts with.
func (a *attempt) main(labels context.Context) {
	var end outcome
	defer a.finish(&end)
	if labels != nil {
		pprof.SetGoroutineLabels(labels)
	}
	a.post(entered)
	end.err = a.m.w.Run(a)
	end.returned = true
}

// outcome is how a worker's function ended.
type outcome struct {
	err      error
	returned bool
}

// finish is deferred, so that it runs also after a panic and runtime.Goexit. The labels go before the end is known, so that a
// goroutine which is about to exit is not taken for a leak.
//
// A panic is recovered, unlike in errgroup, which lets it crash the process because a recovered panic comes late and without its
// stack (golang/go#53757, golang/go#74275). Here one worker's panic must not take with it what the others have in flight: the
// panic is reported at once with its stack, the others stop gracefully, and the exit status is 1.
func (a *attempt) finish(end *outcome) {
	if !end.returned {
		end.err = errGoexit
		if v := recover(); v != nil {
			end.err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		a.m.run.reportPanic(a, end.err)
	}
	a.endedLate(end.err)
	a.drain()
	if a.m.run.labels {
		pprof.SetGoroutineLabels(context.Background())
	}
	a.postReturned(end.err)
}
