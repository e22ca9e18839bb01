package lastcalltest

import (
	"context"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// limit is how long AwaitReady and AwaitInFlight wait, in virtual time inside a bubble.
const limit = 30 * time.Second

// secondSignal is how long after the first signal another one counts as the second: repeats within 100 ms count once.
const secondSignal = 101 * time.Millisecond

// A Running is a worker that a test has started. Its methods are called by the test's goroutine.
type Running struct {
	tb      testing.TB
	name    string
	group   *lastcall.Group
	signals chan os.Signal
	done    chan struct{} // closed when the worker has ended
	err     error         // of lastcall.Run, once done is closed
	told    time.Time     // when Stop sent the signal; zero before
	cut     bool          // HardStop was called
}

// Go is Start for a function.
func Go(tb testing.TB, name string, fn func(context.Context) error, opts ...lastcall.Option) *Running {
	tb.Helper()
	return Start(tb, name, lastcall.Func(fn), opts...)
}

// Start starts w under injected signals, with the default grace period of 25 s and the given options, such as
// [lastcall.AwaitReady] for a worker that calls [lastcall.Ready]. A [lastcall.Group] runs with its own grace period, lame duck
// and hard stop, and takes no options. The name is for messages and, except for a Group, for the report.
//
// At the end of the test a worker that still runs is stopped, and must finish as in [Running.AssertFinished].
func Start(tb testing.TB, name string, w lastcall.Worker, opts ...lastcall.Option) *Running {
	tb.Helper()
	if _, isGroup := w.(*lastcall.Group); isGroup && len(opts) > 0 {
		tb.Fatalf("%s is a Group, which takes no options here: add it to another Group with them", name)
	}
	r := begin(name, w, opts...)
	r.tb = tb
	tb.Cleanup(func() {
		tb.Helper()
		if !r.ended() {
			r.AssertFinished()
		}
	})
	return r
}

// begin starts w.
func begin(name string, w lastcall.Worker, opts ...lastcall.Option) *Running {
	r := &Running{name: name, signals: make(chan os.Signal, 2), done: make(chan struct{})}
	if group, ok := w.(*lastcall.Group); ok {
		r.group = group
	} else {
		r.group = &lastcall.Group{Observe: func(lastcall.Event) {}} // what went wrong is in the error, and in no log
		r.group.Add(name, w, opts...)
	}
	go func() {
		defer close(r.done)
		r.err = lastcall.Run(context.Background(), r.group, lastcall.FromSignals(r.signals))
	}()
	return r
}

// AwaitReady returns when the worker is ready: when it has called [lastcall.Ready], where it was started with
// [lastcall.AwaitReady], otherwise when its function runs, which inside a bubble means until it is blocked. It ends the test
// if the worker fails, or is not ready in 30 s.
func (r *Running) AwaitReady() {
	r.tb.Helper()
	var unready error
	if r.await(func() bool { unready = r.group.Ready(); return unready == nil }) || r.ended() && r.err == nil {
		return
	}
	if r.ended() {
		r.tb.Fatalf("%s ended before it was ready%s", r.name, r.judge().text())
	}
	r.tb.Fatalf("%s is not ready after %v: %v", r.name, limit, unready)
}

// AwaitInFlight returns when the worker has at least n units of work in flight: calls of [lastcall.Do], items of
// [lastcall.Each], ticks of [lastcall.Every] or requests of package serve. For a Group it is the sum of its workers. It ends
// the test if the worker ends before, or there are fewer after 30 s.
func (r *Running) AwaitInFlight(n int) {
	r.tb.Helper()
	units := 0
	if r.await(func() bool { units = r.inFlight(); return units >= n }) {
		return
	}
	const counted = "counted is what runs under lastcall.Do, Each or Every, or is served by package serve"
	if r.ended() {
		r.tb.Fatalf("%s ended and never had %d in flight (%s)%s", r.name, n, counted, r.judge().text())
	}
	r.tb.Fatalf("%s has %d in flight after %v, want %d (%s)", r.name, units, limit, n, counted)
}

// Stop begins the soft stop, as SIGTERM does, and returns when it has begun; the worker may still run. A Group with a lame
// duck begins that. A worker that has ended, or is stopping already, is left alone.
func (r *Running) Stop() {
	if !r.told.IsZero() || r.ended() {
		return
	}
	r.told = time.Now()
	r.signal()
	r.await(func() bool {
		report := r.group.Report()
		return !report.LameDuck.IsZero() || !report.SoftStop.IsZero()
	})
}

// HardStop cuts work in flight, as a second signal does, and returns when the hard stop has begun; the worker may still run.
// It begins the soft stop first if need be. A second signal counts from 100 ms after the first, so HardStop may take as long.
func (r *Running) HardStop() {
	r.Stop()
	if r.cut || r.ended() {
		return
	}
	r.cut = true
	select {
	case <-r.done:
		return
	case <-time.After(secondSignal - time.Since(r.told)):
	}
	r.signal()
	r.await(func() bool { return !r.group.Report().HardStop.IsZero() })
}

// signal sends SIGTERM. The channel has room for all that are ever sent.
func (r *Running) signal() { r.signals <- syscall.SIGTERM }

// Wait returns when the worker has ended or was abandoned, with the error of [lastcall.Run]. It stops nothing.
func (r *Running) Wait() error {
	<-r.done
	return r.err
}

// Report is what is known of the worker now, see [lastcall.Group.Report].
func (r *Running) Report() lastcall.Report { return r.group.Report() }

// ended reports whether the worker has ended.
func (r *Running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// inFlight is how many units of work are in flight now, or were at the soft stop.
func (r *Running) inFlight() (units int) {
	for _, w := range r.group.Report().Workers {
		if !w.Group {
			units += w.InFlight
		}
	}
	return units
}

// await reports whether condition became true before the worker ended and the limit was over. Inside a bubble it looks each
// time when everything is blocked.
func (r *Running) await(condition func() bool) bool {
	bubble := inBubble()
	for deadline := time.Now().Add(limit); ; {
		if bubble {
			synctest.Wait()
		}
		if condition() {
			return true
		}
		if !time.Now().Before(deadline) {
			return false
		}
		select {
		case <-r.done:
			return condition()
		case <-time.After(time.Millisecond):
		}
	}
}

// inBubble reports whether the caller is in a bubble of testing/synctest.
func inBubble() (in bool) {
	defer func() { in = recover() == nil }()
	synctest.Wait()
	return true
}
