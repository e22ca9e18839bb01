package lastcall_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A counter is a producer that acknowledges orders into a channel until it is told to stop, and what became of them.
type counter struct {
	orders  chan int
	taken   atomic.Int64 // acknowledged
	handled atomic.Int64
	each    time.Duration // how long one takes
}

func newCounter() *counter {
	return &counter{orders: make(chan int, 1000), each: 500 * time.Millisecond}
}

// sell takes an order every 100 ms, and two more after the soft stop, which were on their way.
func (s *counter) sell(ctx context.Context) error {
	for lastcall.Sleep(ctx, 100*time.Millisecond) == nil {
		s.orders <- int(s.taken.Add(1))
	}
	for range 2 {
		time.Sleep(100 * time.Millisecond)
		s.orders <- int(s.taken.Add(1))
	}
	return nil
}

func (s *counter) pack(ctx context.Context, _ int) error {
	if err := lastcall.Sleep(ctx, s.each); err != nil {
		return err
	}
	s.handled.Add(1)
	return nil
}

func (s *counter) drain(ctx context.Context) error { return lastcall.Drain(ctx, s.orders, s.pack) }

// take is a queue in memory, as DrainFunc wants it.
func (s *counter) take(ctx context.Context) (int, error) {
	select {
	case n := <-s.orders:
		return n, nil
	default:
	}
	select {
	case n := <-s.orders:
		return n, nil
	case <-ctx.Done():
		return 0, lastcall.ErrEmpty
	}
}

func (s *counter) drainFunc(ctx context.Context) error {
	return lastcall.DrainFunc(ctx, s.take, s.pack)
}

func TestDrainHandlesWhatWasAcknowledged(t *testing.T) {
	for name, consumers := range map[string][]func(*counter) lastcall.Func{
		"a channel":           {func(s *counter) lastcall.Func { return s.drain }},
		"a queue":             {func(s *counter) lastcall.Func { return s.drainFunc }},
		"three workers":       {func(s *counter) lastcall.Func { return s.drain }, func(s *counter) lastcall.Func { return s.drain }, func(s *counter) lastcall.Func { return s.drainFunc }},
		"goroutines of one":   {func(s *counter) lastcall.Func { return several(s.drain) }},
		"one that returned":   {func(s *counter) lastcall.Func { return leftToGoroutine(s.drain) }},
		"under a child's end": {func(s *counter) lastcall.Func { return withChild(s.drain) }},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newCounter()
				var g lastcall.Group
				var names []string
				for i, of := range consumers {
					name := string(rune('a' + i))
					names = append(names, name)
					g.Go(name, of(s))
				}
				g.Go("web", s.sell, lastcall.After(names...))
				if err := runFor(t, &g, 2050*time.Millisecond); err != nil {
					t.Error(err)
				}
				if s.taken.Load() != 22 || s.handled.Load() != 22 {
					t.Errorf("%d of %d orders were handled", s.handled.Load(), s.taken.Load())
				}
				if !strings.Contains(g.Report().String(), "all well") {
					t.Error(g.Report())
				}
			})
		})
	}
}

func several(run lastcall.Func) lastcall.Func {
	return func(ctx context.Context) error {
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() { _ = run(ctx) })
		}
		wait.Wait()
		return nil
	}
}

// leftToGoroutine is a worker that returns at the stop while its goroutine still drains.
func leftToGoroutine(run lastcall.Func) lastcall.Func {
	return func(ctx context.Context) error {
		go run(ctx)
		<-ctx.Done()
		return nil
	}
}

func withChild(run lastcall.Func) lastcall.Func {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		return run(ctx)
	}
}

// What the hard stop leaves in the channel is lost, and is told with its number, once, however many drain it.
func TestWhatIsLeftInTheEndIsLost(t *testing.T) {
	for name, of := range map[string]func(*counter) lastcall.Func{
		"a channel": func(s *counter) lastcall.Func { return s.drain },
		"a queue":   func(s *counter) lastcall.Func { return s.drainFunc },
		"a worker that fails": func(s *counter) lastcall.Func {
			return func(ctx context.Context) error {
				return lastcall.Drain(ctx, s.orders, func(ctx context.Context, n int) error {
					if n > 2 {
						return errors.New("out of boxes")
					}
					return s.pack(ctx, n)
				})
			}
		},
		"a worker that is abandoned": func(s *counter) lastcall.Func {
			return func(ctx context.Context) error {
				return lastcall.Drain(ctx, s.orders, func(ctx context.Context, n int) error {
					if n > 2 {
						time.Sleep(time.Minute)
					}
					return s.pack(ctx, n)
				})
			}
		},
		"a worker that was stopped alone": func(s *counter) lastcall.Func { return s.drain },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newCounter()
				g := lastcall.Group{Grace: 4 * time.Second, HardStop: time.Second}
				var events []lastcall.Event
				g.Observe = func(e lastcall.Event) {
					if e.Kind == lastcall.EventLost {
						events = append(events, e)
					}
				}
				inner := new(lastcall.Group)
				inner.Go("a", of(s))
				inner.Go("b", of(s))
				g.Add("pack", inner)
				g.Go("web", s.sell, lastcall.After("pack"))
				if name == "a worker that was stopped alone" {
					g.Go("operator", func(ctx context.Context) error {
						lastcall.Sleep(ctx, time.Second)
						return errors.Join(g.Stop(ctx, "pack/a"), g.Stop(ctx, "pack/b"))
					})
				}
				err := runFor(t, &g, 5050*time.Millisecond)
				report := g.Report()
				defer time.Sleep(time.Hour) // what was abandoned ends, too
				cut := 0
				for _, w := range report.Workers {
					if w.Name != "pack" {
						cut += w.Interrupted
					}
				}
				if name == "a worker that fails" {
					cut += 2 // of which it failed
				}
				if name == "a worker that is abandoned" {
					cut += 2
				}
				left := int(s.taken.Load()-s.handled.Load()) - cut
				var lost *lastcall.WorkerError
				if !errors.Is(err, lastcall.ErrLost) || lastcall.ExitCode(err) != 4 {
					t.Fatalf("%v, exit status %d; want %d lost", err, lastcall.ExitCode(err), left)
				}
				sum := 0
				for _, e := range events {
					if !errors.As(e.Err, &lost) || lost.Kind != lastcall.ErrLost || !strings.HasPrefix(lost.Name, "pack/") {
						t.Errorf("event %v", e)
						continue
					}
					sum += lost.Units
					if w := worker(t, g.Report(), lost.Name); w.Lost != lost.Units || !strings.Contains(w.Err, "left in the source") {
						t.Errorf("%+v", w)
					}
				}
				if sum != left {
					t.Errorf("%d lost are told, %d taken, %d handled, %d cut\n%v\n%v", sum, s.taken.Load(), s.handled.Load(), cut, err, g.Report())
				}
			})
		})
	}
}

// A worker that stops while its group runs on leaves the rest to those after it.
func TestDrainLeavesTheRestToTheNext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCounter()
		var g lastcall.Group
		g.Go("pack", s.drainFunc)
		g.Go("web", s.sell, lastcall.After("pack"))
		g.Go("operator", func(ctx context.Context) error {
			for _, op := range []func() error{
				func() error { return g.Restart(ctx, "pack") },
				func() error { return g.Replace(ctx, "pack", lastcall.Func(s.drain)) },
				func() error { return g.Restart(ctx, "pack") },
			} {
				lastcall.Sleep(ctx, 1050*time.Millisecond)
				began := time.Now()
				if err := op(); err != nil {
					return err
				}
				if took := time.Since(began); took > s.each {
					t.Errorf("the operation took %v: it waited for more than the order in hand", took)
				}
			}
			return nil
		})
		if err := runFor(t, &g, 5050*time.Millisecond); err != nil {
			t.Error(err)
		}
		if s.taken.Load() != s.handled.Load() {
			t.Errorf("%d of %d orders were handled", s.handled.Load(), s.taken.Load())
		}
	})
}

func TestDrainEnds(t *testing.T) {
	boom := errors.New("boom")
	pass := func(context.Context, int) error { return nil }
	closed := make(chan int)
	close(closed)
	takes := func(err error) lastcall.Func {
		return func(ctx context.Context) error {
			return lastcall.DrainFunc(ctx, func(ctx context.Context) (int, error) { return 0, err }, pass)
		}
	}
	for name, test := range map[string]struct {
		run  lastcall.Func
		want string
	}{
		"a closed channel":      {func(ctx context.Context) error { return lastcall.Drain(ctx, closed, pass) }, ""},
		"the end of the source": {takes(io.EOF), ""},
		"an error of take":      {takes(boom), "w: boom"},
		"a take that does not wait": {takes(lastcall.ErrEmpty),
			"w: take did not wait for an item: lastcall: nothing is there to take"},
		"a take that does not say that nothing is left": {func(ctx context.Context) error {
			return lastcall.DrainFunc(ctx, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, pass)
		}, "w: after the soft stop take has to return what is there, or lastcall.ErrEmpty: context canceled"},
		"the caller's own end": {func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return lastcall.Drain(ctx, make(chan int), pass)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var g lastcall.Group
				g.Go("w", test.run)
				err := runFor(t, &g, 2*time.Second)
				if got := errorText(err); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestDrainOutsideAGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2100*time.Millisecond)
		defer cancel()
		s := newCounter()
		for range 10 {
			s.orders <- 1
		}
		if err := s.drainFunc(ctx); !errors.Is(err, context.DeadlineExceeded) || s.handled.Load() != 4 {
			t.Errorf("%v, %d handled", err, s.handled.Load())
		}
		if err := s.drain(ctx); err != nil || s.handled.Load() != 4 {
			t.Errorf("after the end: %v, %d handled", err, s.handled.Load())
		}
	})
}

// A unit that the soft stop aborts used the worker's context instead of its own: it is lost, and told.
func TestAUnitThatUsesTheWorkersContextIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		run  func(ctx context.Context) error
		lost int
	}{
		"Do": {func(ctx context.Context) error {
			return lastcall.Do(ctx, func(context.Context) error { return lastcall.Sleep(ctx, time.Hour) })
		}, 1},
		"Each, and its error swallowed": {func(ctx context.Context) error {
			return lastcall.Each(ctx, func(context.Context) (int, error) { return 1, nil }, func(_ context.Context, _ int) error {
				_ = lastcall.Do(ctx, func(context.Context) error { return lastcall.Sleep(ctx, time.Hour) })
				return nil
			})
		}, 1},
		"Drain, each item": {func(ctx context.Context) error {
			orders := make(chan int, 3)
			for range 3 {
				orders <- 1
			}
			close(orders)
			return lastcall.Drain(ctx, orders, func(_ context.Context, _ int) error {
				_ = lastcall.Track(ctx, func(context.Context) error { return lastcall.Sleep(ctx, time.Hour) })
				return nil
			})
		}, 3},
		"a unit in a unit": {func(ctx context.Context) error {
			return lastcall.Do(ctx, func(unit context.Context) error {
				return lastcall.Do(unit, func(context.Context) error { return lastcall.Sleep(ctx, time.Hour) })
			})
		}, 1},
		"in a nested group": {func(ctx context.Context) error {
			var inner lastcall.Group
			inner.Go("deep", func(ctx context.Context) error {
				return lastcall.Do(ctx, func(context.Context) error { return lastcall.Sleep(ctx, time.Hour) })
			})
			return inner.Run(ctx)
		}, 1},
		"its own context": {func(ctx context.Context) error {
			return lastcall.Do(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, 3*time.Second) })
		}, 0},
		"given back": {func(ctx context.Context) error {
			return lastcall.Do(ctx, func(context.Context) error {
				<-ctx.Done()
				return lastcall.ErrStopping
			})
		}, 0},
		"given back by an error of its own": {func(ctx context.Context) error {
			_ = lastcall.Do(ctx, func(context.Context) error {
				<-ctx.Done()
				return errors.New("put back")
			})
			return nil
		}, 0},
		"cancelled by the caller": {func(ctx context.Context) error {
			return lastcall.Do(ctx, func(unit context.Context) error {
				unit, cancel := context.WithCancel(unit)
				time.AfterFunc(2*time.Second, cancel)
				if err := lastcall.Do(unit, func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Hour) }); err != context.Canceled {
					return err
				}
				return nil
			})
		}, 0},
		"cancelled before the stop": {func(ctx context.Context) error {
			early, cancel := context.WithCancel(ctx)
			cancel()
			_ = lastcall.Do(ctx, func(context.Context) error { return early.Err() })
			<-ctx.Done()
			return ctx.Err()
		}, 0},
		"the worker's own return": {func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var g lastcall.Group
				g.Go("web", test.run)
				err := runFor(t, &g, time.Second)
				if test.lost == 0 {
					if err != nil {
						t.Errorf("a false alarm: %v", err)
					}
					return
				}
				var lost *lastcall.WorkerError
				if !errors.As(err, &lost) || lost.Kind != lastcall.ErrLost || lost.Units != test.lost || lastcall.ExitCode(err) != 4 {
					t.Fatalf("%v, exit status %d", err, lastcall.ExitCode(err))
				}
				if text := err.Error(); !strings.HasSuffix(text, "used the worker's context; use the one it was given") {
					t.Error(text)
				}
				if report := strings.Join(strings.Fields(g.Report().String()), " "); strings.Contains(report, "all well") || !strings.Contains(report, "used the worker's context; use the one it was given") {
					t.Error(report)
				}
				if w := worker(t, g.Report(), "web"); w.Lost != test.lost || w.State != lastcall.StateStopped {
					t.Errorf("%+v", w)
				}
			})
		})
	}
}
