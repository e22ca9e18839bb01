package lastcall_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// readyAfter is a worker that says that it is ready after d.
func readyAfter(d time.Duration) lastcall.Func {
	return func(ctx context.Context) error {
		if err := lastcall.Sleep(ctx, d); err != nil {
			return err
		}
		lastcall.Ready(ctx)
		<-ctx.Done()
		return nil
	}
}

// A worker that depends on one which is being removed and replaced at the same time must not keep the group.
func TestRunReturnsAfterRemoveGoAndReplaceOfOneName(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{Grace: time.Second}
		g.Go("db", ignores(100*time.Millisecond))
		g.Go("cron", untilStop)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		synctest.Wait()
		removed, replaced := make(chan error, 1), make(chan error, 1)
		go func() { removed <- g.Remove(t.Context(), "db") }()
		synctest.Wait()
		g.Go("web", untilStop, lastcall.After("db"))
		go func() {
			replaced <- g.Replace(t.Context(), "db", readyAfter(200*time.Millisecond), lastcall.AwaitReady(time.Second))
		}()
		if err := <-removed; err != nil {
			t.Errorf("Remove: %v", err)
		}
		if err := <-replaced; err == nil || !strings.Contains(err.Error(), "is being removed") {
			t.Errorf("Replace: %v, want that the worker is being removed", err)
		}
		cancel()
		select {
		case err := <-ended:
			var config *lastcall.ConfigError
			if !errors.As(err, &config) || !strings.Contains(err.Error(), `"web" is to start after "db", which is being removed`) {
				t.Errorf("Run: %v, want that web was rejected", err)
			}
		case <-time.After(time.Hour):
			t.Fatalf("Run did not return within an hour:\n%v", g.Report())
		}
	})
}

// The old worker ends by itself while its replacement is not ready yet, and what depends on the name comes and goes.
func TestReplacementOfOneThatEndsKeepsTheOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := lastcall.Group{Grace: time.Second}
		end := make(chan struct{})
		g.Go("db", func(context.Context) error { <-end; return nil })
		stop := running(t, &g)
		replaced := make(chan error, 1)
		go func() {
			replaced <- g.Replace(t.Context(), "db", readyAfter(time.Second), lastcall.AwaitReady(time.Minute))
		}()
		synctest.Wait()
		g.Go("web", ignores(300*time.Millisecond), lastcall.After("db"))
		close(end)
		if err := <-replaced; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
		r := g.Report()
		if db, web := worker(t, r, "db"), worker(t, r, "web"); db.SoftStop.Sub(web.Ended) != 0 {
			t.Errorf("db was told at %v, web ended at %v", db.SoftStop.Sub(r.SoftStop), web.Ended.Sub(r.SoftStop))
		}
	})
}

// A worker that is to be abandoned ends, and starts again, while the stacks are taken: the new start is not stopped.
func TestAbandonLooksAgain(t *testing.T) {
	const rounds = 40
	for range rounds {
		bubble(t, func(t *testing.T) {
			g := lastcall.Group{Grace: time.Second, HardStop: time.Second}
			fail := make(chan struct{}, 1)
			g.Go("db", func(ctx context.Context) error {
				select {
				case <-fail:
					return errors.New("lost")
				case <-ctx.Done():
					return nil
				}
			}, lastcall.Restart(lastcall.RestartPolicy{Always: true, MinDelay: time.Millisecond, AtOnce: true}))
			var starts int
			g.Go("web", func(ctx context.Context) error {
				starts++
				<-ctx.Done()
				if cause := context.Cause(ctx); cause == (*lastcall.StopCause)(nil) {
					t.Error("a nil cause")
				} else {
					_ = cause.Error()
				}
				if starts == 1 {
					time.Sleep(2 * time.Second) // grace and hard stop
				}
				return nil
			}, lastcall.Requires("db"))
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- g.Run(ctx) }()
			synctest.Wait()
			fail <- struct{}{}
			time.Sleep(time.Minute)
			cancel()
			err := <-ended
			if err != nil && !errors.Is(err, lastcall.ErrAbandoned) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}
