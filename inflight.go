package lastcall

import (
	"context"
	"errors"
	"sync/atomic"
)

// Do runs fn as one unit of in-flight work: under [Grace](ctx), counted, and waited for before the worker is regarded
// as stopped. Once the soft stop began it returns [ErrStopping] without calling fn; the check and the count are one
// atomic step, so every unit is either refused or counted. fn runs on the caller's goroutine, and its error is
// returned. If the hard stop came while fn ran and fn failed, the error is a [WorkerError] of kind [ErrInterrupted]
// around fn's.
//
// A unit that fails with context.Canceled although its own context goes on, after the soft stop has ended the worker's,
// used the worker's context in place of the one that it was given. That is work lost: the error is a [WorkerError] of
// kind [ErrLost], the report names the worker, and the exit status is 4. A unit that gives its work back on purpose
// because the worker stops returns [ErrStopping], or an error of its own that does not match context.Canceled.
//
// Inside a unit of the same worker it is not refused: work that was accepted may use helpers that use Do. It is inside
// where ctx comes from the unit's context, or from [Grace] while a unit is in flight, as a request's does in package
// serve.
//
// Outside a group Do runs fn with ctx, counts nothing, and returns [ErrStopping] if ctx has ended.
func Do(ctx context.Context, fn func(context.Context) error) error {
	a := workerOf(ctx, "Do")
	if a == nil {
		if ctx.Err() != nil {
			return ErrStopping
		}
		return fn(ctx)
	}
	if !a.work.enter() && !(underGrace(ctx, a) && a.work.enterInside()) {
		return ErrStopping
	}
	return a.unit(ctx, fn)
}

// Track is [Do] for work that was taken already, such as a connection that was accepted or a message in hand: it is
// never refused. Outside a group it runs fn with ctx.
func Track(ctx context.Context, fn func(context.Context) error) error {
	a := workerOf(ctx, "Track")
	if a == nil {
		return fn(ctx)
	}
	a.work.add(1)
	return a.unit(ctx, fn)
}

// unit runs fn, which the flight has counted.
func (a *attempt) unit(ctx context.Context, fn func(context.Context) error) error {
	defer a.leave(1)
	unit := Grace(ctx)
	err := fn(unit)
	switch {
	case err == nil:
	case a.wasCut():
		a.m.run.interrupted(a)
		return a.m.interruptedWith(1, err)
	case a.soft.ended() != nil && unit.Err() == nil && isNewlyCanceled(err):
		a.lost(loss{aborted: 1})
		return &WorkerError{Kind: ErrLost, Name: a.m.path(), Units: 1, Err: errorLater("%w: %w", errWrongContext, err)}
	}
	return err
}

// isNewlyCanceled reports whether err is the end of a context, and none that a unit inside this one has told.
func isNewlyCanceled(err error) (is bool) {
	contained(func() { is = errors.Is(err, context.Canceled) && kindIn(err, ErrLost) == nil })
	return is
}

// takeOne calls take with the caller counted as a taker, so that the worker is waited for while an item may be on its
// way, and turns the taker into a unit of work when an item came. With refused, the soft stop had begun before.
func takeOne[T any](ctx context.Context, a *attempt, take func(context.Context) (T, error)) (item T, refused bool, err error) {
	if a == nil {
		if ctx.Err() != nil {
			return item, true, nil
		}
		item, err = take(ctx)
		return item, false, err
	}
	if !a.work.enterTaker() {
		return item, true, nil
	}
	took := false
	defer func() {
		if !took {
			a.leave(taker)
		}
	}()
	if item, err = take(ctx); err != nil {
		return item, false, err
	}
	took = true
	a.work.add(1 - taker)
	return item, false, nil
}

// flight counts a worker's work: units in flight in the lower half of the count, takers ([Each] waiting for an item)
// in the upper half, and three marks. One word, so that every question is answered in one atomic step.
type flight struct{ word atomic.Int64 }

const (
	taker   int64 = 1 << 30 // one taker
	closed  int64 = 1 << 60 // no new units: the soft stop began, or the worker's function returned
	gaveUp  int64 = 1 << 62 // a Shutdown method was called with the worker's context when that had ended
	awaited int64 = 1 << 61 // the worker's function returned and waits for the count to reach zero

	countMask = closed - 1
	unitMask  = taker - 1
)

// enter counts one unit unless the flight is closed.
func (f *flight) enter() bool { return f.enterUnlessClosed(1) }

// enterInside counts one unit if another is in flight, which the worker waits for in any case.
func (f *flight) enterInside() bool {
	for {
		word := f.word.Load()
		if word&unitMask == 0 {
			return false
		}
		if f.word.CompareAndSwap(word, word+1) {
			return true
		}
	}
}

// enterTaker counts one taker unless the flight is closed.
func (f *flight) enterTaker() bool { return f.enterUnlessClosed(taker) }

func (f *flight) enterUnlessClosed(n int64) bool {
	for {
		word := f.word.Load()
		if word&closed != 0 {
			return false
		}
		if f.word.CompareAndSwap(word, word+n) {
			return true
		}
	}
}

func (f *flight) add(n int64) int64 { return f.word.Add(n) }

// close refuses new units from now on, and returns how many are in flight.
func (f *flight) close() int { return int(f.word.Or(closed) & unitMask) }

// units is how many are in flight.
func (f *flight) units() int { return int(f.word.Load() & unitMask) }

// leave takes n off the count; the last one wakes the worker that waits for it.
func (a *attempt) leave(n int64) {
	if word := a.work.add(-n); word&awaited != 0 && word&countMask == 0 {
		a.m.run.drained(a)
	}
}

// drain waits until nothing is in flight. It is called when the worker's function has returned.
func (a *attempt) drain() {
	if a.work.word.Load()&(closed|countMask) == closed { // as a rule, after the soft stop
		return
	}
	if a.work.word.Or(closed)&countMask == 0 {
		return
	}
	empty := a.m.run.awaitDrained(a)
	if a.work.word.Or(awaited)&countMask == 0 {
		return
	}
	<-empty
}
