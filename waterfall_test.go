package lastcall_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares got with testdata/name. Line numbers and paths of stacks are left out of both.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = regexp.MustCompile(`(?m)^\s+/.*$\n`).ReplaceAllString(got, "")
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update to accept):\n%s", path, got)
	}
}

// shop is a group with something of everything.
func shop(block chan struct{}) *lastcall.Group {
	g := &lastcall.Group{Grace: 10 * time.Second}
	takes := func(d time.Duration) lastcall.Func {
		return func(ctx context.Context) error {
			<-ctx.Done()
			return lastcall.Sleep(lastcall.Grace(ctx), d)
		}
	}
	g.Go("http", func(ctx context.Context) error {
		for range 3 {
			go lastcall.Do(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, 46*time.Second) })
		}
		return takes(2 * time.Second)(ctx)
	}, lastcall.After("queue", "db"))
	g.Go("queue", takes(1500*time.Millisecond), lastcall.After("db"))
	workers := new(lastcall.Group)
	workers.Go("mail", takes(100*time.Millisecond))
	workers.Go("index", func(ctx context.Context) error { <-block; return nil })
	g.Add("workers", workers, lastcall.After("db"))
	g.Go("batch", takes(time.Hour), lastcall.After("db"))
	g.Go("migrate", func(ctx context.Context) error { return nil })
	g.Go("leaky", func(ctx context.Context) error {
		go leftBehindHere(block)
		return untilStop(ctx)
	})
	g.Go("broken", func(ctx context.Context) error {
		lastcall.Sleep(ctx, 42*time.Second)
		return errors.New("no space left on device")
	})
	g.Go("db", takes(800*time.Millisecond))
	return g
}

func TestWaterfall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		g := shop(block)
		go func() {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			golden(t, "running.txt", g.Report().Waterfall(80, false))
			time.Sleep(35 * time.Second)
			synctest.Wait()
			golden(t, "stopping.txt", g.Report().Waterfall(80, false))
		}()
		g.Run(t.Context())
		golden(t, "stopped.txt", g.Report().Waterfall(80, false))
		golden(t, "stopped-ascii.txt", g.Report().Waterfall(80, true))
		golden(t, "stopped-wide.txt", g.Report().Waterfall(120, false))
		close(block)
	})
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		golden(t, "not-started.txt", g.Report().Waterfall(80, false))
		for i := range 1000 {
			g.Go(fmt.Sprintf("worker-%03d", i), func(ctx context.Context) error {
				<-ctx.Done()
				return lastcall.Sleep(lastcall.Grace(ctx), time.Duration(1000-i)*time.Millisecond)
			})
		}
		g.Go("a worker\nwith a very long name that does not fit into its column", untilStop)
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
		golden(t, "thousand.txt", g.Report().Waterfall(80, true))
	})
}

func TestWaterfallFits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		g := shop(block)
		g.Run(t.Context())
		for _, width := range []int{60, 80, 132} {
			for _, ascii := range []bool{true, false} {
				text := g.Report().Waterfall(width, ascii)
				table, _, _ := strings.Cut(text, "\nbroken:") // messages and stacks are not cut short
				for _, line := range strings.Split(table, "\n")[1:] {
					if n := utf8.RuneCountInString(line); n > width {
						t.Errorf("%d columns in %q, want at most %d", n, line, width)
					}
				}
				for _, c := range text {
					if ascii && c > 126 {
						t.Errorf("%q is not ASCII", c)
					}
				}
			}
		}
		close(block)
	})
}

// Long causes, names and messages break between words: on a terminal of that width nothing wraps inside one.
func TestWaterfallBreaksBetweenWords(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("a connection that was reset by its peer, ", 8))
	r := lastcall.Report{State: lastcall.StateFailed, Cause: "db failed: " + long, Problems: []string{long}}
	r.Started = time.Unix(1e9, 0)
	r.SoftStop, r.Ended, r.Taken = r.Started.Add(time.Hour), r.Started.Add(2*time.Hour), r.Started.Add(2*time.Hour)
	r.Workers = []lastcall.WorkerReport{{Name: strings.Repeat("a worker with a long name ", 5), State: lastcall.StateFailed, Started: r.Started, Ended: r.SoftStop, Err: long}}
	for _, width := range []int{60, 80, 120} {
		drawn := r.Waterfall(width, true)
		for line := range strings.Lines(drawn) {
			if n := len(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns in %q, want at most %d", n, line, width)
			}
		}
		if shown := r.Workers[0].Name[:24+max(width-80, 0)/4-1] + "~"; !strings.Contains(drawn, shown) {
			t.Errorf("at %d columns the name is not %q:\n%s", width, shown, drawn)
		}
		if joined := strings.Join(strings.Fields(drawn), " "); strings.Count(joined, long) != 3 {
			t.Errorf("at %d columns a text is not whole:\n%s", width, drawn)
		}
	}
}

func TestStringIsASCIIWithoutUTF8(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var g lastcall.Group
		g.Go("w", func(ctx context.Context) error {
			<-ctx.Done()
			return lastcall.Sleep(lastcall.Grace(ctx), time.Second)
		})
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err)
		}
		for _, test := range []struct {
			term, all, lang string
			ascii           bool
		}{
			{"xterm", "", "en_US.UTF-8", false}, {"xterm", "", "C.utf8", false},
			{"xterm", "C", "en_US.UTF-8", true}, {"xterm", "", "POSIX", true}, {"dumb", "", "en_US.UTF-8", true},
		} {
			t.Setenv("TERM", test.term)
			t.Setenv("LC_ALL", test.all)
			t.Setenv("LC_CTYPE", "")
			t.Setenv("LANG", test.lang)
			if got := g.Report().String(); strings.Contains(got, "###") != test.ascii || strings.Contains(got, "███") == test.ascii {
				t.Errorf("%+v:\n%s", test, got)
			}
		}
	})
}

// Names, causes, statuses, errors and stacks may hold anything: no terminal and no CI system obeys the drawing or the log of it.
func TestWaterfallAndLogAreNotObeyed(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 3, 1, 12, 0, s, 0, time.UTC) }
	for _, hostile := range append(texttest.Corpus, texttest.One()) {
		r := lastcall.Report{State: lastcall.StateFailed, Started: at(0), SoftStop: at(10), Ended: at(40), Taken: at(50)}
		for _, state := range []lastcall.State{lastcall.StateStopped, lastcall.StateFailed, lastcall.StateAbandoned, lastcall.StateCut} {
			r.Workers = append(r.Workers, lastcall.WorkerReport{State: state, Started: at(0), SoftStop: at(10), HardStop: at(20), Ended: at(30)})
		}
		r.Workers = append(r.Workers, lastcall.WorkerReport{State: lastcall.StateStopping, Started: at(0), SoftStop: at(10)})
		texttest.Fill(&r, hostile)
		for _, width := range []int{60, 80, 120} {
			for _, ascii := range []bool{true, false} {
				if err := texttest.Lines(r.Waterfall(width, ascii)); err != nil {
					t.Errorf("the waterfall with %q: %v", hostile, err)
				}
			}
		}
		log, out := textLog(slog.LevelDebug)
		observe := lastcall.Log(log)
		for _, kind := range []lastcall.EventKind{lastcall.EventState, lastcall.EventReadiness, lastcall.EventAwaiting, lastcall.EventPanic, lastcall.EventLeak} {
			for _, err := range []error{errors.New(hostile), &lastcall.WorkerError{Kind: lastcall.ErrAbandoned, Name: hostile, Status: hostile}} {
				observe(lastcall.Event{Name: hostile, Kind: kind, State: lastcall.StateFailed, Err: err, Reason: hostile, Stacks: hostile,
					Cause: &lastcall.StopCause{Reason: lastcall.StopFailure, Worker: hostile, Err: err}, Awaited: []lastcall.Awaited{{Name: hostile, Status: hostile}}})
			}
		}
		if err := texttest.Lines(out.String()); err != nil {
			t.Errorf("the log with %q: %v", hostile, err)
		}
	}
}
