package lastcall

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Grace is the context for work in flight: it survives the soft stop and nothing else. It has the values of ctx, ends at
// the hard stop, and ends with ctx where ctx ended for a reason of its own, such as a timeout or the caller's cancellation.
// Its Deadline is that of ctx or the time of the hard stop, which is known once the soft stop began, whichever comes first.
// Outside a group, where ctx comes from no worker, it is ctx itself, so that a handler can be tested alone.
//
// The soft stop ends every context made from the worker's, so that a cancellation that comes after it cannot be seen there;
// a deadline is. To see both, make the contexts of the work from Grace(ctx) in the first place, as package serve does.
func Grace(ctx context.Context) context.Context {
	a := workerOf(ctx, "Grace")
	if a == nil {
		return ctx
	}
	if g := graceOf(ctx); g != nil { // made from a grace context: there is no soft stop in it
		return ctx
	}
	g := &graceContext{values: ctx, attempt: a, hard: a.hard()}
	if ctx == context.Context(a) || ctx.Done() == a.soft.done { // nothing between the worker's context and this one ends
		return g
	}
	g.own = ownEnd(ctx, a, g.hard)
	return g
}

// GracePeriod is how long the worker has between its soft stop and its hard stop at the least, as far as that is known before
// the stop: what the group's grace period leaves to it when everything that stops before it uses up all of its time. A second
// signal takes it away. Outside a group it is 0.
func GracePeriod(ctx context.Context) time.Duration {
	if a := workerOf(ctx, "GracePeriod"); a != nil {
		return a.m.run.share(a.m)
	}
	return 0
}

// An ending is why contexts end. All that end for the same reason share one.
type ending struct {
	cause *StopCause
	ctx   context.Context // has ended with the cause: it answers context.Cause for those that share this
	state lifeState       // of the lifetimes that have ended so
	once  sync.Once
	past  *lifetime // see over
}

func newEnding(cause *StopCause) *ending {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	e := &ending{cause: cause, ctx: ctx}
	e.state.ending = e
	return e
}

// over is a lifetime that has ended so.
func (e *ending) over() *lifetime {
	e.once.Do(func() {
		e.past = &lifetime{done: make(chan struct{})}
		e.past.finish(e)
	})
	return e.past
}

// A lifetime is what contexts wait for: a channel that is closed once, with a reason. Contexts that package context makes from
// one join it by AfterFunc, without a goroutine, and without a lock that workers share.
type lifetime struct {
	done chan struct{}
	now  atomic.Pointer[lifeState] // nil as long as nothing joined
}

// A lifeState is what has joined a lifetime, or how it has ended.
type lifeState struct {
	ending *ending // nil as long as it lasts; all that end for the same reason share the state
	mu     sync.Mutex
	joined map[*func()]struct{}
}

// finish ends the lifetime and calls what joined it; only the first call counts. It is called without a lock.
func (l *lifetime) finish(e *ending) {
	if before := l.end(e); before != nil {
		before.call()
	}
}

// end is finish without the calls: what it returns is to be called without a lock. It is nil where nothing joined.
func (l *lifetime) end(e *ending) (before *lifeState) {
	for {
		before = l.now.Load()
		if before != nil && before.ending != nil {
			return nil
		}
		if l.now.CompareAndSwap(before, &e.state) {
			close(l.done)
			return before
		}
	}
}

// call calls what has joined.
func (s *lifeState) call() {
	s.mu.Lock()
	joined := s.joined
	s.joined = nil
	s.mu.Unlock()
	for f := range joined {
		(*f)()
	}
}

// ended is how the lifetime has ended, nil as long as it lasts.
func (l *lifetime) ended() *ending {
	if s := l.now.Load(); s != nil {
		return s.ending
	}
	return nil
}

func (l *lifetime) err() error {
	if l.ended() != nil {
		return context.Canceled
	}
	return nil
}

// afterFunc has f called at the end, as context.AfterFunc has; stop reports whether it came before.
func (l *lifetime) afterFunc(f func()) (stop func() bool) {
	s := l.now.Load()
	for s == nil {
		l.now.CompareAndSwap(nil, &lifeState{joined: make(map[*func()]struct{})})
		s = l.now.Load()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.ended() != nil {
		go f() // not here: package context holds a lock that f takes
		return func() bool { return false }
	}
	s.joined[&f] = struct{}{}
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		_, waits := s.joined[&f]
		delete(s.joined, &f)
		return waits
	}
}

// value answers package context's question for the cancellation, which context.Cause asks once the lifetime has ended.
func (l *lifetime) value(key any) any {
	if e := l.ended(); e != nil {
		return e.ctx.Value(key)
	}
	return nil
}

// graceContext has the values of one context and the end of another.
type graceContext struct {
	values  context.Context
	attempt *attempt // the nearest that values come from
	hard    *lifetime
	own     context.Context // ends at the hard stop and with what is between values and the worker's context; nil if that never ends
}

type graceKey struct{}

// graceOf is the grace context that ctx is or was made from, unless the worker's own lies between.
func graceOf(ctx context.Context) *graceContext {
	if g, ok := ctx.(*graceContext); ok {
		return g
	}
	g, _ := ctx.Value(graceKey{}).(*graceContext)
	return g
}

// underGrace reports whether ctx comes from a grace context of a, as that of a unit of work does.
func underGrace(ctx context.Context, a *attempt) bool {
	g := graceOf(ctx)
	return g != nil && g.attempt == a
}

// ownEnd is a context that ends when ctx ends for a reason of its own, and at the hard stop. ctx comes from the context of a.
func ownEnd(ctx context.Context, a *attempt, hard *lifetime) context.Context {
	base, release := context.WithoutCancel(ctx), context.CancelFunc(func() {})
	if at, ok := ctx.Deadline(); ok { // it holds also after the soft stop, which ends ctx
		base, release = context.WithDeadline(base, at)
	}
	own, cancel := context.WithCancelCause(base)
	context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !isSoftStopOf(cause, a) && ctx.Err() != context.DeadlineExceeded {
			cancel(cause)
		}
	})
	stop := hard.afterFunc(func() { cancel(hard.ended().cause) })
	context.AfterFunc(own, func() {
		stop()
		release()
	})
	return own
}

// isSoftStopOf reports whether a context ended because the worker's did.
func isSoftStopOf(cause error, a *attempt) bool {
	e := a.soft.ended()
	return e != nil && cause == error(e.cause) //nolint:errorlint // it is the very one
}

func (c *graceContext) Deadline() (time.Time, bool) {
	at, ok := c.attempt.hardAt()
	if c.own != nil {
		if own, has := c.own.Deadline(); has && (!ok || own.Before(at)) {
			return own, true
		}
	}
	return at, ok
}

func (c *graceContext) Done() <-chan struct{} {
	if c.own != nil {
		return c.own.Done()
	}
	return c.hard.done
}

func (c *graceContext) Err() error {
	if c.own != nil {
		return c.own.Err()
	}
	return c.hard.err()
}

// AfterFunc is what package context asks for, so that contexts made from this one need no goroutine.
func (c *graceContext) AfterFunc(f func()) (stop func() bool) {
	if c.own != nil {
		return context.AfterFunc(c.own, f)
	}
	return c.hard.afterFunc(f)
}

// Value asks for the cancellation first where the end is, since the values come from a context that may have ended.
func (c *graceContext) Value(key any) any {
	if _, ok := key.(graceKey); ok {
		return c
	}
	if c.own != nil {
		if v := c.own.Value(key); v != nil {
			return v
		}
		return c.values.Value(key)
	}
	if v := c.hard.value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

func (c *graceContext) String() string { return "grace of " + c.attempt.String() }
