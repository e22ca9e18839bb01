package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// delays records the back-offs of a group.
func delays(into *[]time.Duration) func(lastcall.Event) {
	return func(e lastcall.Event) {
		if e.State == lastcall.StateRestarting {
			*into = append(*into, e.Delay)
		}
	}
}

func TestBackOffGrowsWithJitterAndResetsAfterAStablePeriod(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var got []time.Duration
		g := lastcall.Group{Observe: delays(&got)}
		starts := 0
		g.Go("flaky", func(ctx context.Context) error {
			starts++
			if starts == 6 {
				lastcall.Sleep(ctx, time.Hour) // stable
			}
			return errors.New("flaky")
		}, lastcall.Restart(lastcall.RestartPolicy{MinDelay: time.Second, MaxDelay: 10 * time.Second, Limit: -1}))
		if err := runFor(t, &g, time.Hour+30*time.Second); err != nil {
			t.Error(err)
		}
		if len(got) < 7 {
			t.Fatalf("only %d restarts: %v", len(got), got)
		}
		for i, most := range []time.Duration{1, 2, 4, 8, 10, 1, 2} {
			most *= time.Second
			if got[i] > most || got[i] < most/2 {
				t.Errorf("back-off %d is %v, want between %v and %v", i, got[i], most/2, most)
			}
		}
		if same := got[0]*2 == got[1] && got[1]*2 == got[2]; same {
			t.Errorf("no jitter: %v", got)
		}
	})
}

func TestAStopInterruptsTheBackOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		starts := 0
		var g lastcall.Group
		g.Go("flaky", func(ctx context.Context) error { starts++; return errors.New("flaky") },
			lastcall.Restart(lastcall.RestartPolicy{Always: true, MinDelay: time.Hour, MaxDelay: time.Hour}))
		began := time.Now()
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
		if time.Since(began) != time.Second || starts != 1 {
			t.Errorf("%d starts, the end after %v", starts, time.Since(began))
		}
	})
}

func TestNoRestartAfterTheSoftStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		starts := 0
		var g lastcall.Group
		g.Go("flaky", func(ctx context.Context) error {
			starts++
			<-ctx.Done()
			return errors.New("flaky")
		}, lastcall.Restart(lastcall.RestartPolicy{Always: true}))
		err := runFor(t, &g, time.Second)
		if starts != 1 || lastcall.ExitCode(err) != 1 {
			t.Errorf("%d starts, %v", starts, err)
		}
	})
}

func TestRestartAfterWhichEnds(t *testing.T) {
	never := []lastcall.Option{}
	onFailure := []lastcall.Option{lastcall.Restart(lastcall.RestartPolicy{})}
	always := []lastcall.Option{lastcall.Restart(lastcall.RestartPolicy{Always: true})}
	boom := errors.New("boom")
	for _, test := range []struct {
		when []lastcall.Option
		err  error
		want int
	}{
		{never, nil, 1}, {never, boom, 1},
		{onFailure, nil, 1}, {onFailure, boom, 3},
		{always, nil, 3}, {always, boom, 3},
		{always, lastcall.Permanent(boom), 1},
	} {
		bubble(t, func(t *testing.T) {
			starts := 0
			var g lastcall.Group
			g.Go("w", func(ctx context.Context) error {
				if starts++; starts == 3 {
					return untilStop(ctx)
				}
				return test.err
			}, test.when...)
			g.Go("other", untilStop)
			err := runFor(t, &g, time.Minute)
			if starts != test.want || (err != nil) != (starts == 1 && test.err != nil) {
				t.Errorf("after %v: %d starts, want %d; %v", test.err, starts, test.want, err)
			}
			if got := worker(t, g.Report(), "w").Restarts; got != test.want-1 {
				t.Errorf("the report counts %d restarts", got)
			}
		})
	}
}

func TestIntensityEscalatesToTheParent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		boom := errors.New("boom")
		starts, groups := 0, 0
		var inner, outer lastcall.Group
		inner.Go("flaky", func(ctx context.Context) error { starts++; return boom },
			lastcall.Restart(lastcall.RestartPolicy{Limit: 2}))
		inner.Go("steady", func(ctx context.Context) error { groups++; return untilStop(ctx) })
		outer.Add("inner", &inner, lastcall.Restart(lastcall.RestartPolicy{Limit: 1}))
		outer.Go("other", untilStop)
		err := outer.Run(t.Context())
		if starts != 6 || groups != 2 {
			t.Errorf("%d starts of the worker, %d of its group; want 6 and 2", starts, groups)
		}
		if !errors.Is(err, boom) || !strings.Contains(err.Error(), "inner: restarted 1 time within 1m0s, giving up") || !strings.Contains(err.Error(), "inner/flaky: restarted 2 times within 1m0s, giving up: boom") {
			t.Errorf("got %v", err)
		}
	})
}

func TestIntensityForgets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		starts := 0
		var g lastcall.Group
		g.Go("flaky", func(ctx context.Context) error {
			starts++
			lastcall.Sleep(ctx, 40*time.Second)
			return errors.New("flaky")
		}, lastcall.Restart(lastcall.RestartPolicy{Always: true, Limit: 2, Within: time.Minute}))
		// The stop may come while the worker runs, which is then a failure, or in a back-off.
		if err := runFor(t, &g, time.Hour); starts < 50 || err != nil && strings.Contains(err.Error(), "giving up") {
			t.Errorf("%d starts, %v", starts, err)
		}
	})
}

func TestRequiresRestartsDependentsInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.Name != "" && time.Since(j.began) >= time.Minute {
				j.states(e)
			}
		}}
		broken := make(chan error)
		slow := func(ctx context.Context) error {
			lastcall.Sleep(ctx, time.Second)
			lastcall.Ready(ctx)
			<-ctx.Done()
			lastcall.Sleep(lastcall.Grace(ctx), time.Second)
			return context.Cause(ctx)
		}
		g.Go("db", func(ctx context.Context) error {
			lastcall.Sleep(ctx, time.Second)
			lastcall.Ready(ctx)
			select {
			case err := <-broken:
				return err
			case <-ctx.Done():
				return nil
			}
		}, lastcall.AwaitReady(0), lastcall.Restart(lastcall.RestartPolicy{MinDelay: 1, MaxDelay: 1}))
		g.Go("cache", slow, lastcall.AwaitReady(0), lastcall.Requires("db"))
		g.Go("web", slow, lastcall.AwaitReady(0), lastcall.Requires("cache"))
		g.Go("bystander", untilStop, lastcall.After("db"))
		go func() {
			time.Sleep(time.Minute)
			broken <- errors.New("connection lost")
		}()
		if err := runFor(t, &g, 2*time.Minute); err != nil {
			t.Error(err)
		}
		j.expect(t,
			"1m0s db failed", "1m0s db restarting",
			"1m0s web stopping", "1m1s web waiting",
			"1m1s cache stopping", "1m2s cache waiting",
			"1m2s db starting", "1m3s db ready",
			"1m3s cache starting", "1m4s cache ready",
			"1m4s web starting", "1m5s web ready",
			"2m0s web stopping", "2m0s bystander stopping", "2m0s bystander stopped", "2m1s web stopped",
			"2m1s cache stopping", "2m2s cache stopped",
			"2m2s db stopping", "2m2s db stopped")
		for _, name := range []string{"db", "cache", "web"} {
			if got := worker(t, g.Report(), name).Restarts; got != 1 {
				t.Errorf("%s: %d restarts", name, got)
			}
		}
	})
}

func TestAStopInTheMiddleOfARestart(t *testing.T) {
	// At each moment of the chain of the test above.
	for at := 60*time.Second + time.Millisecond; at < 66*time.Second; at += 250 * time.Millisecond {
		bubble(t, func(t *testing.T) {
			var g lastcall.Group
			slow := func(ctx context.Context) error {
				lastcall.Sleep(ctx, time.Second)
				lastcall.Ready(ctx)
				<-ctx.Done()
				return lastcall.Sleep(lastcall.Grace(ctx), time.Second)
			}
			g.Go("db", func(ctx context.Context) error {
				lastcall.Sleep(ctx, time.Second)
				lastcall.Ready(ctx)
				if lastcall.Sleep(ctx, 59*time.Second) == nil {
					return errors.New("connection lost")
				}
				return nil
			}, lastcall.AwaitReady(0), lastcall.Restart(lastcall.RestartPolicy{}))
			g.Go("cache", slow, lastcall.AwaitReady(0), lastcall.Requires("db"))
			g.Go("web", slow, lastcall.AwaitReady(0), lastcall.Requires("cache"))
			began := time.Now()
			if err := runFor(t, &g, at); err != nil {
				t.Errorf("stopped at %v: %v", at, err)
			}
			if took := time.Since(began) - at; took > 2*time.Second {
				t.Errorf("stopped at %v: took %v", at, took)
			}
		})
	}
}

func TestALateStartRestarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		starts := 0
		var g lastcall.Group
		g.Go("slow", func(ctx context.Context) error {
			if starts++; starts == 3 {
				lastcall.Ready(ctx)
			}
			return untilStop(ctx)
		}, lastcall.AwaitReady(5*time.Second), lastcall.Restart(lastcall.RestartPolicy{}))
		if err := runFor(t, &g, time.Minute); err != nil || starts != 3 {
			t.Errorf("%d starts, %v", starts, err)
		}
	})
}

func TestARestartGetsContextsOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var first context.Context
		var g lastcall.Group
		g.Go("w", func(ctx context.Context) error {
			if first == nil {
				first = ctx
				return errors.New("once")
			}
			if first.Err() == nil || lastcall.Grace(first).Err() == nil {
				t.Error("the contexts of the first start go on")
			}
			if ctx.Err() != nil || lastcall.Grace(ctx).Err() != nil {
				t.Error("the contexts of the second start have ended")
			}
			if !errors.Is(lastcall.Do(first, untilStop), lastcall.ErrStopping) {
				t.Error("the first start still takes work")
			}
			lastcall.Ready(first)
			return untilStop(ctx)
		}, lastcall.AwaitReady(0), lastcall.Restart(lastcall.RestartPolicy{}))
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
		if !worker(t, g.Report(), "w").Ready.IsZero() {
			t.Error("the first start made the second one ready")
		}
	})
}

func TestAWorkerThatCannotBeStoppedForARestartStopsTheGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{Grace: 10 * time.Second, HardStop: time.Second}
		g.Go("db", func(ctx context.Context) error {
			if lastcall.Sleep(ctx, time.Second) == nil {
				return errors.New("lost")
			}
			return nil
		}, lastcall.Restart(lastcall.RestartPolicy{}))
		g.Go("web", ignores(time.Minute), lastcall.Requires("db"))
		g.Go("other", untilStop)
		err := g.Run(t.Context())
		left := workerError(err, lastcall.ErrAbandoned)
		if left == nil || left.Name != "web" {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Hour)
	})
}

func TestManyWorkersRestartAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		starts := make([]int, 100)
		for i := range starts {
			g.Go(fmt.Sprint("w", i), func(ctx context.Context) error {
				if starts[i]++; starts[i] < 5 {
					return errors.New("again")
				}
				return untilStop(ctx)
			}, lastcall.Restart(lastcall.RestartPolicy{}))
		}
		if err := runFor(t, &g, time.Minute); err != nil {
			t.Error(err)
		}
		for i, n := range starts {
			if n != 5 {
				t.Errorf("w%d was started %d times", i, n)
			}
		}
	})
}

// Without a listener a worker's end takes a short cut, which must not be taken by one that is to start again.
func TestRequiresWithoutAListener(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var db, web int
		var g lastcall.Group
		g.Go("db", func(ctx context.Context) error {
			if db++; db == 1 {
				lastcall.Sleep(ctx, time.Second)
				return errors.New("lost")
			}
			return untilStop(ctx)
		}, lastcall.Restart(lastcall.RestartPolicy{}))
		g.Go("web", func(ctx context.Context) error {
			web++
			return untilStop(ctx)
		}, lastcall.Requires("db"))
		if err := runFor(t, &g, time.Minute); err != nil {
			t.Error(err)
		}
		if db != 2 || web != 2 {
			t.Errorf("%d and %d starts, want 2 of each", db, web)
		}
	})
}

func TestSlashInAName(t *testing.T) {
	var g lastcall.Group
	g.Go("shop/db", untilStop)
	var config *lastcall.ConfigError
	if err := g.Run(t.Context()); !errors.As(err, &config) || !strings.Contains(err.Error(), `worker "shop/db" has a slash in its name`) {
		t.Errorf("got %v", err)
	}
}

func TestRestartAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Go("web", func(ctx context.Context) error {
			j.addAt("starts")
			lastcall.Sleep(ctx, time.Second)
			return errors.New("broken")
		}, lastcall.Restart(lastcall.RestartPolicy{MinDelay: 10 * time.Second, AtOnce: true}))
		_ = runFor(t, &g, 13*time.Second)
		list := j.list()
		if len(list) < 3 || list[0] != "0s starts" || list[1] != "1s starts" {
			t.Fatalf("starts: %v", list)
		}
		third, err := time.ParseDuration(strings.Fields(list[2])[0])
		if err != nil || third < 7*time.Second || third > 12*time.Second {
			t.Errorf("the third start: %v", list[2])
		}
	})
}
