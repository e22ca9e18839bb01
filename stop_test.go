package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// ignores is a worker that ignores the soft stop, and the hard stop too, for a time.
func ignores(d time.Duration) lastcall.Func {
	return func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(d)
		return nil
	}
}

// untilCut is a worker that ignores the soft stop and returns at the hard stop.
func untilCut(ctx context.Context) error {
	<-lastcall.Grace(ctx).Done()
	return context.Cause(lastcall.Grace(ctx))
}

func TestBudgetKeepsAReserveForLaterLayers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		// Three layers in 12 s: each but the first keeps 12/6 = 2 s.
		j := newJournal()
		var left string
		g := lastcall.Group{Grace: 12 * time.Second, HardStop: 3 * time.Second, Observe: j.states}
		g.Go("web", untilCut, lastcall.After("app"))
		g.Go("app", ignores(time.Hour), lastcall.After("db"))
		g.Go("db", func(ctx context.Context) error {
			<-ctx.Done()
			grace := lastcall.Grace(ctx)
			deadline, ok := grace.Deadline()
			left = fmt.Sprintf("a live context: %v, with a deadline: %v, in %v", grace.Err() == nil, ok, time.Until(deadline))
			<-grace.Done()
			return grace.Err()
		})
		err := runFor(t, &g, time.Second)
		j.expect(t,
			"0s group starting", "0s db starting", "0s db ready", "0s app starting", "0s app ready", "0s web starting", "0s web ready", "0s group ready",
			"1s group stopping", "1s web stopping",
			"9s web cut", "9s web stopped",
			"9s app stopping", "11s app cut",
			"12s app abandoned",
			"12s db stopping",
			"13s db cut", "13s db stopped",
			"13s group stopped")
		if left != "a live context: true, with a deadline: true, in 1s" {
			t.Errorf("when it was told, db had %s", left)
		}
		if lastcall.ExitCode(err) != 4 {
			t.Errorf("exit status %d for %v", lastcall.ExitCode(err), err)
		}
		if r := g.Report(); !r.HardStop.Equal(r.Started.Add(13 * time.Second)) {
			t.Errorf("the group's hard stop was at %v", r.HardStop.Sub(r.Started))
		}
		time.Sleep(2 * time.Hour) // the bubble must be empty at the end
	})
}

func TestUnspentTimeRollsOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{Grace: 12 * time.Second}
		var left time.Duration
		g.Go("web", untilStop, lastcall.After("db"))
		g.Go("db", func(ctx context.Context) error {
			<-ctx.Done()
			deadline, _ := lastcall.Grace(ctx).Deadline()
			left = time.Until(deadline)
			return nil
		})
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
		if left != 12*time.Second {
			t.Errorf("the last layer has %v, want all 12s", left)
		}
	})
}

func TestStopWithinCutsOnlyItsWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.State == lastcall.StateCut || e.State == lastcall.StateStopped {
				j.states(e)
			}
		}}
		g.Go("short", untilCut, lastcall.StopWithin(2*time.Second))
		g.Go("long", func(ctx context.Context) error {
			<-ctx.Done()
			return lastcall.Sleep(lastcall.Grace(ctx), 10*time.Second)
		})
		err := runFor(t, &g, 0)
		j.expect(t, "2s short cut", "2s short stopped", "10s long stopped", "10s group stopped")
		cut := workerError(err, lastcall.ErrInterrupted)
		if cut == nil || cut.Name != "short" {
			t.Errorf("got %v", err)
		}
	})
}

func TestTheWholeStopIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		for i := range 5 {
			opts := []lastcall.Option{}
			if i > 0 {
				opts = append(opts, lastcall.After(fmt.Sprint("w", i-1)))
			}
			g.Go(fmt.Sprint("w", i), ignores(time.Hour), opts...)
		}
		began := time.Now()
		err := runFor(t, &g, 0)
		if took := time.Since(began) - 1; took != lastcall.DefaultGrace+lastcall.DefaultHardStop {
			t.Errorf("took %v", took)
		}
		for i := range 5 {
			if !strings.Contains(err.Error(), fmt.Sprintf("w%d: abandoned", i)) {
				t.Errorf("w%d is not named in %v", i, err)
			}
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestTheStuckLeafIsNamedNotItsGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var leaf, middle, root lastcall.Group
		leaf.Go("stuck", ignores(time.Hour))
		leaf.Go("fine", untilStop)
		middle.Add("leaf", &leaf)
		middle.Go("fine", untilStop)
		root.Add("middle", &middle)
		root.Go("fine", untilStop)
		began := time.Now()
		err := runFor(t, &root, 0)
		left := workerError(err, lastcall.ErrAbandoned)
		if left == nil || left.Name != "middle/leaf/stuck" {
			t.Fatalf("got %v", err)
		}
		if _, several := err.(interface{ Unwrap() []error }); several {
			t.Errorf("more than the leaf is named: %v", err)
		}
		if took := time.Since(began); took >= lastcall.DefaultGrace+lastcall.DefaultHardStop {
			t.Errorf("took %v", took)
		}
		for _, w := range root.Report().Workers {
			if want := w.Name == "middle/leaf/stuck"; want != (w.State == lastcall.StateAbandoned) {
				t.Errorf("%s is %v", w.Name, w.State)
			}
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestANestedGroupHasTheTimeThatIsLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var inner lastcall.Group
		root := lastcall.Group{Grace: time.Minute}
		var left time.Duration
		inner.Go("slow", func(ctx context.Context) error {
			<-ctx.Done()
			deadline, _ := lastcall.Grace(ctx).Deadline()
			left = time.Until(deadline)
			return nil
		})
		root.Add("inner", &inner)
		if err := runFor(t, &root, 0); err != nil {
			t.Error(err)
		}
		if left != time.Minute-250*time.Millisecond {
			t.Errorf("the worker has %v of the minute", left)
		}
	})
}

func TestAwaitingIsToldAtGrowingIntervals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var inner lastcall.Group
		g := lastcall.Group{Grace: 12 * time.Second, Observe: func(e lastcall.Event) {
			if e.Kind == lastcall.EventAwaiting {
				var names []string
				for _, a := range e.Awaited {
					names = append(names, a.String())
				}
				j.addAt("%s", strings.Join(names, "; "))
			}
		}}
		inner.Go("leaf", func(ctx context.Context) error {
			<-ctx.Done()
			lastcall.Status(ctx, "flushing")
			return lastcall.Sleep(lastcall.Grace(ctx), 2*time.Second)
		})
		g.Add("inner", &inner)
		g.Go("web", func(ctx context.Context) error {
			go lastcall.Do(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Hour) })
			return untilStop(ctx)
		})
		runFor(t, &g, time.Second)
		j.expect(t,
			"2s inner/leaf (1s, flushing); web (1s, 1 in flight)",
			"4s web (3s, 1 in flight)",
			"8s web (7s, 1 in flight)")
	})
}

// A forgotten Ready is said while the group starts, with what waits for it, and no more once the group is ready.
func TestAwaitingIsToldWhileStarting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		inner := new(lastcall.Group)
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.Kind == lastcall.EventAwaiting {
				var names []string
				for _, a := range e.Awaited {
					names = append(names, a.String())
				}
				j.addAt("%s: %s", e.State, strings.Join(names, "; "))
			}
		}}
		inner.Go("cache", func(ctx context.Context) error {
			lastcall.Unready(ctx, "no route to the origin")
			lastcall.Sleep(ctx, 2*time.Second)
			lastcall.Ready(ctx)
			return untilStop(ctx)
		}, lastcall.AwaitReady(0))
		g.Add("edge", inner)
		failed := false
		g.Go("db", func(ctx context.Context) error {
			if !failed {
				failed = true
				return errors.New("no such host")
			}
			lastcall.Status(ctx, "replaying the journal")
			return untilStop(ctx) // Ready is forgotten
		}, lastcall.AwaitReady(0), lastcall.Restart(lastcall.RestartPolicy{MinDelay: 2 * time.Second}))
		g.AddN("pool", 2, func(replica int) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error {
				lastcall.Sleep(ctx, time.Duration(replica-1)*5*time.Second)
				lastcall.Ready(ctx)
				return untilStop(ctx)
			})
		}, lastcall.AwaitReady(0))
		g.Go("fine", untilStop)
		g.Go("api", untilStop, lastcall.After("db", "pool", "fine"))
		g.Go("late", func(ctx context.Context) error {
			lastcall.Sleep(ctx, 20*time.Second)
			return g.Replace(ctx, "db", lastcall.Func(untilStop))
		})
		if err := runFor(t, &g, time.Hour); err != nil {
			t.Error(err)
		}
		got := strings.Join(j.list(), "\n")
		got = regexp.MustCompile(`\([^ ]+, replaying`).ReplaceAllString(got, "(N, replaying") // its back-off has jitter
		want := `1s starting: db to be ready (restarting for 1s, no such host); edge/cache to be ready (1s, no route to the origin); pool-2 to be ready (1s); api (waits for db, pool-2)
3s starting: pool-2 to be ready (3s); db to be ready (N, replaying the journal); api (waits for db, pool-2)
7s starting: db to be ready (N, replaying the journal); api (waits for db)
15s starting: db to be ready (N, replaying the journal); api (waits for db)`
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestSlowListenerMissesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		seen := 0
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			time.Sleep(time.Millisecond)
			seen++
		}}
		const n = 50
		for i := range n {
			g.Go(fmt.Sprint("w", i), untilStop)
		}
		if err := runFor(t, &g, time.Hour); err != nil {
			t.Error(err)
		}
		// The group: starting, ready, stopping, stopped; each worker the same.
		if want := 4*n + 4; seen != want {
			t.Errorf("%d events when Run returned, want %d", seen, want)
		}
	})
}

func TestAListenersPanicIsContained(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{Observe: func(e lastcall.Event) { panic("listener") }}
		g.Go("w", untilStop)
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
	})
}
