package lastcalltest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/lastcalltest"
)

// A recorder is a testing.TB that keeps what a test says of itself.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	messages []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// record runs test as a test of its own and returns what it said.
func record(test func(tb testing.TB)) string {
	r := new(recorder)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(r.cleanups) - 1; i >= 0; i-- {
				r.cleanups[i]()
			}
		}()
		test(r)
	}()
	<-done
	return strings.Join(r.messages, "\n")
}

// An ending is a worker, what is asserted of its stop, and what the test says then.
type ending struct {
	name   string
	worker func(ctx context.Context, release <-chan struct{}) error
	assert func(w *lastcalltest.Running)
	want   []string // parts of the message; none where the worker ends as asserted
}

func (e ending) play(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		got := record(func(tb testing.TB) {
			w := lastcalltest.Go(tb, "mailer", func(ctx context.Context) error { return e.worker(ctx, release) })
			w.AwaitReady()
			e.assert(w)
		})
		expect(t, got, e.want...)
	})
}

// Each kind of wrong worker fails with a message that names it, and a correct one with none.
func TestAssertFinished(t *testing.T) {
	finished := func(w *lastcalltest.Running) { w.AssertFinished() }
	for _, test := range []ending{
		{"waits for the stop", well, finished, nil},
		{"finishes what is in flight", func(ctx context.Context, _ <-chan struct{}) error {
			return lastcall.Do(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, 20*time.Second) })
		}, finished, nil},
		{"completes", func(context.Context, <-chan struct{}) error { return nil }, finished, nil},
		{"fails", func(ctx context.Context, _ <-chan struct{}) error {
			<-ctx.Done()
			return errors.New("flush: disk full")
		}, finished, []string{"mailer did not stop well", "failed: mailer: flush: disk full"}},
		{"panics", func(ctx context.Context, _ <-chan struct{}) error {
			<-ctx.Done()
			panic("closed twice")
		}, finished, []string{"failed: mailer: panic: closed twice", "lastcalltest_test.TestAssertFinished"}},
		{"takes too long", tooLong, finished, []string{"mailer: interrupted by the hard stop, 1 unit in flight cut"}},
		{"ignores the stop", func(ctx context.Context, release <-chan struct{}) error {
			lastcall.Status(ctx, "waiting for a reply")
			<-release
			return nil
		}, finished, []string{"mailer: abandoned, still running 28s after its soft stop (waiting for a reply)", "lastcalltest_test.TestAssertFinished"}},
		{"uses the wrong context", func(ctx context.Context, _ <-chan struct{}) error {
			return lastcall.Do(ctx, func(context.Context) error { return lastcall.Sleep(ctx, time.Second) })
		}, finished, []string{"mailer: work lost, 1 unit: used the worker's context"}},
		{"leaves a queue", func(ctx context.Context, _ <-chan struct{}) error {
			queue := make(chan int, 9)
			queue <- 1
			queue <- 2
			return lastcall.Drain(ctx, queue, func(context.Context, int) error { return errors.New("disk full") })
		}, finished, []string{"failed: mailer: disk full", "mailer: work lost, 1 unit: left in the source"}},
		{"leaks a goroutine", leaks, finished, []string{"left: mailer: goroutines that it started still run", "lastcalltest_test.flush"}},
	} {
		t.Run(test.name, test.play)
	}
}

func flush(release <-chan struct{}) { <-release }

// expect is a message with these parts, or none.
func expect(t *testing.T, got string, parts ...string) {
	t.Helper()
	if len(parts) == 0 && got != "" {
		t.Errorf("it failed with\n%s", got)
	}
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("the message has no %q:\n%s", part, got)
		}
	}
}

// The other three ways to end, each of a worker that ends so and of one that stops well.
func TestAssertions(t *testing.T) {
	for _, test := range []ending{
		{"cut", tooLong, (*lastcalltest.Running).AssertCut, nil},
		{"cut, well", well, (*lastcalltest.Running).AssertCut, []string{"mailer was not cut by the hard stop:\n    it stopped well"}},
		{"cut, leaks", func(ctx context.Context, release <-chan struct{}) error {
			go flush(release)
			return tooLong(ctx, release)
		}, (*lastcalltest.Running).AssertCut, []string{"mailer was cut and did not end well"}},
		{"abandoned", stuck, (*lastcalltest.Running).AssertAbandoned, nil},
		{"abandoned, well", well, (*lastcalltest.Running).AssertAbandoned, []string{"mailer was not abandoned:\n    it stopped well"}},
		{"leaked", leaks, (*lastcalltest.Running).AssertLeaked, nil},
		{"leaked, well", well, (*lastcalltest.Running).AssertLeaked, []string{"mailer left no goroutine behind:\n    it stopped well"}},
	} {
		t.Run(test.name, test.play)
	}
}

func well(ctx context.Context, _ <-chan struct{}) error {
	<-ctx.Done()
	return nil
}

func tooLong(ctx context.Context, _ <-chan struct{}) error {
	return lastcall.Do(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Hour) })
}

func stuck(_ context.Context, release <-chan struct{}) error {
	<-release
	return nil
}

func leaks(ctx context.Context, release <-chan struct{}) error {
	go flush(release)
	<-ctx.Done()
	return nil
}

// A worker that is never ready, or never has work in flight, ends the test, which says why; and the worker is stopped.
func TestAwait(t *testing.T) {
	idle := func(ctx context.Context) error { return well(ctx, nil) }
	fails := func(context.Context) error { return errors.New("connection refused") }
	for _, test := range []struct {
		name string
		test func(tb testing.TB)
		want []string
	}{
		{"ready", func(tb testing.TB) { lastcalltest.Go(tb, "db", idle).AwaitReady() }, nil},
		{"ready by itself", func(tb testing.TB) {
			w := lastcalltest.Go(tb, "db", func(ctx context.Context) error {
				lastcall.Sleep(ctx, 3*time.Second)
				lastcall.Ready(ctx)
				return idle(ctx)
			}, lastcall.AwaitReady(0))
			began := time.Now()
			w.AwaitReady()
			if took := time.Since(began); took < 3*time.Second {
				tb.Errorf("ready after %v", took)
			}
		}, nil},
		{"never ready", func(tb testing.TB) { lastcalltest.Go(tb, "db", idle, lastcall.AwaitReady(0)).AwaitReady() },
			[]string{"db is not ready after 30s: ", "db"}},
		{"fails to start", func(tb testing.TB) { lastcalltest.Go(tb, "db", fails, lastcall.AwaitReady(0)).AwaitReady() },
			[]string{"db ended before it was ready:\n    failed: db: connection refused"}},
		{"cannot run", func(tb testing.TB) { lastcalltest.Go(tb, "a/b", idle).AwaitReady() },
			[]string{"a/b ended before it was ready:\n    failed: lastcall: worker \"a/b\""}},
		{"no work", func(tb testing.TB) { lastcalltest.Go(tb, "db", idle).AwaitInFlight(1) },
			[]string{"db has 0 in flight after 30s, want 1"}},
		{"ends without work", func(tb testing.TB) { lastcalltest.Go(tb, "db", fails).AwaitInFlight(2) },
			[]string{"db ended and never had 2 in flight", "failed: db: connection refused"}},
		{"a group with options", func(tb testing.TB) { lastcalltest.Start(tb, "db", new(lastcall.Group), lastcall.Essential()) },
			[]string{"db is a Group, which takes no options here"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { expect(t, record(test.test), test.want...) })
		})
	}
}

// A test that forgets the stop stops its worker, and hears what went wrong.
func TestStopAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		got := record(func(tb testing.TB) {
			lastcalltest.Go(tb, "db", func(ctx context.Context) error {
				<-ctx.Done()
				ended = true
				return errors.New("flush: disk full")
			})
		})
		expect(t, got, "db did not stop well:\n    failed: db: flush: disk full")
		if !ended {
			t.Error("the worker still runs")
		}
	})
}

// Stop returns while the worker stops, HardStop when it is cut, a group's lame duck and grace period are its own, and Wait has
// the error of Run.
func TestStopHardStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group := lastcall.Group{LameDuck: 2 * time.Second, Grace: time.Minute}
		var soft, hard time.Time
		began := time.Now()
		group.Go("web", func(ctx context.Context) error {
			<-ctx.Done()
			soft = time.Now()
			<-lastcall.Grace(ctx).Done()
			hard = time.Now()
			return nil
		})
		w := lastcalltest.Start(t, "shop", &group)
		w.AwaitReady()
		w.Stop()
		if report := w.Report(); report.LameDuck.IsZero() || !report.SoftStop.IsZero() {
			t.Errorf("the lame duck has not just begun:\n%v", report)
		}
		time.Sleep(10 * time.Second)
		w.HardStop()
		err := w.Wait()
		w.AssertCut()
		if got := []time.Duration{soft.Sub(began), hard.Sub(began)}; got[0] != 2*time.Second || got[1] != 10*time.Second {
			t.Errorf("soft and hard stop after %v", got)
		}
		if lastcall.ExitCode(err) != 4 {
			t.Errorf("Wait returned %v", err)
		}
	})
}

// What was accepted and not finished is named.
func TestWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := record(func(tb testing.TB) {
			var work lastcalltest.Work
			for i := range 4 {
				work.Accept(i)
			}
			w := lastcalltest.Go(tb, "packer", func(ctx context.Context) error {
				work.Finish(2)
				work.Finish(0)
				return well(ctx, nil)
			})
			w.AwaitReady()
			w.AssertFinished(&work)
		})
		expect(t, got, "packer did not stop well:\n    lost: accepted and not finished: 1, 3\n")
	})
}

// Outside a bubble all works in real time.
func TestRealTime(t *testing.T) {
	finish := make(chan struct{})
	w := lastcalltest.Go(t, "worker", func(ctx context.Context) error {
		lastcall.Ready(ctx)
		return lastcall.Do(ctx, func(context.Context) error { <-finish; return nil })
	}, lastcall.AwaitReady(0))
	w.AwaitReady()
	w.AwaitInFlight(1)
	w.Stop()
	if w.Report().SoftStop.IsZero() {
		t.Error("the soft stop has not begun")
	}
	close(finish)
	w.AssertFinished()
}

func TestExample(t *testing.T) {
	t.Run("one stop", testMailer)
	t.Run("stress", testMailerStress)
}
