package lastcall_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

func TestWorkInFlightSurvivesTheSoftStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Go("web", func(ctx context.Context) error {
			go lastcall.Do(ctx, func(ctx context.Context) error {
				err := lastcall.Sleep(ctx, 10*time.Second)
				j.addAt("unit %v", err)
				return err
			})
			<-ctx.Done()
			j.addAt("refused: %v", errors.Is(lastcall.Do(ctx, func(context.Context) error { return nil }), lastcall.ErrStopping))
			j.addAt("tracked: %v", lastcall.Track(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Second) }))
			return nil // the unit is waited for all the same
		}, lastcall.After("db"))
		g.Go("db", func(ctx context.Context) error {
			<-ctx.Done()
			j.addAt("db told")
			return nil
		})
		if err := runFor(t, &g, 5*time.Second); err != nil {
			t.Error(err)
		}
		j.expect(t, "5s refused: true", "6s tracked: <nil>", "10s unit <nil>", "10s db told")
		if w := worker(t, g.Report(), "web"); w.InFlight != 1 || w.Interrupted != 0 {
			t.Errorf("%d in flight, %d interrupted", w.InFlight, w.Interrupted)
		}
	})
}

func TestWorkCutByTheHardStopIsInterruptedNotFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		var mu sync.Mutex
		var cause error
		var wait sync.WaitGroup
		g.Go("web", func(ctx context.Context) error {
			for range 3 {
				wait.Go(func() {
					err := lastcall.Do(ctx, func(ctx context.Context) error {
						err := lastcall.Sleep(ctx, time.Hour)
						mu.Lock()
						cause = context.Cause(ctx)
						mu.Unlock()
						return err
					})
					unit := workerError(err, lastcall.ErrInterrupted)
					if unit == nil || unit.Units != 1 {
						t.Errorf("Do returned %v", err)
					}
				})
			}
			<-ctx.Done()
			wait.Wait()
			return nil
		})
		err := runFor(t, &g, time.Second)
		cut := workerError(err, lastcall.ErrInterrupted)
		if cut == nil || cut.Name != "web" || cut.Units != 3 || errors.Is(err, lastcall.ErrFailed) {
			t.Errorf("got %v", err)
		}
		if lastcall.ExitCode(err) != 4 {
			t.Errorf("exit status %d", lastcall.ExitCode(err))
		}
		var stop *lastcall.StopCause
		if !errors.As(cause, &stop) || !stop.Hard || stop.Reason != lastcall.StopGraceExpired || !errors.Is(cause, lastcall.ErrHardStop) || !errors.Is(cause, context.Canceled) || errors.Is(cause, lastcall.ErrStopping) {
			t.Errorf("the cause is %#v", cause)
		}
		if w := worker(t, g.Report(), "web"); w.State != lastcall.StateStopped || w.Interrupted != 3 || w.InFlight != 3 {
			t.Errorf("%+v", w)
		}
	})
}

// The check and the count are one step: whatever Do admitted has run to its end when the group returns, and the sum of
// admitted and refused is what was tried. Real time, real parallelism.
func TestDoAgainstTheStop(t *testing.T) {
	for range 100 {
		var g lastcall.Group
		var admitted, finished, refused, late atomic.Int64
		var stopped atomic.Bool
		started := make(chan struct{})
		g.Go("web", func(ctx context.Context) error {
			close(started)
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					for {
						before := stopped.Load()
						err := lastcall.Do(ctx, func(ctx context.Context) error {
							admitted.Add(1)
							if before {
								late.Add(1)
							}
							finished.Add(1)
							return nil
						})
						if errors.Is(err, lastcall.ErrStopping) {
							refused.Add(1)
							return
						}
					}
				})
			}
			<-ctx.Done()
			stopped.Store(true) // from here on nothing may be admitted
			wait.Wait()
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		<-started
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if late.Load() != 0 || admitted.Load() != finished.Load() || refused.Load() != 4 {
			t.Fatalf("%d admitted after the stop, %d admitted, %d finished, %d refused", late.Load(), admitted.Load(), finished.Load(), refused.Load())
		}
	}
}

func TestEachHandlesWhatItTook(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		// The source hands out an item in the very moment of the stop, and does not look at ctx.
		items := make(chan int)
		go func() {
			items <- 1
			time.Sleep(4 * time.Second)
			items <- 2
		}()
		take := func(ctx context.Context) (int, error) {
			select {
			case i := <-items:
				return i, nil
			case <-ctx.Done():
				select {
				case i := <-items:
					return i, nil
				case <-time.After(time.Second):
				}
				return 0, ctx.Err()
			}
		}
		g.Go("queue", func(ctx context.Context) error {
			// On a goroutine that the worker does not wait for: the group does.
			go func() {
				err := lastcall.Each(ctx, take, func(ctx context.Context, i int) error {
					err := lastcall.Sleep(ctx, 3*time.Second)
					j.addAt("item %d: %v", i, err)
					return err
				})
				j.addAt("each: %v", err)
			}()
			<-ctx.Done()
			return nil
		})
		if err := runFor(t, &g, 3500*time.Millisecond); err != nil {
			t.Error(err)
		}
		if i, each := j.index(t, "7s item 2: <nil>"), j.index(t, "7s each: <nil>"); i > each {
			t.Error("Each returned before its item was handled")
		}
	})
}

func TestEachEnds(t *testing.T) {
	boom := errors.New("boom")
	ctx, cancel := context.WithCancel(t.Context())
	for _, test := range []struct {
		name      string
		take      func(context.Context) (int, error)
		handleErr error
		want      error
	}{
		{"at the end of the source", func(context.Context) (int, error) { return 0, io.EOF }, nil, nil},
		{"on an error of the source", func(context.Context) (int, error) { return 0, boom }, nil, boom},
		{"on an error of the handler", func(context.Context) (int, error) { return 1, nil }, boom, boom},
		{"at the stop", func(context.Context) (int, error) { cancel(); return 0, boom }, nil, nil},
	} {
		err := lastcall.Each(ctx, test.take, func(context.Context, int) error { return test.handleErr })
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
}

func TestAPanicWhileTakingDoesNotHangTheStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("queue", func(ctx context.Context) error {
			return lastcall.Each(ctx, func(context.Context) (int, error) { panic("source") }, func(context.Context, int) error { return nil })
		})
		g.Go("work", func(ctx context.Context) error {
			return lastcall.Do(ctx, func(context.Context) error { panic("work") })
		})
		began := time.Now()
		var p *lastcall.PanicError
		if err := g.Run(t.Context()); !errors.As(err, &p) || time.Since(began) != 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestEvery(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Go("tick", lastcall.Every(time.Second, func(ctx context.Context) error {
			j.addAt("tick")
			return lastcall.Sleep(ctx, 500*time.Millisecond)
		}))
		if err := runFor(t, &g, 3200*time.Millisecond); err != nil {
			t.Error(err)
		}
		j.addAt("returned")
		j.expect(t, "1s tick", "2s tick", "3s tick", "3.5s returned") // the call in flight finished
	})
	boom := errors.New("boom")
	bubble(t, func(t *testing.T) {
		if err := lastcall.Every(time.Second, func(context.Context) error { return boom })(t.Context()); !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
	})
	for _, bad := range []lastcall.Func{lastcall.Every(0, untilStop), lastcall.Every(-time.Second, untilStop), lastcall.Every(time.Second, nil)} {
		if err := bad(t.Context()); err == nil {
			t.Error("no error for a bad period or function")
		}
	}
}

func TestOutsideAGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		if lastcall.Grace(ctx) != ctx || lastcall.Name(ctx) != "" {
			t.Error("Grace or Name")
		}
		lastcall.Ready(ctx)
		lastcall.Unready(ctx, "x")
		lastcall.Status(ctx, "x")
		ran := 0
		run := func(got context.Context) error {
			if got != ctx {
				t.Error("another context")
			}
			ran++
			return nil
		}
		if lastcall.Do(ctx, run) != nil || lastcall.Track(ctx, run) != nil || ran != 2 {
			t.Error("Do or Track")
		}
		cancel()
		<-lastcall.LameDuck(ctx)
		if !errors.Is(lastcall.Do(ctx, run), lastcall.ErrStopping) {
			t.Error("Do after the end")
		}
		if lastcall.Sleep(ctx, time.Hour) == nil || lastcall.Sleep(ctx, -1) == nil {
			t.Error("Sleep after the end")
		}
	})
}

func TestTheTwoContexts(t *testing.T) {
	type key struct{}
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("w", func(ctx context.Context) error {
			ctx = context.WithValue(ctx, key{}, "inner")
			derived, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			grace := lastcall.Grace(derived)
			own, _ := derived.Deadline()
			if at, ok := grace.Deadline(); !ok || !at.Equal(own) || grace.Value(key{}) != "inner" || lastcall.Name(grace) != "w" || lastcall.Grace(grace) != grace {
				t.Error("grace before the stop")
			}
			child, cancelChild := context.WithCancel(grace)
			defer cancelChild()
			<-derived.Done()
			if context.Cause(derived).Error() != "soft stop: requested" {
				t.Errorf("cause of the soft stop: %v", context.Cause(derived))
			}
			if grace.Err() != nil || child.Err() != nil {
				t.Error("the soft stop ended the grace context")
			}
			if deadline, ok := grace.Deadline(); !ok || time.Until(deadline) != 10*time.Second {
				t.Errorf("the deadline is %v, in %v", ok, time.Until(deadline))
			}
			<-child.Done()
			if !errors.Is(context.Cause(child), lastcall.ErrHardStop) {
				t.Errorf("cause of the hard stop: %v", context.Cause(child))
			}
			return nil
		})
		outer := context.WithValue(t.Context(), key{}, "outer")
		ctx, cancel := context.WithCancel(outer)
		g.Grace = 10 * time.Second
		time.AfterFunc(time.Second, cancel)
		if err := g.Run(ctx); lastcall.ExitCode(err) != 4 {
			t.Error(err)
		}
	})
}

// Work that was accepted may use helpers that use Do: it is not refused inside a unit, whoever counted that, and the
// worker is waited for until all of it has ended.
func TestDoInsideAUnitIsNotRefused(t *testing.T) {
	type key struct{}
	for name, inside := range map[string]func(ctx, unit context.Context) context.Context{
		"the unit's context":      func(_, unit context.Context) context.Context { return unit },
		"one made from it":        func(_, unit context.Context) context.Context { return context.WithValue(unit, key{}, 1) },
		"one made from the grace": func(ctx, _ context.Context) context.Context { return context.WithValue(lastcall.Grace(ctx), key{}, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var g lastcall.Group
				nested := make(chan error, 1)
				g.Go("web", func(ctx context.Context) error {
					return lastcall.Track(ctx, func(unit context.Context) error {
						<-ctx.Done()
						go func() {
							nested <- lastcall.Do(inside(ctx, unit), func(ctx context.Context) error {
								time.Sleep(time.Second)
								return ctx.Err()
							})
						}()
						time.Sleep(time.Millisecond)
						if err := lastcall.Do(ctx, func(context.Context) error { return nil }); !errors.Is(err, lastcall.ErrStopping) {
							t.Errorf("Do with the worker's own context after the soft stop: %v", err)
						}
						return nil
					})
				})
				if err := runFor(t, &g, time.Minute); err != nil {
					t.Error(err)
				}
				select {
				case err := <-nested:
					if err != nil {
						t.Errorf("the unit inside the unit: %v", err)
					}
				default:
					t.Error("the worker was not waited for")
				}
				w := worker(t, g.Report(), "web")
				if took := w.Ended.Sub(w.SoftStop); took != time.Second {
					t.Errorf("the stop took %v, want 1s", took)
				}
			})
		})
	}
}

// Without a unit in flight the grace context is no way around the refusal, and a group inside a unit has a stop of its own.
func TestDoUnderGraceWithoutAUnitIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("web", func(ctx context.Context) error {
			<-ctx.Done()
			if err := lastcall.Do(lastcall.Grace(ctx), func(context.Context) error { return nil }); !errors.Is(err, lastcall.ErrStopping) {
				t.Errorf("Do under grace: %v", err)
			}
			return lastcall.Track(ctx, func(unit context.Context) error {
				var inner lastcall.Group
				inner.Go("job", func(ctx context.Context) error {
					<-ctx.Done()
					if err := lastcall.Do(ctx, func(context.Context) error { return nil }); !errors.Is(err, lastcall.ErrStopping) {
						t.Errorf("Do in a group inside the unit: %v", err)
					}
					return nil
				})
				inner2, cancel := context.WithTimeout(unit, time.Second)
				defer cancel()
				return inner.Run(inner2)
			})
		})
		if err := runFor(t, &g, time.Minute); err != nil {
			t.Error(err)
		}
	})
}

// Work in flight ends with the caller's own timeout and cancellation, before and after the soft stop, and not by the soft stop.
func TestGraceKeepsTheCallersEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		enough := errors.New("enough")
		var g lastcall.Group
		g.Go("w", func(ctx context.Context) error {
			ends := func(what string, in time.Duration, of context.Context, want error, cause error) {
				t.Helper()
				began := time.Now()
				err := lastcall.Do(of, func(ctx context.Context) error {
					<-ctx.Done()
					if context.Cause(ctx) != cause {
						t.Errorf("%s: the cause is %v, want %v", what, context.Cause(ctx), cause)
					}
					return ctx.Err()
				})
				if took := time.Since(began); !errors.Is(err, want) || took != in {
					t.Errorf("%s: %v after %v, want %v after %v", what, err, took, want, in)
				}
			}
			timed, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			ends("a timeout", 100*time.Millisecond, timed, context.DeadlineExceeded, context.DeadlineExceeded)

			called, callOff := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { callOff(enough) })
			ends("a caller that hangs up", time.Second, called, context.Canceled, enough)

			inside, cancelInside := context.WithTimeout(ctx, time.Minute) // the soft stop comes before its end
			defer cancelInside()
			ends("a timeout over the soft stop", time.Minute, inside, context.DeadlineExceeded, context.DeadlineExceeded)
			if ctx.Err() == nil {
				t.Error("the soft stop has not come")
			}
			return nil
		})
		g.Grace = time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Second, cancel)
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
}
