package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

func TestWorkersStartWhenTheirDependenciesAreReadyAndStopInReverse(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		g := lastcall.Group{Observe: j.states}
		slow := func(start, stop time.Duration) lastcall.Func {
			return func(ctx context.Context) error {
				lastcall.Sleep(ctx, start)
				lastcall.Ready(ctx)
				<-ctx.Done()
				return lastcall.Sleep(lastcall.Grace(ctx), stop)
			}
		}
		g.Go("web", slow(time.Second, time.Second), lastcall.After("cache", "db"), lastcall.AwaitReady(0))
		g.Go("cache", slow(2*time.Second, 2*time.Second), lastcall.After("db"), lastcall.AwaitReady(0))
		g.Go("db", slow(3*time.Second, 3*time.Second), lastcall.AwaitReady(0))
		if err := runFor(t, &g, 10*time.Second); err != nil {
			t.Error(err)
		}
		j.expect(t,
			"0s group starting",
			"0s db starting", "3s db ready",
			"3s cache starting", "5s cache ready",
			"5s web starting", "6s web ready", "6s group ready",
			"10s group stopping",
			"10s web stopping", "11s web stopped",
			"11s cache stopping", "13s cache stopped",
			"13s db stopping", "16s db stopped",
			"16s group stopped")
	})
}

func TestIndependentWorkersStopTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		for i := range 10 {
			g.Go(fmt.Sprint("a", i), func(ctx context.Context) error {
				<-ctx.Done()
				return lastcall.Sleep(lastcall.Grace(ctx), 2*time.Second)
			}, lastcall.After("base"))
		}
		g.Go("base", untilStop)
		began := time.Now()
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the stop of ten workers that need 2s each took %v, not 2s", took-time.Second)
		}
	})
}

func TestAWorkerWithOneDependentDoesNotWaitForOthers(t *testing.T) {
	// a and b would share a stop moment if only what they depend on counted.
	bubble(t, func(t *testing.T) {
		j := newJournal()
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.State == lastcall.StateStopping || e.State == lastcall.StateStopped {
				j.states(e)
			}
		}}
		g.Go("db", untilStop)
		g.Go("a", func(ctx context.Context) error {
			<-ctx.Done()
			return lastcall.Sleep(lastcall.Grace(ctx), time.Second)
		}, lastcall.After("db"))
		g.Go("b", func(ctx context.Context) error {
			<-ctx.Done()
			return lastcall.Sleep(lastcall.Grace(ctx), 5*time.Second)
		})
		if err := runFor(t, &g, 0); err != nil {
			t.Error(err)
		}
		if db, b := j.index(t, "1s db stopping"), j.index(t, "5s b stopped"); db > b {
			t.Error("db waited for b, which does not depend on it")
		}
	})
}

func TestAnErrorStopsTheGroupAndIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		boom, late := errors.New("boom"), errors.New("could not flush")
		var g lastcall.Group
		var cause error
		g.Go("bad", func(ctx context.Context) error {
			lastcall.Sleep(ctx, time.Second)
			return fmt.Errorf("reading: %w", boom)
		})
		g.Go("good", func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		})
		g.Go("worse", func(ctx context.Context) error {
			<-ctx.Done()
			return late
		})
		err := g.Run(t.Context())
		if !errors.Is(err, boom) || !errors.Is(err, late) {
			t.Errorf("not all errors are in %v", err)
		}
		var failed *lastcall.WorkerError
		if !errors.As(err, &failed) || failed.Name != "bad" || failed.Starting {
			t.Errorf("the first failure is %+v", failed)
		}
		var stop *lastcall.StopCause
		if !errors.As(cause, &stop) || stop.Reason != lastcall.StopFailure || stop.Worker != "bad" || !errors.Is(cause, boom) || !errors.Is(cause, lastcall.ErrStopping) {
			t.Errorf("the cause that a sibling sees is %#v", cause)
		}
		if lastcall.ExitCode(err) != 1 {
			t.Errorf("exit status %d", lastcall.ExitCode(err))
		}
		if w := worker(t, g.Report(), "good"); w.State != lastcall.StateStopped {
			t.Errorf("a worker that returned ctx.Err() after the soft stop is %v", w.State)
		}
	})
}

func TestContextCanceledBeforeTheStopIsAFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("confused", func(ctx context.Context) error { return context.Canceled })
		if err := g.Run(t.Context()); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAPanicIsAFailureWithValueAndStack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		boom := errors.New("boom")
		j := newJournal()
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.Kind == lastcall.EventPanic {
				j.addAt("%s %v %v", e.Name, e.Err, strings.Contains(e.Stacks, "panicHere"))
			}
		}}
		g.Go("bad", func(ctx context.Context) error {
			// What is in flight does not delay the news.
			go lastcall.Do(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, 3*time.Second) })
			lastcall.Sleep(ctx, time.Second)
			panicHere(boom)
			return nil
		})
		err := g.Run(t.Context())
		var p *lastcall.PanicError
		if !errors.As(err, &p) || p.Value != any(boom) || !strings.Contains(string(p.Stack), "panicHere") || !errors.Is(err, boom) {
			t.Errorf("got %#v", err)
		}
		j.expect(t, "1s bad panic: boom true")
		if w := worker(t, g.Report(), "bad"); !strings.Contains(w.Stacks, "panicHere") {
			t.Errorf("no stack in the report: %+v", w)
		}
	})
}

func panicHere(v any) { panic(v) }

func TestGoexitIsAFailureThatSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("gone", func(ctx context.Context) error { runtime.Goexit(); return nil })
		g.Go("other", untilStop)
		err := g.Run(t.Context())
		if !errors.Is(err, lastcall.ErrFailed) || !strings.Contains(err.Error(), "gone: the worker called runtime.Goexit") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCompletion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		j := newJournal()
		g.Go("migrate", func(ctx context.Context) error {
			j.addAt("migrate")
			return lastcall.Sleep(ctx, time.Second)
		}, lastcall.AwaitReady(0)) // completing counts as ready
		g.Go("serve", func(ctx context.Context) error {
			j.addAt("serve")
			return lastcall.Sleep(ctx, time.Second)
		}, lastcall.After("migrate"))
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
		j.expect(t, "0s migrate", "1s serve")
		if r := g.Report(); r.State != lastcall.StateStopped || !r.SoftStop.IsZero() {
			t.Errorf("after all completed: %+v", r)
		}
	})
}

func TestEssentialStopsTheGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		var cause error
		g.Go("job", func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Second) }, lastcall.Essential())
		g.Go("helper", func(ctx context.Context) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil
		})
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
		var stop *lastcall.StopCause
		if !errors.As(cause, &stop) || stop.Reason != lastcall.StopEssential || stop.Worker != "job" {
			t.Errorf("cause %v", cause)
		}
	})
}

func TestAFailedStart(t *testing.T) {
	for _, test := range []struct {
		name string
		slow lastcall.Func
		want string
	}{
		{"late", untilStop, `slow: not ready within 5s`},
		{"late with a reason", func(ctx context.Context) error {
			lastcall.Unready(ctx, "replaying the journal")
			return untilStop(ctx)
		}, `slow: not ready within 5s (replaying the journal)`},
		{"error", func(ctx context.Context) error { return errors.New("no such file") }, `slow: no such file`},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				started := false
				var g lastcall.Group
				g.Go("base", untilStop)
				g.Go("slow", test.slow, lastcall.AwaitReady(5*time.Second), lastcall.After("base"))
				g.Go("late", func(context.Context) error { started = true; return nil }, lastcall.After("slow"))
				err := g.Run(t.Context())
				if err == nil || err.Error() != test.want {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if lastcall.ExitCode(err) != 3 {
					t.Errorf("exit status %d, want 3", lastcall.ExitCode(err))
				}
				if started {
					t.Error("what depends on the worker was started")
				}
				if w := worker(t, g.Report(), "slow"); w.State != lastcall.StateFailed {
					t.Errorf("the worker is %v", w.State)
				}
			})
		})
	}
}

func TestAStopDuringTheStartStartsNothingMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		g := lastcall.Group{Observe: j.states, Grace: 2 * time.Minute, LameDuck: time.Minute}
		g.Go("db", func(ctx context.Context) error {
			<-ctx.Done()
			return lastcall.Sleep(lastcall.Grace(ctx), time.Second)
		}, lastcall.AwaitReady(0))
		g.Go("web", untilStop, lastcall.After("db"))
		if err := runFor(t, &g, 2*time.Second); err != nil {
			t.Error(err)
		}
		j.expect(t, "0s group starting", "0s db starting", "2s group stopping", "2s web stopped", "2s db stopping", "3s db stopped", "3s group stopped")
	})
}

func TestRunWithAContextThatHasEndedStartsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("w", func(context.Context) error { t.Error("started"); return nil })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestBadInput(t *testing.T) {
	nothing := lastcall.Func(func(context.Context) error { panic("started") })
	nested := func(fill func(*lastcall.Group)) *lastcall.Group {
		var g lastcall.Group
		fill(&g)
		return &g
	}
	self := new(lastcall.Group)
	self.Add("self", self)
	for _, test := range []struct {
		name string
		g    *lastcall.Group
		want []string
	}{
		{"nil worker", nested(func(g *lastcall.Group) { g.Add("w", nil) }), []string{`worker "w" is nil`}},
		{"nil function", nested(func(g *lastcall.Group) { g.Go("w", nil) }), []string{`worker "w" is nil`}},
		{"nil group", nested(func(g *lastcall.Group) { g.Add("w", (*lastcall.Group)(nil)) }), []string{`worker "w" is nil`}},
		{"empty name", nested(func(g *lastcall.Group) { g.Add("", nothing) }), []string{"lastcall.Func", "empty name"}},
		{"nil option", nested(func(g *lastcall.Group) { g.Add("w", nothing, nil) }), []string{`worker "w": nil option`}},
		{"negative times", nested(func(g *lastcall.Group) {
			g.Grace, g.HardStop, g.LameDuck = -1, -1, -1
			g.Add("a", nothing, lastcall.AwaitReady(-time.Second))
			g.Add("b", nothing, lastcall.StopWithin(-time.Second))
			g.Add("c", nothing, lastcall.Restart(lastcall.RestartPolicy{MinDelay: -time.Second}))
		}), []string{"negative Grace", "negative HardStop", "negative LameDuck", `worker "a": AwaitReady: the time must not be negative (-1s)`, `worker "b": StopWithin: the time must not be negative (-1s)`, `worker "c": Restart: MinDelay must not be negative (-1s)`}},
		{"everything about names at once", nested(func(g *lastcall.Group) {
			g.Add("a", nothing, lastcall.After("b"))
			g.Add("b", nothing, lastcall.After("c"))
			g.Add("c", nothing, lastcall.Requires("a"))
			g.Add("d", nothing, lastcall.After("nobody"))
			g.Add("d", nothing)
			g.Add("e", nothing, lastcall.After("e"))
		}), []string{"workers depend on each other: a → b → c → a", "workers depend on each other: e → e", `worker "d" is to start after "nobody", which is not in the group`, `worker "d" was added twice`}},
		{"nested", nested(func(g *lastcall.Group) {
			g.Add("inner", nested(func(g *lastcall.Group) {
				g.HardStop = -1
				g.Add("w", nil)
				g.Add("x", nothing, lastcall.After("y"))
			}))
			g.Add("y", nothing)
		}), []string{`group "inner" has a negative HardStop`, `worker "inner/w" is nil`, `worker "inner/x" is to start after "y", which is not in the group`}},
		{"a group in itself", self, []string{`group "self" contains itself`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.g.Run(t.Context())
			var config *lastcall.ConfigError
			if !errors.As(err, &config) || lastcall.ExitCode(err) != 3 {
				t.Fatalf("got %v, exit status %d", err, lastcall.ExitCode(err))
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %q", want, err)
				}
			}
			if len(config.Problems) != len(test.want) && test.name != "empty name" {
				t.Errorf("%d problems, want %d: %q", len(config.Problems), len(test.want), config.Problems)
			}
		})
	}
}

func TestBadCallsOfRun(t *testing.T) {
	var none *lastcall.Group
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"nil group", none.Run(t.Context()), "nil group"},
		{"nil context", new(lastcall.Group).Run(nil), "nil context"}, //nolint:staticcheck // that is the point
		{"nil worker", lastcall.Run(t.Context(), nil), "nil worker"},
		{"nil group under signals", lastcall.Run(t.Context(), none), "nil worker"},
		{"nil context under signals", lastcall.Run(nil, new(lastcall.Group)), "nil context"}, //nolint:staticcheck // that is the point
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: got %v", test.name, test.err)
		}
	}
}

func TestRunTwiceAndAddAfterTheEnd(t *testing.T) {
	var rejected []string
	g := lastcall.Group{Observe: func(e lastcall.Event) {
		if e.Kind == lastcall.EventRejected {
			rejected = append(rejected, e.Name+": "+e.Err.Error())
		}
	}}
	if err := g.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.Go("late", untilStop)
	err := g.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "Run called twice") || !strings.Contains(err.Error(), `worker "late" was added after the end of its group`) {
		t.Errorf("got %v", err)
	}
	if len(rejected) != 1 || !strings.HasPrefix(rejected[0], "late: ") || len(g.Report().Problems) != 1 {
		t.Errorf("events %q, report %q", rejected, g.Report().Problems)
	}
}

func TestAddWhileTheGroupRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.Name != "" {
				j.states(e)
			}
			if e.Kind == lastcall.EventRejected {
				j.addAt("%v", e.Err)
			}
		}}
		g.Go("db", func(ctx context.Context) error {
			lastcall.Sleep(ctx, 3*time.Second)
			lastcall.Ready(ctx)
			return untilStop(ctx)
		}, lastcall.AwaitReady(0))
		go func() {
			time.Sleep(time.Second)
			g.Go("web", untilStop, lastcall.After("db"))
			g.Go("db", untilStop)
			g.Go("x", untilStop, lastcall.After("nobody"))
			time.Sleep(9500 * time.Millisecond) // while web stops
			g.Go("late", untilStop)
		}()
		time.AfterFunc(5*time.Second, func() {
			g.Go("slow", func(ctx context.Context) error {
				<-ctx.Done()
				return lastcall.Sleep(lastcall.Grace(ctx), time.Second)
			}, lastcall.After("web"))
		})
		err := runFor(t, &g, 10*time.Second)
		synctest.Wait()
		if err == nil || !strings.Contains(err.Error(), `worker "db" was added twice`) || !strings.Contains(err.Error(), `"nobody", which is not in the group`) || strings.Contains(err.Error(), "late") {
			t.Errorf("got %v", err)
		}
		j.expect(t,
			"0s db starting",
			`1s lastcall: worker "db" was added twice`, `1s lastcall: worker "x" is to start after "nobody", which is not in the group`,
			"3s db ready", "3s web starting", "3s web ready",
			"5s slow starting", "5s slow ready",
			"10s slow stopping",
			`10.5s worker "late" was added while its group was stopping: lastcall: stopping, no new work is taken`,
			"11s slow stopped", "11s web stopping", "11s web stopped", "11s db stopping", "11s db stopped")
	})
}

func TestNestedGroups(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		inner := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.State == lastcall.StateReady {
				j.addAt("inner sees %s %s", e.Name, e.State)
			}
		}}
		inner.Go("consumer", func(ctx context.Context) error {
			j.add("%s", lastcall.Name(ctx))
			lastcall.Sleep(ctx, time.Second)
			lastcall.Ready(ctx)
			return untilStop(ctx)
		}, lastcall.AwaitReady(0))
		outer := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.State == lastcall.StateReady {
				j.states(e)
			}
		}}
		outer.Add("pipeline", &inner)
		outer.Go("web", untilStop, lastcall.After("pipeline"))
		if err := runFor(t, &outer, 10*time.Second); err != nil {
			t.Error(err)
		}
		j.expect(t, "pipeline/consumer",
			"1s inner sees pipeline/consumer ready", "1s pipeline/consumer ready",
			"1s inner sees pipeline ready",
			"1s pipeline ready", "1s web ready", "1s group ready")
		if r := outer.Report(); len(r.Workers) != 3 || r.Workers[1].Name != "pipeline" || !r.Workers[1].Group || r.Workers[2].Name != "pipeline/consumer" {
			t.Errorf("the report is\n%v", r)
		}
	})
}

func TestReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{LameDuck: 5 * time.Second}
		var inner lastcall.Group
		toggle := make(chan string)
		inner.Go("leaf", func(ctx context.Context) error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case reason := <-toggle:
					if reason == "" {
						lastcall.Ready(ctx)
					} else {
						lastcall.Unready(ctx, reason)
					}
				}
			}
		})
		g.Go("slow", func(ctx context.Context) error {
			lastcall.Sleep(ctx, time.Second)
			lastcall.Ready(ctx)
			return untilStop(ctx)
		}, lastcall.AwaitReady(0))
		g.Add("inner", &inner)
		g.Go("last", untilStop, lastcall.After("slow"))
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			err := g.Ready()
			if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
				t.Errorf("after %v Ready is %v, want %q", time.Since(g.Report().Started), err, want)
			}
		}
		if err := g.Ready(); err == nil {
			t.Error("ready before Run")
		}
		go func() {
			expect("not ready: slow (starting), last (waiting)")
			time.Sleep(2 * time.Second)
			expect("")
			toggle <- "no leader"
			expect("not ready: inner/leaf (no leader)")
			toggle <- ""
			expect("")
			time.Sleep(10 * time.Second)
			expect("lame duck: requested")
		}()
		if err := runFor(t, &g, 10*time.Second); err != nil {
			t.Error(err)
		}
		if err := g.Ready(); err == nil || err.Error() != "stopping: requested" {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestLameDuckServesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{LameDuck: 5 * time.Second}
		j := newJournal()
		g.Go("web", func(ctx context.Context) error {
			<-lastcall.LameDuck(ctx)
			j.addAt("lame duck, ctx %v, Do %v", ctx.Err(), lastcall.Do(ctx, func(context.Context) error { return nil }))
			<-ctx.Done()
			j.addAt("soft stop")
			return nil
		})
		if err := runFor(t, &g, 10*time.Second); err != nil {
			t.Error(err)
		}
		j.expect(t, "10s lame duck, ctx <nil>, Do <nil>", "15s soft stop")
	})
}
