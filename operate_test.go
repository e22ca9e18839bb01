package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// running runs g in the test's bubble; the function that it returns stops it and returns Run's error.
func running(t *testing.T, g *lastcall.Group) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	synctest.Wait()
	return func() error {
		cancel()
		return <-ended
	}
}

// logged is a worker that writes down its starts and ends, and takes a second to stop.
func logged(j *journal, name string) lastcall.Func {
	return func(ctx context.Context) error {
		j.addAt("%s starts", name)
		<-ctx.Done()
		j.addAt("%s is told: %v", name, context.Cause(ctx))
		time.Sleep(time.Second)
		j.addAt("%s ends", name)
		return nil
	}
}

func stateOf(t *testing.T, g *lastcall.Group, name string) lastcall.State {
	t.Helper()
	return worker(t, g.Report(), name).State
}

func TestStopAndStartOfOneWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Go("db", logged(j, "db"))
		g.Go("web", logged(j, "web"), lastcall.Requires("db"))
		g.Go("cron", untilStop, lastcall.After("db"))
		stop := running(t, &g)
		if err := g.Stop(t.Context(), "db"); err != nil {
			t.Error(err)
		}
		j.expect(t,
			"0s db starts", "0s web starts",
			"0s web is told: soft stop: requested", "1s web ends",
			"1s db is told: soft stop: requested", "2s db ends")
		if got := fmt.Sprint(stateOf(t, &g, "db"), stateOf(t, &g, "web"), stateOf(t, &g, "cron")); got != "stopped waiting ready" {
			t.Errorf("after the stop of db: %s", got)
		}
		if err := g.Stop(t.Context(), "db"); err != nil {
			t.Errorf("a second Stop: %v", err)
		}
		if err := g.Start(t.Context(), "db"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := fmt.Sprint(stateOf(t, &g, "db"), stateOf(t, &g, "web")); got != "ready ready" {
			t.Errorf("after its start: %s", got)
		}
		if err := g.Start(t.Context(), "db"); err != nil {
			t.Errorf("Start of one that is ready: %v", err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := g.Start(t.Context(), "db"); !errors.Is(err, lastcall.ErrStopping) {
			t.Errorf("Start after the end: %v", err)
		}
	})
}

func TestAGroupWaitsForWhatWasStoppedAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("only", untilStop)
		stop := running(t, &g)
		if err := g.Stop(t.Context(), "only"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if r := g.Report(); !r.Ended.IsZero() {
			t.Errorf("the group ended: %v", r)
		}
		if err := g.Remove(t.Context(), "only"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if r := g.Report(); r.Ended.IsZero() || len(r.Workers) != 0 {
			t.Errorf("the group goes on without workers: %v", r)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheErrorOfAStopAloneIsTheCallers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		broken := errors.New("broken")
		g.Go("web", func(ctx context.Context) error { <-ctx.Done(); return broken },
			lastcall.Restart(lastcall.RestartPolicy{Always: true}))
		g.Go("hangs", func(ctx context.Context) error { <-lastcall.Grace(ctx).Done(); return nil },
			lastcall.StopWithin(time.Second))
		g.Go("other", untilStop)
		stop := running(t, &g)
		if err := g.Stop(t.Context(), "web"); !errors.Is(err, broken) {
			t.Errorf("web: %v", err)
		}
		if err := g.Stop(t.Context(), "hangs"); !errors.Is(err, lastcall.ErrInterrupted) {
			t.Errorf("hangs: %v", err)
		}
		if got := fmt.Sprint(stateOf(t, &g, "web"), stateOf(t, &g, "hangs"), stateOf(t, &g, "other")); got != "failed stopped ready" {
			t.Errorf("states: %s", got)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRestartOfOneWorkerHoweverItEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		starts := 0
		var g lastcall.Group
		g.Go("web", func(ctx context.Context) error { starts++; <-ctx.Done(); return errors.New("bad manners") })
		g.Go("user", untilStop, lastcall.Requires("web"))
		stop := running(t, &g)
		for range 3 {
			if err := g.Restart(t.Context(), "web"); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if starts != 4 || stateOf(t, &g, "user") != lastcall.StateReady {
			t.Errorf("%d starts; user is %v", starts, stateOf(t, &g, "user"))
		}
		if err := stop(); err == nil { // the last end is part of the group's
			t.Error("no error of web")
		}
	})
}

// A worker that fails while it is stopped for the sake of what it requires is not waited for again.
func TestStopWhereWhoRequiresItFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("db", untilStop)
		g.Go("web", func(ctx context.Context) error { <-ctx.Done(); return errors.New("bad manners") }, lastcall.Requires("db"), lastcall.Optional())
		stop := running(t, &g)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := g.Restart(ctx, "db"); err != nil {
			t.Errorf("Restart: %v", err)
		}
		if err := g.Start(ctx, "web"); err != nil {
			t.Errorf("Start: %v", err)
		}
		if err := g.Stop(ctx, "db"); err != nil {
			t.Errorf("Stop: %v", err)
		}
		if got := fmt.Sprint(stateOf(t, &g, "db"), stateOf(t, &g, "web")); got != "stopped failed" {
			t.Errorf("states: %s", got)
		}
		_ = stop()
	})
}

func TestStartOfWhatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		works := false
		var g lastcall.Group
		g.Go("db", func(ctx context.Context) error {
			if !works {
				return errors.New("no disk")
			}
			lastcall.Ready(ctx)
			<-ctx.Done()
			return nil
		}, lastcall.Optional(), lastcall.AwaitReady(0))
		g.Go("web", untilStop, lastcall.After("db"))
		g.Go("other", untilStop)
		stop := running(t, &g)
		if got := fmt.Sprint(stateOf(t, &g, "db"), stateOf(t, &g, "web"), stateOf(t, &g, "other")); got != "failed stopped ready" {
			t.Errorf("states: %s", got)
		}
		if err := g.Start(t.Context(), "db"); err == nil || !strings.Contains(err.Error(), "no disk") {
			t.Errorf("Start: %v", err)
		}
		works = true
		for _, name := range []string{"db", "web"} {
			if err := g.Start(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		if err := stop(); err != nil { // what was mended is no failure
			t.Error(err)
		}
	})
}

func TestAnOptionalFailureIsInTheErrorOfRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("web", func(ctx context.Context) error { lastcall.Sleep(ctx, time.Second); return errors.New("broken") }, lastcall.Optional())
		g.Go("other", func(ctx context.Context) error { lastcall.Sleep(ctx, time.Minute); return nil })
		began := time.Now()
		err := runFor(t, &g, time.Hour)
		var failed *lastcall.WorkerError
		if !errors.As(err, &failed) || failed.Name != "web" || failed.Starting || lastcall.ExitCode(err) != 1 {
			t.Errorf("Run: %v", err)
		}
		if time.Since(began) != time.Minute {
			t.Errorf("the group ended after %v", time.Since(began))
		}
	})
}

func TestStartSkipsTheBackOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		starts := 0
		var g lastcall.Group
		g.Go("flaky", func(ctx context.Context) error {
			if starts++; starts == 1 {
				return errors.New("flaky")
			}
			return untilStop(ctx)
		}, lastcall.Restart(lastcall.RestartPolicy{MinDelay: time.Hour, MaxDelay: time.Hour}))
		stop := running(t, &g)
		began := time.Now()
		if err := g.Start(t.Context(), "flaky"); err != nil || time.Since(began) != 0 {
			t.Errorf("Start after %v: %v", time.Since(began), err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestReplace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Go("db", untilStop)
		g.Go("web", logged(j, "old"), lastcall.After("db"))
		g.Go("proxy", logged(j, "proxy"), lastcall.Requires("web"))
		stop := running(t, &g)
		err := g.Replace(t.Context(), "web", lastcall.Func(func(ctx context.Context) error {
			j.addAt("new starts")
			time.Sleep(3 * time.Second)
			j.addAt("new is ready")
			lastcall.Ready(ctx)
			<-ctx.Done()
			time.Sleep(time.Second)
			j.addAt("new ends")
			return nil
		}), lastcall.After("db"), lastcall.AwaitReady(time.Minute))
		if err != nil {
			t.Error(err)
		}
		if n := len(g.Report().Workers); n != 3 {
			t.Errorf("%d workers after the replacement: %v", n, g.Report())
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		j.expect(t,
			"0s old starts", "0s proxy starts", "0s new starts", "3s new is ready",
			"3s old is told: soft stop: web is replaced", "4s old ends",
			"4s proxy is told: soft stop: requested", "5s proxy ends", "6s new ends")
	})
}

func TestAReplacementThatNeverBecomesReady(t *testing.T) {
	for name, test := range map[string]struct {
		fn   lastcall.Func
		want string
	}{
		"fails":    {func(context.Context) error { return errors.New("no such file") }, "no such file"},
		"is late":  {untilStop, "not ready within 10s"},
		"panics":   {func(context.Context) error { panic("oh") }, "panic: oh"},
		"is unfit": {func(ctx context.Context) error { lastcall.Sleep(ctx, time.Second); return errors.New("exit 1") }, "exit 1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				g := lastcall.Group{Observe: func(lastcall.Event) {}}
				g.Go("web", untilStop)
				g.Go("proxy", untilStop, lastcall.After("web"))
				stop := running(t, &g)
				err := g.Replace(t.Context(), "web", test.fn, lastcall.AwaitReady(10*time.Second),
					lastcall.Restart(lastcall.RestartPolicy{Always: true}))
				if !errors.Is(err, lastcall.ErrNotReplaced) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("Replace: %v", err)
				}
				if got := stateOf(t, &g, "web"); got != lastcall.StateReady || len(g.Report().Workers) != 2 {
					t.Errorf("the old one is %v: %v", got, g.Report())
				}
				if err := g.Replace(t.Context(), "web", lastcall.Func(untilStop)); err != nil {
					t.Errorf("a second attempt: %v", err)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAReplacementThatIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("web", untilStop)
		stop := running(t, &g)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("enough"))
		defer cancel()
		began := time.Now()
		slow := lastcall.Func(func(ctx context.Context) error { // it takes its time to stop, for which Replace waits
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		})
		err := g.Replace(ctx, "web", slow, lastcall.AwaitReady(0))
		if err == nil || !strings.Contains(err.Error(), "enough") || time.Since(began) != time.Minute+time.Second {
			t.Errorf("Replace: %v after %v", err, time.Since(began))
		}
		if r := g.Report(); len(r.Workers) != 1 || r.Workers[0].State != lastcall.StateReady {
			t.Errorf("after it: %v", r)
		}
		if err := g.Replace(t.Context(), "web", lastcall.Func(untilStop)); err != nil {
			t.Errorf("right after it: %v", err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestSingleWorkersThatCannotBe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		if err := g.Stop(t.Context(), "web"); err == nil {
			t.Error("before Run: no error")
		}
		g.Go("a", untilStop)
		g.Go("b", untilStop)
		g.Go("base", untilStop)
		g.Go("user", untilStop, lastcall.After("base"))
		inner := new(lastcall.Group)
		inner.Go("1", untilStop)
		g.Add("web", inner)
		stop := running(t, &g)
		ctx := t.Context()
		for _, test := range []struct {
			err  error
			want string
		}{
			{g.Stop(ctx, "nobody"), `no worker "nobody"`},
			{g.Stop(ctx, "web/7"), `no worker "web/7"`},
			{g.Remove(ctx, "base"), `"user" depends on it`},
			{g.Replace(ctx, "base", nil), `nil`},
			{g.Replace(ctx, "base", lastcall.Func(untilStop), lastcall.After("user")), `which depends on it`},
			{g.Replace(ctx, "base", lastcall.Func(untilStop), lastcall.After("base")), `which depends on it`},
			{g.Replace(ctx, "base", lastcall.Func(untilStop), lastcall.After("ghost")), `"ghost", which is not in the group`},
		} {
			var config *lastcall.ConfigError
			if !errors.As(test.err, &config) || !strings.Contains(test.err.Error(), test.want) {
				t.Errorf("got %v, want %s", test.err, test.want)
			}
		}
		for _, name := range []string{"web/1", "web"} {
			if err := errors.Join(g.Stop(ctx, name), g.Start(ctx, name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestGracePeriodIsWhatTheStopGives(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{Grace: 20 * time.Second}
		var mu sync.Mutex // for what the workers write
		promised, given := map[string]time.Duration{}, map[string]time.Duration{}
		add := func(name string, opts ...lastcall.Option) {
			g.Go(name, func(ctx context.Context) error {
				period := lastcall.GracePeriod(ctx)
				<-ctx.Done()
				told := time.Now()
				<-lastcall.Grace(ctx).Done()
				mu.Lock()
				defer mu.Unlock()
				promised[name], given[name] = period, time.Since(told)
				return nil
			}, opts...)
		}
		add("db")
		add("web", lastcall.After("db"))
		add("cron", lastcall.StopWithin(time.Second))
		_ = runFor(t, &g, time.Minute)
		for name, want := range map[string]time.Duration{"db": 5 * time.Second, "web": 15 * time.Second, "cron": time.Second} {
			if promised[name] != want || given[name] < want {
				t.Errorf("%s: %v were promised and %v given, want %v", name, promised[name], given[name], want)
			}
		}
		if got := lastcall.GracePeriod(t.Context()); got != 0 {
			t.Errorf("outside a group: %v", got)
		}
	})
}

// Whatever is asked for at whatever time, by however many at once: every call returns, no worker runs twice at once (where
// none is replaced), and the group stops.
func TestSingleWorkersAtRandom(t *testing.T) {
	for seed := range seeds(t, 300) {
		bubble(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			g := lastcall.Group{Grace: time.Minute, Observe: func(lastcall.Event) {}}
			names := []string{"a", "b", "c", "d"}
			replaces := seed%2 == 0
			var runs [4]atomic.Int32
			random := func(i int) (lastcall.Worker, []lastcall.Option) {
				life, readyIn, stopIn, fails := rnd.IntN(200), rnd.IntN(8), rnd.IntN(5), rnd.IntN(3) == 0
				opts := []lastcall.Option{lastcall.Optional(), lastcall.AwaitReady(6 * time.Second)}
				if rnd.IntN(2) == 0 {
					opts = append(opts, lastcall.Restart(lastcall.RestartPolicy{Limit: 3}))
				}
				for dep := range i {
					switch rnd.IntN(4) {
					case 0:
						opts = append(opts, lastcall.After(names[dep]))
					case 1:
						opts = append(opts, lastcall.Requires(names[dep]))
					}
				}
				return lastcall.Func(func(ctx context.Context) error {
					if n := runs[i].Add(1); n > 1 && !replaces {
						t.Errorf("seed %d: %d of %s at once", seed, n, names[i])
					}
					defer runs[i].Add(-1)
					if lastcall.Sleep(ctx, time.Duration(readyIn)*time.Second) == nil {
						lastcall.Ready(ctx)
						lastcall.Sleep(ctx, time.Duration(life)*time.Second)
					}
					time.Sleep(time.Duration(stopIn) * time.Second)
					if fails {
						return errors.New("fails")
					}
					return nil
				}), opts
			}
			for i, name := range names {
				w, opts := random(i)
				g.Add(name, w, opts...)
			}
			g.Go("keeper", untilStop)
			stop := running(t, &g)
			var calls []chan struct{}
			for n := range 40 {
				time.Sleep(time.Duration(rnd.IntN(5000)) * time.Millisecond)
				i, what := rnd.IntN(len(names)), rnd.IntN(6)
				w, opts := random(i)
				calls = append(calls, runWith(func() {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+n%7)*10*time.Second)
					defer cancel()
					switch what {
					case 0:
						_ = g.Stop(ctx, names[i])
					case 1, 2:
						_ = g.Start(ctx, names[i])
					case 3:
						_ = g.Restart(ctx, names[i])
					case 4:
						if !replaces {
							return
						}
						_ = g.Replace(ctx, names[i], w, opts...)
					case 5:
						_ = g.Remove(ctx, names[i])
						g.Add(names[i], w, opts...)
					}
				}))
			}
			for _, ended := range calls {
				<-ended
			}
			_ = g.Report().String()
			_ = stop()
			r := g.Report()
			for _, w := range r.Workers {
				if !w.State.Ended() {
					t.Errorf("seed %d: %s is %v in the end", seed, w.Name, w.State)
				}
			}
			for i := range runs {
				if n := runs[i].Load(); n != 0 {
					t.Errorf("seed %d: %d of %s run on", seed, n, names[i])
				}
			}
			if i := slices.IndexFunc(r.Workers, func(w lastcall.WorkerReport) bool { return w.State == lastcall.StateAbandoned }); i >= 0 {
				t.Errorf("seed %d: %s was abandoned", seed, r.Workers[i].Name)
			}
		})
	}
}

// runWith runs fn on a goroutine; the channel is closed when it has returned.
func runWith(fn func()) chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fn()
	}()
	return ended
}

// What each call promises holds when it returns: one after another, with workers that fail, end, take their time and depend on each
// other in random ways.
func TestSingleWorkersOneByOne(t *testing.T) {
	for seed := range seeds(t, 400) {
		bubble(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			g := lastcall.Group{Grace: time.Minute, Observe: func(lastcall.Event) {}}
			names := []string{"a", "b", "c", "d"}
			requires := map[string][]string{} // who requires a name
			depends := map[string][]string{}  // who depends on it
			var mu sync.Mutex                 // for what the workers write
			runs := map[string][]int{}        // the instances that run
			starts := map[string]int{}
			count := func(name string) (started, run int) {
				mu.Lock()
				defer mu.Unlock()
				return starts[name], len(runs[name])
			}
			runsOnly := func(name string, me int) bool {
				mu.Lock()
				defer mu.Unlock()
				return slices.Equal(runs[name], []int{me})
			}
			instances := 0
			worker := func(name string, bad bool) (lastcall.Worker, int) {
				instances++
				me := instances
				readyIn, stopIn := rnd.IntN(4), rnd.IntN(4)
				ends := errors.New("ends of " + name)
				return lastcall.Func(func(ctx context.Context) error {
					mu.Lock()
					starts[name]++
					runs[name] = append(runs[name], me)
					mu.Unlock()
					defer func() {
						mu.Lock()
						defer mu.Unlock()
						runs[name] = slices.DeleteFunc(runs[name], func(n int) bool { return n == me })
					}()
					if lastcall.Sleep(ctx, time.Duration(readyIn)*time.Second) == nil {
						if bad {
							return ends
						}
						lastcall.Ready(ctx)
						<-ctx.Done()
					}
					time.Sleep(time.Duration(stopIn) * time.Second)
					if stopIn == 3 {
						return ends
					}
					return nil
				}), me
			}
			options := map[string][]lastcall.Option{}
			after := map[string]map[string]bool{} // what it is after, and whether it requires that
			for i, name := range names {
				opts := []lastcall.Option{lastcall.Optional(), lastcall.AwaitReady(0)}
				after[name] = map[string]bool{}
				for _, dep := range names[:i] {
					switch rnd.IntN(4) {
					case 0:
						opts = append(opts, lastcall.After(dep))
						after[name][dep] = false
						depends[dep] = append(depends[dep], name)
					case 1:
						opts = append(opts, lastcall.Requires(dep))
						after[name][dep] = true
						depends[dep] = append(depends[dep], name)
						requires[dep] = append(requires[dep], name)
					}
				}
				options[name] = opts
				w, _ := worker(name, false)
				g.Add(name, w, opts...)
			}
			// A worker depends on who had the names when it was put in.
			link := func(name string) {
				for _, dep := range names {
					same := func(user string) bool { return user == name }
					depends[dep], requires[dep] = slices.DeleteFunc(depends[dep], same), slices.DeleteFunc(requires[dep], same)
					if hard, is := after[name][dep]; is {
						depends[dep] = append(depends[dep], name)
						if hard {
							requires[dep] = append(requires[dep], name)
						}
					}
				}
			}
			g.Go("keeper", untilStop) // the group does not end when all others have
			stop := running(t, &g)
			state := func(name string) (s lastcall.State, ok bool) {
				for _, w := range g.Report().Workers {
					if w.Name == name {
						return w.State, true
					}
				}
				return 0, false
			}
			var requiring func(name string) []string // it, and who requires it however far away
			requiring = func(name string) []string {
				list := []string{name}
				for _, user := range requires[name] {
					list = append(list, requiring(user)...)
				}
				return list
			}
			for range 30 {
				time.Sleep(time.Duration(rnd.IntN(8000)) * time.Millisecond)
				name := names[rnd.IntN(len(names))]
				was, _ := state(name)
				before, _ := count(name)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				wrong := func(format string, args ...any) {
					t.Errorf("seed %d: %s %s", seed, name, fmt.Sprintf(format, args...))
				}
				switch what := rnd.IntN(6); what {
				case 0:
					err := g.Stop(ctx, name)
					for _, gone := range requiring(name) {
						if _, run := count(gone); run > 0 {
							wrong("was stopped (%v), and %s runs", err, gone)
						}
					}
					if s, _ := state(name); !s.Ended() || (err != nil) != (s == lastcall.StateFailed) {
						wrong("was stopped (%v) and is %v", err, s)
					}
				case 1:
					short, cancel := context.WithTimeout(ctx, time.Minute)
					err := g.Start(short, name)
					after, run := count(name)
					if s, _ := state(name); err == nil && (s != lastcall.StateReady || run != 1) || was == lastcall.StateReady && (err != nil || after != before) {
						wrong("was %v, was started (%v, %d starts before and %d after) and is %v, %d run", was, err, before, after, s, run)
					}
					cancel()
				case 2:
					short, cancel := context.WithTimeout(ctx, time.Minute)
					err := g.Restart(short, name)
					after, run := count(name)
					if s, _ := state(name); err == nil && (s != lastcall.StateReady || after != before+1 || run != 1) {
						wrong("was %v, was restarted (%d starts before and %d after) and is %v, %d run", was, before, after, s, run)
					}
					cancel()
				case 3, 4:
					bad := what == 4
					w, me := worker(name, bad)
					short, cancel := context.WithTimeout(ctx, time.Minute)
					err := g.Replace(short, name, w, options[name]...)
					cancel()
					switch s, _ := state(name); {
					case errors.Is(err, lastcall.ErrNotReplaced):
						if runsOnly(name, me) {
							wrong("was not replaced (%v), and what was to replace it runs", err)
						}
						if s != was && (was == lastcall.StateReady || was.Ended()) {
							wrong("was %v, was not replaced (%v), and is %v", was, err, s)
						}
					case bad:
						wrong("was replaced by what is never ready: %v", err)
					case s != lastcall.StateReady || !runsOnly(name, me):
						wrong("was replaced (%v), and is %v, and the new one is not what runs", err, s)
					default:
						link(name)
					}
				case 5:
					used := slices.ContainsFunc(depends[name], func(user string) bool { u, ok := state(user); return ok && !u.Ended() })
					err := g.Remove(ctx, name)
					s, there := state(name)
					_, run := count(name)
					var config *lastcall.ConfigError
					switch {
					case used && !errors.As(err, &config):
						wrong("was removed (%v), and %v depend on it", err, depends[name])
					case !used && there:
						wrong("was removed (%v) and is %v", err, s)
					case !used && run > 0:
						wrong("was removed (%v) and runs", err)
					}
					if !there {
						depends[name], requires[name] = nil, nil // who did does not depend on the next of that name
						link(name)
						w, _ := worker(name, false)
						g.Add(name, w, options[name]...)
					}
				}
				if ctx.Err() != nil {
					wrong("took an hour:\n%v", g.Report())
				}
				cancel()
			}
			_ = stop()
			for _, w := range g.Report().Workers {
				if !w.State.Ended() || w.State == lastcall.StateAbandoned {
					t.Errorf("seed %d: %s is %v in the end", seed, w.Name, w.State)
				}
			}
		})
	}
}

// What an operation has done was told to the listeners when it returns: its caller may forget what the events are about.
func TestEventsComeBeforeTheReturn(t *testing.T) {
	var mu sync.Mutex
	ended := 0
	g := lastcall.Group{Observe: func(e lastcall.Event) {
		if e.State == lastcall.StateStopped && e.Name == "web" {
			runtime.Gosched()
			mu.Lock()
			defer mu.Unlock()
			ended++
		}
	}}
	g.Go("db", untilStop)
	g.Go("web", untilStop)
	ctx, cancel := context.WithCancel(t.Context())
	over := runWith(func() {
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer func() {
		cancel()
		<-over
	}()
	for g.Ready() != nil {
		runtime.Gosched()
	}
	for n := 1; n <= 200; n++ {
		err := g.Stop(ctx, "web")
		mu.Lock()
		if ended != n {
			t.Errorf("%d ends of %d were told", ended, n)
		}
		mu.Unlock()
		if err = errors.Join(err, g.Start(ctx, "web")); err != nil {
			t.Fatal(err)
		}
	}
}

// What is added after one that has failed before it was ready does not start, and does not hold up the group.
func TestAddAfterWhatFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("other", untilStop)
		g.Go("broken", func(context.Context) error { return errors.New("broken") }, lastcall.Optional(), lastcall.AwaitReady(0))
		stop := running(t, &g)
		g.Go("user", untilStop, lastcall.After("broken"))
		synctest.Wait()
		if got := stateOf(t, &g, "user"); got != lastcall.StateStopped {
			t.Errorf("user is %s", got)
		}
		if err := stop(); err == nil {
			t.Error("the failure is not in the error of Run")
		}
	})
}
