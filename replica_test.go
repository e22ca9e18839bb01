package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// replicas makes replicas that write to a journal.
func replicas(j *journal, name string) func(int) lastcall.Worker {
	return func(replica int) lastcall.Worker {
		return logged(j, fmt.Sprintf("%s-%d", name, replica))
	}
}

// slowly makes replicas that take a second to become ready, except that broken is one that fails instead.
func slowly(broken *int) func(int) lastcall.Worker {
	return func(replica int) lastcall.Worker {
		return lastcall.Func(func(ctx context.Context) error {
			if replica == *broken {
				lastcall.Sleep(ctx, time.Second/2)
				return errors.New("no port")
			}
			lastcall.Sleep(ctx, time.Second)
			lastcall.Ready(ctx)
			return untilStop(ctx)
		})
	}
}

// states are the workers of a report with their states, in the order of their names.
func states(g *lastcall.Group) string {
	var list []string
	for _, w := range g.Report().Workers {
		list = append(list, fmt.Sprintf("%s %s", w.Name, w.State))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func expectStates(t *testing.T, g *lastcall.Group, want string) {
	t.Helper()
	synctest.Wait()
	if got := states(g); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Replicas are numbered workers with one place: what depends on their member starts after them, and stops before them.
func TestReplicasHaveOnePlace(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, option := range []func(...string) lastcall.Option{lastcall.After, lastcall.Requires} {
			bubble(t, func(t *testing.T) {
				j := newJournal()
				var g lastcall.Group
				g.Go("db", logged(j, "db"))
				add := func() {
					g.AddN("web", 2, replicas(j, "web"), lastcall.After("db"))
					g.Go("proxy", logged(j, "proxy"), option("web"))
				}
				if !late {
					add()
				}
				stop := running(t, &g)
				if late {
					add()
				}
				expectStates(t, &g, "db ready, proxy ready, web-1 ready, web-2 ready")
				if got := fmt.Sprint(worker(t, g.Report(), "proxy").After); got != "[web-1 web-2]" {
					t.Errorf("proxy starts after %s", got)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
				for _, entry := range []string{
					"0s web-2 starts",
					"0s proxy is told: soft stop: requested", "1s proxy ends",
					"1s web-1 is told: soft stop: requested", "2s web-1 ends",
					"1s web-2 is told: soft stop: requested", "2s web-2 ends",
					"2s db is told: soft stop: requested", "3s db ends",
				} {
					j.index(t, entry)
				}
			})
		}
	}
}

// The member is ready when all its replicas are.
func TestReplicasAreAwaited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.AddN("web", 3, func(replica int) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error {
				lastcall.Sleep(ctx, time.Duration(replica)*time.Minute)
				lastcall.Ready(ctx)
				return untilStop(ctx)
			})
		}, lastcall.AwaitReady(0))
		g.Go("proxy", untilStop, lastcall.After("web"))
		stop := running(t, &g)
		time.Sleep(2*time.Minute + time.Second)
		expectStates(t, &g, "proxy waiting, web-1 ready, web-2 ready, web-3 starting")
		time.Sleep(time.Minute)
		expectStates(t, &g, "proxy ready, web-1 ready, web-2 ready, web-3 ready")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A report has the identity of each worker as fields.
func TestIdentity(t *testing.T) {
	bubble(t, func(t *testing.T) {
		inner := new(lastcall.Group)
		inner.AddN("web", 2, func(int) lastcall.Worker { return lastcall.Func(untilStop) })
		var g lastcall.Group
		g.Add("shop", inner)
		g.Go("db", untilStop)
		g.Go("later", untilStop, lastcall.After("never"))
		g.Go("never", untilStop, lastcall.AwaitReady(0))
		stop := running(t, &g)
		if err := g.Restart(t.Context(), "shop/web-2"); err != nil {
			t.Error(err)
		}
		var got []string
		for _, w := range g.Report().Workers {
			got = append(got, fmt.Sprintf("%s: %s %d, %d", w.Name, w.Member, w.Replica, w.Attempt))
		}
		slices.Sort(got)
		want := []string{"db: db 0, 1", "later: later 0, 0", "never: never 0, 1", "shop/web-1: shop/web 1, 1", "shop/web-2: shop/web 2, 2", "shop: shop 0, 1"}
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Scale returns when the new replicas are ready, or the surplus ones, those with the highest numbers, have ended. What depends
// on the member runs on.
func TestScale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, broken := newJournal(), 0
		var g lastcall.Group
		g.Observe = j.states
		g.AddN("web", 1, slowly(&broken), lastcall.AwaitReady(0))
		g.Go("proxy", untilStop, lastcall.Requires("web"))
		stop := running(t, &g)
		time.Sleep(time.Minute)
		for _, step := range []struct {
			n     int
			takes time.Duration
			want  string
		}{
			{3, time.Second, "proxy ready, web-1 ready, web-2 ready, web-3 ready"},
			{3, 0, "proxy ready, web-1 ready, web-2 ready, web-3 ready"},
			{1, 0, "proxy ready, web-1 ready"},
			{0, 0, "proxy ready"},
			{0, 0, "proxy ready"},
			{2, time.Second, "proxy ready, web-1 ready, web-2 ready"},
		} {
			began := time.Now()
			if err := g.Scale(t.Context(), "web", step.n); err != nil {
				t.Errorf("to %d: %v", step.n, err)
			}
			if took := time.Since(began); took != step.takes {
				t.Errorf("to %d: it took %v, not %v", step.n, took, step.takes)
			}
			expectStates(t, &g, step.want)
		}
		if err := g.Remove(t.Context(), "web-1"); err != nil {
			t.Error(err)
		}
		if err := g.Scale(t.Context(), "web", 3); err != nil {
			t.Error(err)
		}
		expectStates(t, &g, "proxy ready, web-1 ready, web-2 ready, web-3 ready") // the free number is used
		if starts := strings.Count(strings.Join(j.list(), "\n"), "proxy starting"); starts != 1 {
			t.Errorf("proxy started %d times", starts)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Scale adds all or none, whether one fails before it is ready, or is too late for that, or is none.
func TestScaleAllOrNone(t *testing.T) {
	for _, from := range []int{0, 1, 2} {
		bubble(t, func(t *testing.T) {
			broken := 4
			var g lastcall.Group
			g.AddN("web", from, slowly(&broken), lastcall.AwaitReady(0), lastcall.Restart(lastcall.RestartPolicy{Always: true}))
			g.Go("proxy", untilStop, lastcall.Requires("web"))
			stop := running(t, &g)
			time.Sleep(time.Minute)
			before := states(&g)
			err := g.Scale(t.Context(), "web", 5)
			failed := (*lastcall.WorkerError)(nil)
			if !errors.As(err, &failed) || failed.Name != "web-4" || !failed.Starting || err.Error() != "web-4: no port" {
				t.Errorf("from %d: %v", from, err)
			}
			expectStates(t, &g, before)
			broken = 0
			if err := g.Scale(t.Context(), "web", 5); err != nil {
				t.Error(err)
			}
			expectStates(t, &g, "proxy ready, web-1 ready, web-2 ready, web-3 ready, web-4 ready, web-5 ready")
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// When the caller gives up, replicas that are ready stay, and the others go before Scale returns.
func TestScaleGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.AddN("web", 0, func(replica int) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error {
				lastcall.Sleep(ctx, time.Duration(replica)*time.Minute)
				lastcall.Ready(ctx)
				<-ctx.Done()
				time.Sleep(time.Second)
				return nil
			})
		}, lastcall.AwaitReady(0))
		stop := running(t, &g)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 90*time.Second, errors.New("too long"))
		defer cancel()
		began := time.Now()
		if err := g.Scale(ctx, "web", 3); err == nil || err.Error() != "too long" {
			t.Error(err)
		}
		if took := time.Since(began); took != 91*time.Second {
			t.Errorf("it took %v", took)
		}
		expectStates(t, &g, "web-1 ready")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A member without replicas is parked: the group is ready without it, and does not end.
func TestParked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.AddN("web", 0, replicas(j, "web"))
		g.Go("once", func(context.Context) error { return nil }, lastcall.After("web"))
		stop := running(t, &g)
		time.Sleep(time.Hour)
		expectStates(t, &g, "once stopped")
		if err := g.Ready(); err != nil {
			t.Error(err)
		}
		if err := g.Scale(t.Context(), "web", 1); err != nil {
			t.Error(err)
		}
		expectStates(t, &g, "once stopped, web-1 ready")
		if err := g.Scale(t.Context(), "web", 0); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		expectStates(t, &g, "once stopped")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	bubble(t, func(t *testing.T) { // once removed it keeps nothing
		var g lastcall.Group
		g.AddN("web", 0, func(int) lastcall.Worker { return lastcall.Func(untilStop) })
		done := make(chan error)
		go func() { done <- g.Run(t.Context()) }()
		synctest.Wait()
		if err := g.Remove(t.Context(), "web"); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Operations take the name of a member for all its replicas, and that of a replica for the one.
func TestOperationsOnReplicas(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.AddN("web", 3, replicas(j, "web"))
		g.Go("proxy", untilStop, lastcall.After("web"))
		stop := running(t, &g)
		ctx := t.Context()
		do := func(err error, want string) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
			expectStates(t, &g, want)
		}
		do(g.Stop(ctx, "web-2"), "proxy ready, web-1 ready, web-2 stopped, web-3 ready")
		do(g.Stop(ctx, "web"), "proxy ready, web-1 stopped, web-2 stopped, web-3 stopped")
		do(g.Start(ctx, "web-1"), "proxy ready, web-1 ready, web-2 stopped, web-3 stopped")
		do(g.Start(ctx, "web"), "proxy ready, web-1 ready, web-2 ready, web-3 ready")
		began := time.Now()
		do(g.Restart(ctx, "web"), "proxy ready, web-1 ready, web-2 ready, web-3 ready")
		if took := time.Since(began); took != 3*time.Second { // one after another
			t.Errorf("the restart took %v", took)
		}
		do(g.Replace(ctx, "web-2", logged(j, "other")), "proxy ready, web-1 ready, web-2 ready, web-3 ready")
		j.index(t, "5s other starts")
		if err := g.Remove(ctx, "web"); err == nil || !strings.Contains(err.Error(), `worker "web" cannot be removed: "proxy" depends on it`) {
			t.Error(err)
		}
		do(g.Remove(ctx, "web-2"), "proxy ready, web-1 ready, web-3 ready")
		if err := g.Remove(ctx, "proxy"); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		g.AddN("other", 0, replicas(j, "other")) // the group goes on
		do(g.Remove(ctx, "web"), "")
		g.AddN("web", 1, replicas(j, "web")) // the names are free again
		expectStates(t, &g, "web-1 ready")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Where something requires the member, its replicas restart together.
func TestRestartOfRequiredReplicas(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.AddN("web", 3, replicas(j, "web"))
		g.Go("proxy", logged(j, "proxy"), lastcall.Requires("web"))
		stop := running(t, &g)
		began := time.Now()
		if err := g.Restart(t.Context(), "web"); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %v", took)
		}
		expectStates(t, &g, "proxy ready, web-1 ready, web-2 ready, web-3 ready")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// ReplaceN replaces one replica after another, and those to come are of the new kind.
func TestReplaceN(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j, broken := newJournal(), 0
		var g lastcall.Group
		g.AddN("web", 2, replicas(j, "web"))
		g.Go("proxy", untilStop, lastcall.After("web"))
		stop := running(t, &g)
		began := time.Now()
		if err := g.ReplaceN(t.Context(), "web", slowly(&broken), lastcall.AwaitReady(0)); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 4*time.Second { // twice a second to become ready, and a second to stop
			t.Errorf("it took %v", took)
		}
		expectStates(t, &g, "proxy ready, web-1 ready, web-2 ready")
		broken = 2
		err := g.ReplaceN(t.Context(), "web", slowly(&broken), lastcall.AwaitReady(0))
		if err == nil || err.Error() != "web-2: not replaced: no port" {
			t.Error(err)
		}
		expectStates(t, &g, "proxy ready, web-1 ready, web-2 ready")
		broken = 0
		began = time.Now()
		if err := g.Scale(t.Context(), "web", 3); err != nil || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 1500*time.Millisecond, errors.New("too long"))
		defer cancel()
		if err := g.ReplaceN(ctx, "web", replicas(j, "web"), lastcall.AwaitReady(0)); err == nil || err.Error() != "web-1: not replaced: too long" {
			t.Error(err)
		}
		expectStates(t, &g, "proxy ready, web-1 ready, web-2 ready, web-3 ready")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	bubble(t, func(t *testing.T) { // of none
		j, broken := newJournal(), 0
		var g lastcall.Group
		g.AddN("web", 0, replicas(j, "web"))
		stop := running(t, &g)
		if err := g.ReplaceN(t.Context(), "web", slowly(&broken), lastcall.AwaitReady(0)); err != nil {
			t.Error(err)
		}
		began := time.Now()
		if err := g.Scale(t.Context(), "web", 2); err != nil || time.Since(began) != time.Second {
			t.Error(err, time.Since(began))
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A group that the one around it starts again has the replicas that it had.
func TestReplicasInAGroupThatRestarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		inner := new(lastcall.Group)
		inner.Go("db", untilStop)
		inner.AddN("web", 1, replicas(j, "web"), lastcall.After("db"))
		inner.AddN("none", 1, replicas(j, "none"))
		inner.Go("proxy", untilStop, lastcall.After("web", "none"))
		var g lastcall.Group
		g.Add("shop", inner)
		stop := running(t, &g)
		for name, n := range map[string]int{"shop/web": 3, "shop/none": 0} {
			if err := g.Scale(t.Context(), name, n); err != nil {
				t.Error(err)
			}
		}
		if err := g.Remove(t.Context(), "shop/web-2"); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := g.Restart(t.Context(), "shop"); err != nil {
				t.Error(err)
			}
			expectStates(t, &g, "shop ready, shop/db ready, shop/proxy ready, shop/web-1 ready, shop/web-3 ready")
		}
		if err := g.Scale(t.Context(), "shop/web", 3); err != nil {
			t.Error(err)
		}
		expectStates(t, &g, "shop ready, shop/db ready, shop/proxy ready, shop/web-1 ready, shop/web-2 ready, shop/web-3 ready")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// What cannot be is said by Run, for all at once, or by the operation.
func TestReplicasThatCannotBe(t *testing.T) {
	is := func(int) lastcall.Worker { return lastcall.Func(untilStop) }
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		self := new(lastcall.Group)
		g.AddN("nothing", 2, func(int) lastcall.Worker { return nil })
		g.AddN("none", 1, nil)
		g.AddN("negative", -1, is)
		g.Go("web-2", untilStop)
		g.AddN("web", 2, is)
		g.Go("user", untilStop, lastcall.After("web-1"))
		g.AddN("loop", 1, is, lastcall.After("loop"))
		self.AddN("self", 1, func(int) lastcall.Worker { return self })
		g.Add("group", self)
		err := g.Run(t.Context())
		for _, want := range []string{
			`worker "nothing-1" is nil`, `worker "nothing-2" is nil`, `worker "none": AddN with a nil function`, `worker "negative": AddN(-1) is negative`,
			`worker "web-2" was added twice`, `worker "user" is to start after "web-1", which is not in the group`, `workers depend on each other: loop → loop`,
			`group "group/self-1" contains itself`,
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.AddN("web", 1, is, lastcall.AwaitReady(time.Hour))
		g.Go("web-3", untilStop)
		stop := running(t, &g)
		for _, test := range []struct {
			name string
			n    int
			want string
		}{
			{"nobody", 1, `there is no worker "nobody" in the group`},
			{"web-1", 1, `worker "web-1" is one worker and has no replicas, see AddN`},
			{"web-3", 1, `worker "web-3" is one worker and has no replicas, see AddN`},
			{"web", -1, `worker "web" cannot have -1 replicas`},
			{"web", 3, `worker "web-3" was added twice`},
		} {
			if err := g.Scale(t.Context(), test.name, test.n); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		}
		if err := g.Replace(t.Context(), "web", lastcall.Func(untilStop)); err == nil || !strings.Contains(err.Error(), `worker "web" has replicas, see ReplaceN`) {
			t.Error(err)
		}
		go g.Scale(t.Context(), "web", 2)
		synctest.Wait()
		for _, err := range []error{g.Scale(t.Context(), "web", 1), g.Remove(t.Context(), "web"), g.ReplaceN(t.Context(), "web", is)} {
			if err == nil || !strings.Contains(err.Error(), `worker "web" is being replaced, scaled or removed`) {
				t.Error(err)
			}
		}
		g.AddN("late", 1, is, lastcall.After("web-1"))
		g.AddN("web", 1, is)
		synctest.Wait()
		err := stop()
		for _, want := range []string{`worker "late" is to start after "web-1", which is not in the group`, `worker "web" was added twice`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if err := g.Scale(t.Context(), "web", 1); !errors.Is(err, lastcall.ErrStopping) {
			t.Error(err)
		}
	})
}
