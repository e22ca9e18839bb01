package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// breaks are the two ways in which user code can leave without returning.
var breaks = map[string]func(){
	"panic":  func() { panic("user code broke") },
	"Goexit": runtime.Goexit,
}

// brokenError is an error whose methods break.
type brokenError struct{ how func() }

func (e brokenError) Error() string { e.how(); return "never" }
func (e brokenError) Is(error) bool { e.how(); return false }
func (e brokenError) As(any) bool   { e.how(); return false }

// brokenStringer breaks when it is printed.
type brokenStringer struct{ how func() }

func (s brokenStringer) String() string { s.how(); return "never" }

// brokenHandler is a log's handler that breaks.
type brokenHandler struct {
	slog.Handler
	how func()
}

func (h brokenHandler) Handle(context.Context, slog.Record) error { h.how(); return nil }

// quietly sends the log of the process to h for the time of a test.
func quietly(t *testing.T, h slog.Handler) {
	before := slog.Default()
	slog.SetDefault(slog.New(h))
	t.Cleanup(func() { slog.SetDefault(before) })
}

// Every event comes to every listener, in order, whatever a listener does; and the group starts and stops as ever.
func TestListenersThatBreak(t *testing.T) {
	for name, how := range breaks {
		t.Run(name, func(t *testing.T) {
			quietly(t, brokenHandler{slog.NewTextHandler(io.Discard, nil), how}) // which hears of the broken listener
			bubble(t, func(t *testing.T) {
				j := newJournal()
				broken := func(lastcall.Event) { how() }
				inner := &lastcall.Group{Observe: broken}
				inner.Go("db", untilStop)
				g := &lastcall.Group{Observe: broken}
				g.Add("shop", inner)
				g.Go("web", untilStop, lastcall.After("shop"))
				ctx, cancel := context.WithCancel(t.Context())
				defer time.AfterFunc(time.Second, cancel).Stop()
				err := lastcall.Run(ctx, g, lastcall.FromSignals(make(chan os.Signal)), lastcall.Listen(broken), lastcall.Listen(j.states))
				if err != nil {
					t.Error(err)
				}
				j.expect(t, "0s group starting", "0s shop starting", "0s shop/db starting", "0s shop/db ready", "0s shop ready",
					"0s web starting", "0s web ready", "0s group ready",
					"1s group stopping", "1s web stopping", "1s web stopped", "1s shop stopping", "1s shop/db stopping", "1s shop/db stopped",
					"1s shop stopped", "1s group stopped")
			})
		})
	}
}

// The methods of an error, and of a panic's value, may do what they like: the group stops, and its report can be had.
func TestErrorsThatBreak(t *testing.T) {
	for name, how := range breaks {
		for _, observed := range []bool{false, true} {
			for what, worker := range map[string]lastcall.Func{
				"an error":           func(context.Context) error { return brokenError{how} },
				"a wrapped error":    func(context.Context) error { return fmt.Errorf("wrapped: %w", error(brokenError{how})) },
				"a panic":            func(context.Context) error { panic(brokenStringer{how}) },
				"an error at last":   func(ctx context.Context) error { <-ctx.Done(); return brokenError{how} },
				"a panic with error": func(context.Context) error { panic(brokenError{how}) },
			} {
				t.Run(fmt.Sprintf("%s, %s, observed %v", what, name, observed), func(t *testing.T) {
					quietly(t, brokenHandler{slog.NewTextHandler(io.Discard, nil), how})
					bubble(t, func(t *testing.T) {
						g := &lastcall.Group{Grace: time.Second}
						if observed {
							g.Observe = func(e lastcall.Event) { _ = fmt.Sprint(e.Err, e.Cause) }
						}
						if what == "a wrapped error" && name == "panic" {
							// fmt.Errorf itself asks the error for its text: it contains a panic, and ends the worker by Goexit
							worker = func(context.Context) error { return errors.Join(brokenError{how}) }
						}
						g.Go("broken", worker, lastcall.Restart(lastcall.RestartPolicy{Limit: 2}))
						g.Go("other", untilStop)
						if err := runFor(t, g, time.Minute); err == nil {
							t.Error("the group stopped well")
						}
						if text := g.Report().String(); !strings.Contains(text, "broken") {
							t.Errorf("the report:\n%s", text)
						}
						if err := g.Ready(); err == nil {
							t.Error("a group that has ended is ready")
						}
					})
				})
			}
		}
	}
}

// A reload that breaks is told as failed, and the next works.
func TestReloadThatBreaks(t *testing.T) {
	for name, how := range breaks {
		t.Run(name, func(t *testing.T) {
			quietly(t, slog.NewTextHandler(io.Discard, nil))
			bubble(t, func(t *testing.T) {
				j := newJournal()
				signals := make(chan os.Signal)
				n := 0
				ended := make(chan error, 1)
				go func() {
					ended <- lastcall.Run(t.Context(), lastcall.Func(untilStop), lastcall.FromSignals(signals),
						lastcall.OnReload(func(context.Context) error {
							if n++; n == 1 {
								how()
							}
							return brokenError{how}
						}),
						lastcall.Listen(func(e lastcall.Event) {
							if e.Kind == lastcall.EventReload {
								j.add("reload: failed %v", e.Err != nil)
							}
						}))
				}()
				synctest.Wait()
				for range 2 {
					signals <- syscall.SIGHUP
					synctest.Wait()
				}
				signals <- syscall.SIGTERM
				if err := <-ended; err != nil {
					t.Error(err)
				}
				j.expect(t, "reload: failed true", "reload: failed true")
			})
		})
	}
}
