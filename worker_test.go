package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

func TestNowAndEvery(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Go("tick", lastcall.NowAndEvery(time.Second, func(ctx context.Context) error {
			j.addAt("tick")
			return lastcall.Sleep(ctx, 500*time.Millisecond)
		}))
		if err := runFor(t, &g, 2200*time.Millisecond); err != nil {
			t.Error(err)
		}
		j.addAt("returned")
		j.expect(t, "0s tick", "1s tick", "2s tick", "2.5s returned")
	})
	boom := errors.New("boom")
	if err := lastcall.NowAndEvery(time.Hour, func(context.Context) error { return boom })(t.Context()); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	for _, bad := range []lastcall.Func{lastcall.NowAndEvery(0, untilStop), lastcall.NowAndEvery(time.Second, nil), lastcall.Closer(nil)} {
		if err := bad(t.Context()); err == nil {
			t.Error("no error for a bad period or function")
		}
	}
}

// A closer runs under grace, when its users have returned.
func TestCloser(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Add("db", lastcall.Closer(func(ctx context.Context) error {
			j.addAt("close")
			err := lastcall.Sleep(ctx, 2*time.Second)
			j.addAt("closed %v", err)
			return err
		}))
		g.Go("web", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second)
			j.addAt("web returns")
			return nil
		}, lastcall.After("db"))
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
		j.expect(t, "4s web returns", "4s close", "6s closed <nil>")
	})
}

// It closes also when a user was abandoned, and how it failed is said.
func TestCloserInTrouble(t *testing.T) {
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		user  lastcall.Func
		close func(context.Context) error
		want  string
		code  int
	}{
		"a user is abandoned": {func(context.Context) error { time.Sleep(time.Minute); return nil }, func(ctx context.Context) error { return ctx.Err() },
			"web: abandoned, still running 1.75s after its soft stop", 4},
		"it is cut": {untilStop, func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Hour) },
			"db: interrupted by the hard stop, 1 unit in flight cut: context canceled", 4},
		"it fails": {untilStop, func(context.Context) error { return boom }, "db: boom", 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				defer time.Sleep(time.Hour) // what was abandoned ends, too
				g := lastcall.Group{Grace: 2 * time.Second, HardStop: 2 * time.Second}
				called := false
				g.Add("db", lastcall.Closer(func(ctx context.Context) error {
					called = true
					return test.close(ctx)
				}))
				g.Go("web", test.user, lastcall.After("db"))
				err := runFor(t, &g, time.Second)
				if !called || errorText(err) != test.want || lastcall.ExitCode(err) != test.code {
					t.Errorf("called: %v, %v, exit status %d; want %q, %d", called, err, lastcall.ExitCode(err), test.want, test.code)
				}
			})
		})
	}
}

func TestCloserOutsideAGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lastcall.Closer(func(ctx context.Context) error { return ctx.Err() })(ctx); err != nil {
		t.Errorf("it is called with a context that has ended: %v", err)
	}
}

// server is something that is to be shut down: Shutdown waits for its connections, or for ctx.
type server struct{ busy bool }

func (s *server) Shutdown(ctx context.Context) error {
	if !s.busy {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return nil
	}
}

// A Shutdown that gives up because its context had ended is not "all well". Everything that looks alike is.
func TestShutdownWithAnEndedContext(t *testing.T) {
	type key struct{}
	busy, idle := &server{busy: true}, &server{}
	for name, test := range map[string]struct {
		run  lastcall.Func
		lost bool
	}{
		"the classic": {func(ctx context.Context) error { <-ctx.Done(); return busy.Shutdown(ctx) }, true},
		"wrapped": {func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("shutdown: %w", busy.Shutdown(context.WithValue(ctx, key{}, 1)))
		}, true},
		"nothing to wait for":  {func(ctx context.Context) error { <-ctx.Done(); return idle.Shutdown(ctx) }, false},
		"under grace":          {func(ctx context.Context) error { <-ctx.Done(); return busy.Shutdown(lastcall.Grace(ctx)) }, false},
		"the helper":           {lastcall.Closer(busy.Shutdown), false},
		"the worker's own end": {untilStop, false},
		"a loop with a select": {func(ctx context.Context) error { <-ctx.Done(); <-ctx.Done(); return ctx.Err() }, false},
		"shut down without end": {func(ctx context.Context) error {
			<-ctx.Done()
			_ = busy.Shutdown(context.WithoutCancel(ctx))
			return ctx.Err()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var g lastcall.Group
				g.Go("web", test.run)
				err := runFor(t, &g, time.Second)
				want, code := "", 0
				if test.lost {
					want, code = "web: work lost, 1 unit: called Shutdown with a context that had ended; use lastcall.Closer", 4
				}
				if errorText(err) != want || lastcall.ExitCode(err) != code {
					t.Errorf("%v, exit status %d; want %q, %d", err, lastcall.ExitCode(err), want, code)
				}
				if w := worker(t, g.Report(), "web"); (w.Lost > 0) != test.lost || w.State != lastcall.StateStopped {
					t.Errorf("%+v", w)
				}
			})
		})
	}
}
