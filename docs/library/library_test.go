package library

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/lastcalltest"
)

// stop runs a program, gives it an order, stops it while it packs, and returns the program's error.
func stop(s *shop, program func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- program(ctx) }()
	s.queue <- "order"
	synctest.Wait()
	cancel()
	return <-ended
}

// stopWell is stop for a group, which loses nothing.
func stopWell(t *testing.T, s *shop, group *lastcall.Group) {
	t.Helper()
	w := lastcalltest.Start(t, "shop", group)
	w.AwaitReady()
	s.queue <- "order"
	w.AwaitInFlight(1)
	w.Stop()
	w.AssertFinished()
}

// expect is what the store has in the end.
func expect(t *testing.T, s *shop, want ...string) {
	t.Helper()
	if !slices.Equal(s.store.entries, want) {
		t.Errorf("the store has %q, want %q", s.store.entries, want)
	}
}

// The signal ends the work in hand. It takes a real signal handler, which does not work in a bubble, so packing is replaced by
// waiting for the end of its context.
func TestNotifyBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newShop()
	s.queue <- "order"
	s.packing = func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	if err := notifyBefore(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("it returned %v", err)
	}
	expect(t, s)
}

func TestNotifyAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		stopWell(t, s, notifyAfter(s))
		expect(t, s, "order")
	})
}

// The consumer has returned when the last request acknowledges an order.
func TestErrgroupBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		_ = stop(s, func(ctx context.Context) error { return errgroupBefore(ctx, s) })
		expect(t, s)
		if len(s.queue) != 1 {
			t.Errorf("%d acknowledged orders are in the queue, want 1", len(s.queue))
		}
	})
}

func TestErrgroupAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		stopWell(t, s, errgroupAfter(s))
		expect(t, s, "order", "late order")
	})
}

// Run waits for an actor that does not return.
func TestOklogBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newShop(), newExporter()
		returned := make(chan error)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { returned <- oklogBefore(ctx, s, e) }()
		synctest.Wait()
		cancel()
		select {
		case err := <-returned:
			t.Errorf("Run returned %v", err)
		case <-time.After(time.Hour):
		}
		close(e.answer)
		<-returned
	})
}

func TestOklogAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := newShop(), newExporter()
		w := lastcalltest.Start(t, "shop", oklogAfter(s, e))
		w.AwaitReady()
		s.queue <- "order"
		w.AwaitInFlight(1)
		began := time.Now()
		w.AssertAbandoned()
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the stop took %v", took)
		}
		expect(t, s, "order")
		close(e.answer)
	})
}

// Services stop at the same time, so that the store is closed under the consumer.
func TestSutureBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		_ = stop(s, func(ctx context.Context) error { return sutureBefore(ctx, s) })
		time.Sleep(time.Minute) // what is still running ends
		expect(t, s)
	})
}

func TestSutureAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		stopWell(t, s, sutureAfter(s))
		expect(t, s, "order")
		if !s.store.closed {
			t.Error("the store is open")
		}
	})
}

// One slow hook uses up the time of all, and those after it are not called. fx takes real signals, so this is real time.
func TestFxBefore(t *testing.T) {
	s := newShop()
	app := fxBefore(s, new(server))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := app.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop returned %v", err)
	}
	if s.store.closed {
		t.Error("the store was closed")
	}
}

func TestFxAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		w := lastcalltest.Start(t, "shop", fxAfter(s, new(server)))
		w.AwaitReady()
		w.AssertCut()
		if !s.store.closed {
			t.Error("the store is open")
		}
	})
}

// An actor that ends by itself has its error; after interrupt its error does not count, and the worker waits for interrupt.
func TestActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("failed")
		w := lastcalltest.Go(t, "actor", Actor(func() error { return failed }, func(error) { t.Error("interrupted") }))
		if err := w.Wait(); !errors.Is(err, failed) {
			t.Errorf("an actor that failed: %v", err)
		}

		shutdown := make(chan struct{})
		var why error
		drained := false
		w = lastcalltest.Go(t, "actor", Actor(
			func() error { <-shutdown; return failed },
			func(err error) { close(shutdown); why = err; time.Sleep(time.Second); drained = true }))
		w.AwaitReady()
		w.Stop()
		w.AssertFinished()
		if !drained || !errors.Is(why, lastcall.ErrStopping) {
			t.Errorf("interrupted by %v, and drained: %v", why, drained)
		}
	})
}

// A service is ready when it has started, has its error if it cannot, and may take the grace period for its stop.
func TestStartStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("failed")
		w := lastcalltest.Go(t, "service", StartStop(func(context.Context) error { return failed }, nil), lastcall.AwaitReady(0))
		if err := w.Wait(); !errors.Is(err, failed) || lastcall.ExitCode(err) != 3 {
			t.Errorf("a service that does not start: %v", err)
		}

		stopped := false
		w = lastcalltest.Go(t, "service", StartStop(
			func(context.Context) error { return nil },
			func(ctx context.Context) (err error) {
				err = lastcall.Sleep(ctx, 20*time.Second)
				stopped = err == nil
				return err
			}), lastcall.AwaitReady(0))
		w.AwaitReady()
		w.Stop()
		w.AssertFinished()
		if !stopped {
			t.Error("the stop was cut")
		}
	})
}

// A job of cron that runs at the stop ends first.
func TestCron(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		c := cron.New()
		if _, err := c.AddFunc("@every 10s", func() { time.Sleep(5 * time.Second); ended++ }); err != nil {
			t.Fatal(err)
		}
		w := lastcalltest.Go(t, "cron", Cron(c), lastcall.AwaitReady(0))
		w.AwaitReady()
		time.Sleep(12 * time.Second)
		w.Stop()
		w.AssertFinished()
		if ended != 1 {
			t.Errorf("%d jobs ended, want 1", ended)
		}
	})
}

// The document shows the programs as they are here: a marker line names the file and the region.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("../library.md")
	if err != nil {
		t.Fatal(err)
	}
	marker := regexp.MustCompile("(?m)^<!-- library/(\\S+) (\\S+) -->\n")
	shown := map[string]bool{}
	for _, m := range marker.FindAllStringSubmatchIndex(string(document), -1) {
		file, name := string(document[m[2]:m[3]]), string(document[m[4]:m[5]])
		shown[file+" "+name] = true
		code, ok := strings.CutPrefix(string(document[m[1]:]), "```go\n")
		if !ok {
			t.Errorf("no code follows the marker of %s %s", file, name)
			continue
		}
		code, _, _ = strings.Cut(code, "```\n")
		if want := regions(t, file)[name]; code != want {
			t.Errorf("%s %s is not as the document shows it:\n%s", file, name, want)
		}
		if lines := strings.Count(code, "\n"); lines > 25 {
			t.Errorf("%s %s has %d lines, want 25 at most", file, name, lines)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for name := range regions(t, file) {
			if !shown[file+" "+name] {
				t.Errorf("the document does not show %s %s", file, name)
			}
		}
	}
	if blocks := strings.Count(string(document), "```go\n"); blocks != len(shown) {
		t.Errorf("the document has %d blocks of code, %d of them compiled", blocks, len(shown))
	}
}

// regions are the parts of a file behind "// region NAME" lines, up to the next.
func regions(t *testing.T, file string) map[string]string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	parts := strings.Split(string(source), "\n// region ")
	for _, part := range parts[1:] {
		name, code, _ := strings.Cut(part, "\n")
		if name != "end" {
			found[name] = strings.Trim(code, "\n") + "\n"
		}
	}
	return found
}
