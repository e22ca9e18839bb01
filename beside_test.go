package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// One more of the same has the place of the first in the stop, whether it was there from the start or not.
func TestBesideHasThePlace(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, option := range []func(...string) lastcall.Option{lastcall.After, lastcall.Requires} {
			bubble(t, func(t *testing.T) {
				j := newJournal()
				var g lastcall.Group
				second := func() {
					g.Go("web-2", logged(j, "web-2"), lastcall.After("db"), lastcall.Beside("web-1"))
				}
				g.Go("db", logged(j, "db"))
				g.Go("web-1", logged(j, "web-1"), lastcall.After("db"))
				g.Go("proxy", logged(j, "proxy"), option("web-1"))
				if !late {
					second()
				}
				stop := running(t, &g)
				if late {
					second()
					synctest.Wait()
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

// What has not started waits for the one that came beside; what has started does not.
func TestBesideIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		slow := func(ctx context.Context) error {
			lastcall.Sleep(ctx, time.Minute)
			lastcall.Ready(ctx)
			return untilStop(ctx)
		}
		g.Go("web", slow, lastcall.AwaitReady(0))
		g.Go("proxy", untilStop, lastcall.After("web"))
		stop := running(t, &g)
		time.Sleep(30 * time.Second)
		g.Go("web-2", slow, lastcall.AwaitReady(0), lastcall.Beside("web"))
		time.Sleep(45 * time.Second)
		if got := fmt.Sprint(stateOf(t, &g, "web"), stateOf(t, &g, "proxy")); got != "ready waiting" {
			t.Errorf("before web-2 is ready: %s", got)
		}
		time.Sleep(30 * time.Second)
		if got := stateOf(t, &g, "proxy"); got != lastcall.StateReady {
			t.Errorf("after it: %s", got)
		}
		g.Go("web-3", slow, lastcall.AwaitReady(0), lastcall.Beside("web-2"))
		synctest.Wait()
		if got := stateOf(t, &g, "proxy"); got != lastcall.StateReady {
			t.Errorf("with one more: %s", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// One that stands beside another can be removed although others depend on the two; the last cannot.
func TestBesideIsRemoved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Go("web-1", logged(j, "web-1"))
		g.Go("web-2", logged(j, "web-2"), lastcall.Beside("web-1"))
		g.Go("proxy", logged(j, "proxy"), lastcall.After("web-1"))
		g.Go("needs", logged(j, "needs"), lastcall.Requires("web-1"))
		g.Go("late", untilStop, lastcall.AwaitReady(0))
		stop := running(t, &g)
		if err := g.Replace(t.Context(), "web-2", logged(j, "web-2")); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"web-2", "web-1"} {
			err := g.Remove(t.Context(), name)
			if last := name == "web-1"; (err != nil) != last {
				t.Errorf("removing %s: %v", name, err)
			}
		}
		synctest.Wait()
		if got := fmt.Sprint(stateOf(t, &g, "proxy"), stateOf(t, &g, "needs"), len(g.Report().Workers)); got != "ready ready 4" {
			t.Errorf("after it: %s", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A worker that waits for one which is removed before it was ever ready starts.
func TestBesideIsRemovedBeforeItIsReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("web-1", untilStop)
		g.Go("web-2", untilStop, lastcall.AwaitReady(0), lastcall.Beside("web-1"))
		g.Go("proxy", untilStop, lastcall.After("web-1"))
		stop := running(t, &g)
		if got := stateOf(t, &g, "proxy"); got != lastcall.StateWaiting {
			t.Errorf("before: %s", got)
		}
		if err := g.Remove(t.Context(), "web-2"); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		if got := stateOf(t, &g, "proxy"); got != lastcall.StateReady {
			t.Errorf("after: %s", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestBesideWhatCannotBe(t *testing.T) {
	for _, test := range []struct {
		want string
		make func(g *lastcall.Group)
	}{
		{`worker "b" is to be beside "nobody", which is not in the group`, func(g *lastcall.Group) {
			g.Go("b", untilStop, lastcall.Beside("nobody"))
		}},
		{`worker "b" is to be beside itself`, func(g *lastcall.Group) {
			g.Go("a", untilStop, lastcall.Beside("b"))
			g.Go("b", untilStop, lastcall.Beside("a"))
		}},
		{"workers depend on each other: user → b → user", func(g *lastcall.Group) {
			g.Go("a", untilStop)
			g.Go("user", untilStop, lastcall.After("a"))
			g.Go("b", untilStop, lastcall.After("user"), lastcall.Beside("a"))
		}},
	} {
		bubble(t, func(t *testing.T) {
			var g lastcall.Group
			test.make(&g)
			if err := g.Run(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("a", untilStop)
		g.Go("user", untilStop, lastcall.After("a"))
		stop := running(t, &g)
		g.Go("b", untilStop, lastcall.Beside("nobody"))
		g.Go("c", untilStop, lastcall.After("user"), lastcall.Beside("a"))
		synctest.Wait()
		err := stop()
		for _, want := range []string{
			`worker "b" is to be beside "nobody", which is not in the group`,
			`worker "c" cannot start after "user", which depends on what it is beside`,
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
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
