package lastcall

import (
	"context"
	"errors"
	"io"
	"time"
)

// A Worker is long-running work with a name: a goroutine, a server, a child process, a group of workers.
//
// Run blocks until the work is done or ctx ends. ctx ends at the soft stop, which means: take no new work, finish or
// give back what is in flight, return. Work that is in flight runs under [Grace](ctx), which ends at the hard stop.
// Returning nil is completion; returning ctx.Err() after the soft stop is a clean end; any other error, a panic and
// runtime.Goexit are failures, which stop the group unless a [Restart] policy says otherwise.
//
// A panic of Run is recovered, since one worker's panic must not skip the graceful stop of the others: it is reported
// at once with its stack, and the exit status is 1. A panic on a goroutine that the worker started ends the process, as
// usual.
//
// A Group calls Run on a goroutine of its own, once per start.
type Worker interface {
	Run(ctx context.Context) error
}

// A Func is a function as a [Worker].
type Func func(ctx context.Context) error

// Run calls f.
func (f Func) Run(ctx context.Context) error { return f(ctx) }

// selfReadier is a worker that reports by itself when it is ready, see [AwaitReady].
type selfReadier interface {
	ReadyWithin() time.Duration
}

// Name returns the worker's name with those of the groups around it, outermost first: "group/worker".
// Outside a group it returns "".
func Name(ctx context.Context) string {
	if a := workerOf(ctx, "Name"); a != nil {
		return a.m.path()
	}
	return ""
}

// Ready says that the worker does its job, so that its dependents may start. It is needed only if the worker was added
// with [AwaitReady], and after [Unready]; otherwise a worker is ready when its function is entered. It may be called
// from any goroutine and any number of times; once the soft stop began, and outside a group, it does nothing.
func Ready(ctx context.Context) {
	if a := workerOf(ctx, "Ready"); a != nil {
		a.m.run.ready(a)
	}
}

// Unready says that the worker cannot do its job at the moment, and why. It shows in [Group.Ready] and in the
// report, and ends with the next [Ready]. Dependents that have started keep running. Outside a group it does nothing.
func Unready(ctx context.Context, reason string) {
	if a := workerOf(ctx, "Unready"); a != nil {
		a.m.run.unready(a, reason)
	}
}

// Status says in a few words what the worker is doing. The latest status is shown wherever the stop waits for the
// worker: in the log, on the terminal, in the report, and in the error if the worker is abandoned. Outside a group it
// does nothing.
func Status(ctx context.Context, text string) {
	if a := workerOf(ctx, "Status"); a != nil {
		a.m.run.status(a, text)
	}
}

// LameDuck returns a channel that is closed when the group begins to stop: at the start of its lame-duck delay, in
// which it still serves but is no longer ready, or at the soft stop if there is no delay. Outside a group it returns
// ctx.Done().
func LameDuck(ctx context.Context) <-chan struct{} {
	if a := workerOf(ctx, "LameDuck"); a != nil {
		return a.m.run.lameDuck
	}
	return ctx.Done()
}

// Sleep waits for d and returns nil, or returns ctx.Err() as soon as ctx ends. It costs nothing while it waits.
// With d ≤ 0 it returns ctx.Err() at once. It needs no worker.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Every returns a worker that calls fn once per period d, first after d has passed, until the soft stop. A call is one
// unit of in-flight work, as in [Do]: it finishes after the soft stop. Calls never overlap; the ticks during a call
// that outlasts the period are skipped. An error of fn ends the worker with that error.
//
// Outside a group the worker returns when its context ends, which ends a call of fn as well.
func Every(d time.Duration, fn Func) Func { return every("Every", d, fn, false) }

// NowAndEvery is [Every] with a first call at once. The worker is ready when its function is entered, not when the
// first call has returned; if dependents need that call, have fn call [Ready] and add the worker with [AwaitReady].
func NowAndEvery(d time.Duration, fn Func) Func { return every("NowAndEvery", d, fn, true) }

func every(name string, d time.Duration, fn Func, now bool) Func {
	return func(ctx context.Context) error {
		switch {
		case d <= 0:
			return errors.New("lastcall." + name + ": the period must be positive, not " + d.String())
		case fn == nil:
			return errors.New("lastcall." + name + ": nil function")
		}
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		for first := now; ; first = false {
			if !first {
				select {
				case <-ctx.Done():
					return nil
				case <-ticker.C:
				}
			}
			if err := Do(ctx, fn); errors.Is(err, ErrStopping) && ctx.Err() != nil {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

// Closer returns a worker that waits for the soft stop and then calls fn under [Grace](ctx), such as the Shutdown
// method of a tracer provider or a function that closes a database:
//
//	group.Add("db", lastcall.Closer(func(context.Context) error { return db.Close() }))
//	group.Add("web", web, lastcall.After("db"))
//
// Workers that use what fn closes are added with [After], so that they have returned, or were abandoned, when fn is
// called. After the hard stop fn is called as well, with a context that has ended. An error of fn is the worker's
// failure, or, if the hard stop cut it, [ErrInterrupted].
//
// Use it instead of "<-ctx.Done(); return x.Shutdown(ctx)", where the context has ended before Shutdown begins. Where
// such a call waits for something and so gives up, it is reported as work lost, see [ErrLost].
//
// Outside a group fn is called when ctx ends, with a context that does not end.
func Closer(fn func(context.Context) error) Func {
	return func(ctx context.Context) error {
		if fn == nil {
			return errors.New("lastcall.Closer: nil function")
		}
		<-ctx.Done()
		if workerOf(ctx, "Closer") == nil {
			return fn(context.WithoutCancel(ctx))
		}
		return Track(ctx, fn)
	}
}

// Each is the loop of a worker that takes items from a source outside the process, such as a broker, and handles them
// one at a time: take under ctx, handle under [Grace](ctx). An item that was taken is always handled, even if the soft
// stop comes in between, and counts as in flight. To handle several items at once, call Each on several goroutines of
// the worker.
//
// Each returns nil at the soft stop, and when take returns io.EOF, the end of the source; otherwise the first error of
// take or handle. Once the soft stop began, an error of take means only that nothing was taken. Items that are still in
// the source stay there: for a channel or a queue in memory, whose items end with the process, see [Drain] and
// [DrainFunc]. Outside a group the end of ctx is the soft stop and the end of the work in hand as well.
func Each[T any](ctx context.Context, take func(context.Context) (T, error), handle func(context.Context, T) error) error {
	a := workerOf(ctx, "Each")
	for {
		item, refused, err := takeOne(ctx, a, take)
		switch {
		case refused:
			return nil
		case err != nil && (ctx.Err() != nil || errors.Is(err, io.EOF)):
			return nil
		case err != nil:
			return err
		}
		work := func(ctx context.Context) error { return handle(ctx, item) }
		if a == nil {
			err = work(ctx)
		} else {
			err = a.unit(ctx, work)
		}
		if err != nil {
			return err
		}
	}
}
