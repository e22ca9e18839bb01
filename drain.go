package lastcall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrEmpty is what the take function of [DrainFunc] returns when its context has ended and nothing is there.
var ErrEmpty = errors.New("lastcall: nothing is there to take")

// Drain is [Each] for a channel, whose items would be lost with the process: it handles what comes, and when the group
// stops, also what is still in the channel, each item under [Grace](ctx). It returns nil when the channel is then
// empty, or when it is closed and empty; otherwise the first error of handle.
//
// Producers stop first where they are added with [After] the worker that drains: when it is told to stop, no more
// comes. Any number of workers, and of goroutines of one worker, may drain the same channel. The end of the grace
// period ends the draining.
//
// What is in the channel when the group has ended is lost: the report and the error of Run say how many items and which
// worker drained them last ([ErrLost], exit status 4). That includes the items that a worker left there by failing.
//
// When only the worker stops while the group runs on, to be restarted, replaced or removed, the rest stays in the
// channel for the next one that drains it. Outside a group the end of ctx cuts the work as well, so that nothing is
// drained: Drain returns nil.
func Drain[T any](ctx context.Context, source <-chan T, handle func(context.Context, T) error) error {
	a, closed := workerOf(ctx, "Drain"), false
	if a != nil {
		top := a.m.run.root()
		top.sources.add(source, a.m.path(), func() int { return len(source) })
		defer func() { top.sources.release(source, a, closed) }()
	}
	take := func(ctx context.Context) (item T, err error) {
		open, took := true, false
		if ctx.Err() == nil {
			select {
			case item, open = <-source:
				took = true
			case <-ctx.Done():
			}
		}
		if !took { // the end of ctx says nothing of the source
			select {
			case item, open = <-source:
			default:
				return item, ErrEmpty
			}
		}
		if !open {
			closed = true
			return item, io.EOF
		}
		return item, nil
	}
	return drain(ctx, a, take, handle, func() {}) // how many are left is seen in the end
}

// DrainFunc is [Drain] for a queue in memory that is no channel. take waits for an item until its context ends. From
// then on it does not wait: it returns an item if there is one, and [ErrEmpty] if not. io.EOF is the end of the source;
// any other error, that of the context too, ends DrainFunc with that error, since it does not say that nothing is left.
//
// At the hard stop DrainFunc takes the rest without handling it, to say how many items are lost. A queue that keeps its
// items somewhere else may return ErrEmpty then: nothing is lost. It can tell by lastcall.Grace(ctx).Err().
func DrainFunc[T any](ctx context.Context, take func(context.Context) (T, error), handle func(context.Context, T) error) error {
	a := workerOf(ctx, "DrainFunc")
	return drain(ctx, a, take, handle, func() {
		if !a.m.run.root().stopping.Load() { // a nested group restarts, and takes from it again
			return
		}
		for {
			if _, err := take(ctx); err != nil {
				return
			}
			a.lost(loss{left: 1})
		}
	})
}

// drain is the loop of both. cut is called at the hard stop.
func drain[T any](ctx context.Context, a *attempt, take func(context.Context) (T, error), handle func(context.Context, T) error, cut func()) error {
	if a != nil {
		a.work.add(taker) // the worker is waited for until the source is empty
		defer a.leave(taker)
	}
	for {
		if ctx.Err() != nil {
			switch {
			case a == nil || !a.drains():
				return nil
			case a.wasCut():
				cut()
				return nil
			}
		}
		item, err := take(ctx)
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, ErrEmpty) && ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrEmpty):
			return fmt.Errorf("take did not wait for an item: %w", err)
		case ctx.Err() == nil:
			return err
		case a == nil || !a.drains():
			return nil
		default:
			return fmt.Errorf("after the soft stop take has to return what is there, or lastcall.ErrEmpty: %w", notStopped{err})
		}
		work := func(ctx context.Context) error { return handle(ctx, item) }
		if a == nil {
			err = work(ctx)
		} else {
			a.work.add(1)
			err = a.unit(ctx, work)
		}
		if err != nil {
			if a != nil && a.wasCut() && a.drains() {
				cut()
			}
			return err
		}
	}
}

// notStopped hides that an error is the end of a context, which would be a clean end of the worker.
type notStopped struct{ error }

// drains reports whether a worker whose context has ended is to empty its sources: the soft stop came, and from its
// group. What a worker leaves that stops alone is for those that take from the source after it.
func (a *attempt) drains() bool {
	return a.soft.ended() != nil && (a.m.run.stopping.Load() || a.m.run.leavingAbove())
}

// root is the run of the outermost group.
func (r *run) root() *run {
	for r.parent != nil {
		r = r.parent.m.run
	}
	return r
}

// drainSources are the channels that are drained in a tree of groups, or were: what is in them in the end is lost.
type drainSources struct {
	mu   sync.Mutex
	list map[any]*drainSource
}

type drainSource struct {
	path  string // of the worker that drained it last
	users int    // calls of Drain
	left  func() int
}

func (s *drainSources) add(key any, path string, left func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		s.list = map[any]*drainSource{}
	}
	of := s.list[key]
	if of == nil {
		of = &drainSource{left: left}
		s.list[key] = of
	}
	of.path = path
	of.users++
}

// release is the end of a call of Drain. The source is forgotten if nothing is in it and nothing is to be.
func (s *drainSources) release(key any, a *attempt, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.list[key]
	of.users--
	if of.users == 0 && of.left() == 0 && (closed || a.endedForGood()) {
		delete(s.list, key)
	}
}

// endedForGood reports whether the worker was told to stop and no other is to take its place. One that fails while
// others still put something into its sources is not.
func (a *attempt) endedForGood() bool {
	e := a.soft.ended()
	return e != nil && e.cause.Reason != StopRestart && e.cause.Reason != StopReplaced
}

// leftInSourcesLocked notes what is left when all has ended.
func (r *run) leftInSourcesLocked() {
	r.sources.mu.Lock()
	defer r.sources.mu.Unlock()
	for _, of := range r.sources.list {
		if n := of.left(); n > 0 {
			r.lostLocked(of.path, loss{left: n})
		}
	}
}
