package lastcall_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A blow is a signal that comes at a time, measured from the start of Run.
type blow struct {
	at  time.Duration
	sig os.Signal
}

// runUnderSignals runs w and sends it the signals, in virtual time.
func runUnderSignals(t *testing.T, w lastcall.Worker, blows []blow, opts ...lastcall.RunOption) error {
	t.Helper()
	signals := make(chan os.Signal, len(blows))
	var timers []*time.Timer
	for _, b := range blows {
		timers = append(timers, time.AfterFunc(b.at, func() { signals <- b.sig }))
	}
	err := lastcall.Run(t.Context(), w, append(opts, lastcall.FromSignals(signals))...)
	for _, timer := range timers {
		timer.Stop()
	}
	return err
}

// finishesIn is a worker that needs d of grace after the soft stop, and heeds the hard stop.
func finishesIn(d time.Duration) lastcall.Func {
	return func(ctx context.Context) error {
		<-ctx.Done()
		return lastcall.Sleep(lastcall.Grace(ctx), d)
	}
}

func TestFirstSignalIsTheSoftStop(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		bubble(t, func(t *testing.T) {
			j := newJournal()
			var cause error
			var g lastcall.Group
			g.Observe = j.states
			g.Go("w", func(ctx context.Context) error {
				<-ctx.Done()
				cause = context.Cause(ctx)
				return lastcall.Sleep(lastcall.Grace(ctx), 3*time.Second)
			})
			if err := runUnderSignals(t, &g, []blow{{time.Second, sig}}); err != nil {
				t.Errorf("Run after %v: %v, want nil: the worker finished in time", sig, err)
			}
			var stop *lastcall.StopCause
			if !errors.As(cause, &stop) || stop.Reason != lastcall.StopSignal || stop.Signal != sig || stop.Hard {
				t.Errorf("cause of the worker's context: %v, want the soft stop by %v", cause, sig)
			}
			j.expect(t, "0s group starting", "0s w starting", "0s w ready", "0s group ready",
				"1s group stopping", "1s w stopping", "4s w stopped", "4s group stopped")
		})
	}
}

func TestSecondSignalCutsAndClosersStillRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var cause error
		var g lastcall.Group
		g.Observe = j.states
		g.Go("db", finishesIn(100*time.Millisecond))
		g.Go("web", func(ctx context.Context) error {
			<-lastcall.Grace(ctx).Done()
			cause = context.Cause(lastcall.Grace(ctx))
			return nil
		}, lastcall.After("db"))
		err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}, {3 * time.Second, os.Interrupt}})
		if code := lastcall.ExitCode(err); code != 4 {
			t.Errorf("exit status %d (%v), want 4: web was cut", code, err)
		}
		if !errors.Is(cause, lastcall.ErrHardStop) || !strings.Contains(cause.Error(), "a second SIGINT") {
			t.Errorf("cause of the hard stop: %v, want the second signal", cause)
		}
		j.expect(t, "0s group starting", "0s db starting", "0s db ready", "0s web starting", "0s web ready", "0s group ready",
			"1s group stopping", "1s web stopping", "3s web cut", "3s web stopped",
			"3s db stopping", "3.1s db stopped", "3.1s group stopped")
	})
}

func TestTheStopAfterTheSecondSignalIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		began := time.Now()
		var g lastcall.Group
		g.Go("deaf", func(context.Context) error { time.Sleep(time.Hour); return nil })
		err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGTERM}})
		if took := time.Since(began); took != 2*time.Second+lastcall.DefaultHardStop {
			t.Errorf("Run returned after %v, want %v", took, 2*time.Second+lastcall.DefaultHardStop)
		}
		left := workerError(err, lastcall.ErrAbandoned)
		if left == nil || left.Name != "deaf" || !strings.Contains(left.Stacks, "TestTheStopAfterTheSecondSignalIsBounded") {
			t.Errorf("%v, want deaf abandoned, with its stack", err)
		}
		time.Sleep(2 * time.Hour) // lets deaf end, as the bubble wants
	})
}

func TestThirdSignalReturnsAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		began := time.Now()
		var g lastcall.Group
		g.Go("deaf", func(context.Context) error { time.Sleep(time.Hour); return nil })
		g.Go("below", untilStop)
		g.Go("above", func(context.Context) error { time.Sleep(time.Hour); return nil }, lastcall.After("below"))
		err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGTERM}, {2500 * time.Millisecond, os.Interrupt}})
		if took := time.Since(began); took != 2500*time.Millisecond {
			t.Errorf("Run returned after %v, want at the third signal, 2.5s", took)
		}
		var forced *lastcall.ForcedError
		if !errors.As(err, &forced) || forced.Signal != os.Interrupt {
			t.Errorf("%v, want a ForcedError with SIGINT", err)
		}
		if code := lastcall.ExitCode(err); code != 130 {
			t.Errorf("exit status %d, want 128+2", code)
		}
		report := g.Report()
		for _, name := range []string{"deaf", "above", "below"} {
			if w := worker(t, report, name); w.State != lastcall.StateAbandoned && name != "below" || !w.State.Ended() {
				t.Errorf("%s is %s in the report, want it abandoned", name, w.State)
			}
		}
		if !strings.Contains(worker(t, report, "deaf").Stacks, "signal_test.go") {
			t.Errorf("no stacks of deaf in the report:\n%v", report)
		}
		time.Sleep(2 * time.Hour)
	})
}

// A listener that hangs, such as a log into a full pipe, holds up neither the third signal nor anything else that Run
// does not need it for.
func TestThirdSignalDoesNotWaitForAListener(t *testing.T) {
	bubble(t, func(t *testing.T) {
		began, hang := time.Now(), make(chan struct{})
		var g lastcall.Group
		g.Go("w", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(100 * time.Millisecond)
			lastcall.Unready(ctx, "stopping") // the event hangs in this goroutine: no other is telling events now
			return nil
		})
		g.Observe = func(e lastcall.Event) {
			if e.Kind == lastcall.EventReadiness {
				<-hang
			}
		}
		err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGTERM}, {3 * time.Second, syscall.SIGTERM}})
		if code, took := lastcall.ExitCode(err), time.Since(began); code != 128+15 || took != 3*time.Second {
			t.Errorf("exit status %d (%v) after %v, want 143 at the third signal", code, err, took)
		}
		close(hang)
	})
}

func TestRepeatsWithin100MillisecondsCountOnce(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name  string
		blows []blow
		code  int
	}{
		{"twice at once", []blow{{0, os.Interrupt}, {0, os.Interrupt}}, 0},
		{"both signals", []blow{{0, os.Interrupt}, {99 * ms, syscall.SIGTERM}}, 0},
		{"just apart", []blow{{0, os.Interrupt}, {100 * ms, os.Interrupt}}, 4},
		{"each of two repeated", []blow{{0, os.Interrupt}, {50 * ms, os.Interrupt}, {120 * ms, os.Interrupt}, {150 * ms, os.Interrupt}}, 4},
		{"a repeat does not prolong the window", []blow{{0, os.Interrupt}, {60 * ms, os.Interrupt}, {110 * ms, os.Interrupt}}, 4},
		{"thrice", []blow{{0, os.Interrupt}, {100 * ms, os.Interrupt}, {200 * ms, os.Interrupt}}, 130},
		{"a thousand at once", slices.Repeat([]blow{{0, syscall.SIGTERM}}, 1000), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := lastcall.Func(func(ctx context.Context) error {
					<-ctx.Done()
					select {
					case <-lastcall.Grace(ctx).Done():
						time.Sleep(150 * ms)
					case <-time.After(time.Second):
					}
					return nil
				})
				blows := slices.Clone(test.blows)
				for i := range blows {
					blows[i].at += time.Second // when the worker has started
				}
				err := runUnderSignals(t, w, blows)
				if code := lastcall.ExitCode(err); code != test.code {
					t.Errorf("exit status %d (%v), want %d", code, err, test.code)
				}
				time.Sleep(time.Second) // a forced end leaves the worker to itself
			})
		})
	}
}

func TestSIGINTSkipsTheLameDuck(t *testing.T) {
	for _, test := range []struct {
		sig  os.Signal
		stop time.Duration
	}{{syscall.SIGTERM, 6 * time.Second}, {os.Interrupt, time.Second}} {
		bubble(t, func(t *testing.T) {
			began := time.Now()
			g := lastcall.Group{LameDuck: 5 * time.Second}
			var told time.Duration
			g.Go("w", func(ctx context.Context) error {
				<-ctx.Done()
				told = time.Since(began)
				return nil
			})
			if err := runUnderSignals(t, &g, []blow{{time.Second, test.sig}}); err != nil || told != test.stop {
				t.Errorf("after %v the soft stop came at %v (%v), want %v", test.sig, told, err, test.stop)
			}
		})
	}
}

// The second signal does not wait for the lame duck's end either.
func TestASecondSignalInTheLameDuck(t *testing.T) {
	bubble(t, func(t *testing.T) {
		began := time.Now()
		g := lastcall.Group{Grace: 2 * time.Minute, LameDuck: time.Minute}
		g.Go("w", finishesIn(time.Hour))
		err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}, {2 * time.Second, os.Interrupt}})
		if code, took := lastcall.ExitCode(err), time.Since(began); code != 4 || took != 2*time.Second {
			t.Errorf("exit status %d (%v) after %v, want 4 after 2s", code, err, took)
		}
	})
}

func TestSignalsDuringTheStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		j := newJournal()
		var g lastcall.Group
		g.Observe = j.states
		g.Go("slow", func(ctx context.Context) error {
			if err := lastcall.Sleep(ctx, time.Minute); err != nil {
				return err
			}
			lastcall.Ready(ctx)
			return nil
		}, lastcall.AwaitReady(0))
		g.Go("next", untilStop, lastcall.After("slow"))
		if err := runUnderSignals(t, &g, []blow{{time.Second, syscall.SIGTERM}}); err != nil {
			t.Error(err)
		}
		j.expect(t, "0s group starting", "0s slow starting", "1s group stopping", "1s next stopped", "1s slow stopping", "1s slow stopped", "1s group stopped")
	})
}

// A signal that waits in the channel when Run begins is as good as any.
func TestASignalBeforeTheStart(t *testing.T) {
	for name, signals := range map[string][]os.Signal{
		"one":   {syscall.SIGTERM},
		"three": {syscall.SIGTERM, syscall.SIGTERM, os.Interrupt}, // which come together and so are one
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ch := make(chan os.Signal, len(signals))
				for _, sig := range signals {
					ch <- sig
				}
				var g lastcall.Group
				for i := range 10 {
					g.Go(fmt.Sprint(i), untilStop)
				}
				if err := lastcall.Run(t.Context(), &g, lastcall.FromSignals(ch)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestSignalsFromAClosedChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch := make(chan os.Signal)
		close(ch)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := lastcall.Run(ctx, lastcall.Func(untilStop), lastcall.FromSignals(ch)); err != nil || time.Since(began) != time.Second {
			t.Errorf("Run returned %v after %v, want nil at the end of the context", err, time.Since(began))
		}
	})
}

// Signals that ask for nothing are left alone.
func TestOtherSignalsDoNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		began := time.Now()
		err := runUnderSignals(t, lastcall.Func(untilStop), []blow{{1, syscall.SIGQUIT}, {time.Second, syscall.SIGTERM}})
		if err != nil || time.Since(began) != time.Second {
			t.Errorf("Run returned %v after %v, want nil at the SIGTERM", err, time.Since(began))
		}
	})
}

// Without a reload SIGHUP is a soft stop, and no more than that however often it comes.
func TestHangupIsASoftStop(t *testing.T) {
	needsUnix(t)
	for name, test := range map[string]struct {
		signals []blow
		takes   time.Duration // the unit in flight has 10 s to go
		code    int
	}{
		"once":              {[]blow{{time.Second, hup}}, 10 * time.Second, 0},
		"again":             {[]blow{{time.Second, hup}, {2 * time.Second, hup}, {3 * time.Second, hup}}, 10 * time.Second, 0},
		"after a SIGTERM":   {[]blow{{time.Second, syscall.SIGTERM}, {2 * time.Second, hup}}, 10 * time.Second, 0},
		"before a SIGTERM":  {[]blow{{time.Second, hup}, {2 * time.Second, syscall.SIGTERM}}, 2 * time.Second, 4},
		"with a SIGTERM":    {[]blow{{time.Second, hup}, {time.Second + time.Millisecond, syscall.SIGTERM}}, 10 * time.Second, 0},
		"and with a reload": {[]blow{{time.Second, hup}, {2 * time.Second, syscall.SIGTERM}}, 10 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				began, reloads := time.Now(), 0
				var cause error
				var opts []lastcall.RunOption
				if name == "and with a reload" {
					opts = append(opts, lastcall.OnReload(func(context.Context) error { reloads++; return nil }))
				}
				err := runUnderSignals(t, lastcall.Func(func(ctx context.Context) error {
					err := lastcall.Do(ctx, func(ctx context.Context) error { return lastcall.Sleep(ctx, 10*time.Second) })
					<-ctx.Done()
					cause = context.Cause(ctx)
					return err
				}), test.signals, opts...)
				if took := time.Since(began); took != test.takes || lastcall.ExitCode(err) != test.code {
					t.Errorf("it took %v: %v; want %v and exit status %d", took, err, test.takes, test.code)
				}
				want := "soft stop: SIGHUP"
				if reloads > 0 || name == "after a SIGTERM" {
					want = "soft stop: SIGTERM"
				}
				if cause == nil || cause.Error() != want || (reloads > 0) != (len(opts) > 0) {
					t.Errorf("cause %v, want %s; %d reloads", cause, want, reloads)
				}
			})
		})
	}
}

func TestRunOfNothing(t *testing.T) {
	var none *lastcall.Group
	for name, err := range map[string]error{
		"nil worker":  lastcall.Run(t.Context(), nil),
		"nil group":   lastcall.Run(t.Context(), none),
		"nil context": lastcall.Run(nil, lastcall.Func(untilStop)), //nolint:staticcheck // SA1012: that is the test
	} {
		var config *lastcall.ConfigError
		if !errors.As(err, &config) || lastcall.ExitCode(err) != 3 {
			t.Errorf("%s: %v, want a ConfigError and status 3", name, err)
		}
	}
}

func TestRunOfAFunctionIsAWorkerMain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		broken := errors.New("broken")
		err := lastcall.Run(t.Context(), lastcall.Func(func(ctx context.Context) error {
			if got := lastcall.Name(ctx); got != "main" {
				t.Errorf("the worker's name is %q, want main", got)
			}
			return broken
		}), lastcall.FromSignals(make(chan os.Signal)), nil)
		if !errors.Is(err, broken) || err.Error() != "main: broken" {
			t.Errorf("Run returned %v, want main: broken", err)
		}
	})
}

func TestExitCode(t *testing.T) {
	failed := &lastcall.WorkerError{Name: "w", Err: io.ErrUnexpectedEOF}
	unready := &lastcall.WorkerError{Name: "w", Err: io.ErrUnexpectedEOF, Starting: true}
	cut := &lastcall.WorkerError{Kind: lastcall.ErrInterrupted, Name: "w"}
	left := &lastcall.WorkerError{Kind: lastcall.ErrAbandoned, Name: "w"}
	all := errors.Join
	for _, test := range []struct {
		err  error
		code int
	}{
		{nil, 0},
		{failed, 1},
		{&lastcall.WorkerError{Kind: lastcall.ErrNotReplaced, Name: "w"}, 1},
		{&lastcall.WorkerError{Name: "w", Err: fmt.Errorf("around: %w", unready)}, 3},
		{errors.New("any other"), 1},
		{unready, 3},
		{&lastcall.ConfigError{}, 3},
		{all(failed, unready), 3},
		{cut, 4},
		{left, 4},
		{all(failed, cut), 4},
		{all(unready, left), 4},
		{fmt.Errorf("around: %w", all(failed, left)), 4},
		{&lastcall.ForcedError{Signal: syscall.SIGTERM, Err: all(failed, left)}, 143},
		{&lastcall.ForcedError{Signal: os.Interrupt}, 130},
	} {
		if code := lastcall.ExitCode(test.err); code != test.code {
			t.Errorf("ExitCode(%v) = %d, want %d", test.err, code, test.code)
		}
	}
}

// hup and usr1 are made here so that the tests below compile where there are none; there they are skipped.
var (
	hup  os.Signal = syscall.SIGHUP
	usr1 os.Signal = syscall.Signal(10 + 20*b2i(runtime.GOOS != "linux")) // SIGUSR1 is 30 on the BSDs and macOS
)

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func needsUnix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no such signals on Windows")
	}
}

func TestReload(t *testing.T) {
	needsUnix(t)
	bubble(t, func(t *testing.T) {
		j := newJournal()
		broken := errors.New("bad line 7")
		calls := 0
		reload := func(ctx context.Context) error {
			calls++
			n := calls
			j.addAt("reload %d begins", n)
			time.Sleep(time.Second)
			if ctx.Err() != nil {
				t.Errorf("the context of reload %d ended", n)
			}
			switch n {
			case 2:
				return broken
			case 3:
				panic("at the disco")
			case 4:
				runtime.Goexit()
			}
			return nil
		}
		listen := func(e lastcall.Event) {
			if e.Kind == lastcall.EventReload {
				j.addAt("%s: %v", name(e), e.Err)
			}
		}
		// Three come while the first call runs, and are one more call.
		blows := []blow{{time.Second, hup}, {1100 * time.Millisecond, hup}, {1200 * time.Millisecond, hup}, {1300 * time.Millisecond, hup},
			{5 * time.Second, hup}, {7 * time.Second, hup}, {9 * time.Second, hup}, {11 * time.Second, syscall.SIGTERM}}
		if err := runUnderSignals(t, lastcall.Func(untilStop), blows, lastcall.OnReload(reload), lastcall.Listen(listen)); err != nil {
			t.Errorf("Run returned %v: a reload's error stops nothing", err)
		}
		j.expect(t, "1s reload 1 begins", "2s group: <nil>", "2s reload 2 begins", "3s group: reload: bad line 7",
			"5s reload 3 begins", "6s group: reload: panic: at the disco",
			"7s reload 4 begins", "8s group: reload: the worker called runtime.Goexit instead of returning",
			"9s reload 5 begins", "10s group: <nil>")
	})
}

// The reload's context ends at the soft stop, whoever asked for that, and not in the lame duck before it; none begins
// after it.
func TestReloadAndTheSoftStop(t *testing.T) {
	needsUnix(t)
	for _, test := range []struct {
		name string
		stop blow
		fail time.Duration
		want time.Duration
	}{
		{"a signal, after the lame duck", blow{10 * time.Second, syscall.SIGTERM}, time.Hour, 15 * time.Second},
		{"a failure", blow{time.Hour, syscall.SIGTERM}, 12 * time.Second, 12 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				began := time.Now()
				g := lastcall.Group{LameDuck: 5 * time.Second}
				g.Go("w", func(ctx context.Context) error {
					if lastcall.Sleep(ctx, test.fail) == nil {
						return io.ErrUnexpectedEOF
					}
					return nil
				})
				g.Go("slow", finishesIn(20*time.Second))
				var ended []time.Duration
				var cause error
				reload := lastcall.OnReload(func(ctx context.Context) error {
					<-ctx.Done()
					ended = append(ended, time.Since(began))
					cause = context.Cause(ctx)
					return nil
				})
				// The first is asked for in the lame duck, if there is one; the second while it runs, the third in the stop.
				_ = runUnderSignals(t, &g, []blow{{11 * time.Second, hup}, {11500 * time.Millisecond, hup}, {16 * time.Second, hup}, test.stop}, reload)
				if !slices.Equal(ended, []time.Duration{test.want}) {
					t.Errorf("contexts of reloads ended at %v, want one, at %v", ended, test.want)
				}
				if !errors.Is(cause, lastcall.ErrStopping) {
					t.Errorf("its cause is %v, want the soft stop", cause)
				}
			})
		})
	}
}

// A reload that does not heed its context holds Run up no longer than a worker would, and is named.
func TestAReloadThatHangsIsAbandoned(t *testing.T) {
	needsUnix(t)
	bubble(t, func(t *testing.T) {
		began := time.Now()
		hang := lastcall.OnReload(func(context.Context) error { time.Sleep(time.Hour); return nil })
		g := lastcall.Group{HardStop: 2 * time.Second}
		g.Go("w", finishesIn(3*time.Second))
		err := runUnderSignals(t, &g, []blow{{0, hup}, {time.Second, syscall.SIGTERM}}, hang)
		left := workerError(err, lastcall.ErrAbandoned)
		if left == nil || left.Name != "reload" || left.Took != 5*time.Second || lastcall.ExitCode(err) != 4 {
			t.Errorf("Run returned %v, want the reload abandoned 5s after its soft stop", err)
		}
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("Run returned after %v, want 6s", took)
		}
		time.Sleep(time.Hour)
	})
}

func TestThirdSignalDoesNotWaitForAReload(t *testing.T) {
	needsUnix(t)
	bubble(t, func(t *testing.T) {
		began := time.Now()
		hang := lastcall.OnReload(func(context.Context) error { time.Sleep(time.Hour); return nil })
		g := lastcall.Group{HardStop: time.Minute}
		g.Go("w", untilStop)
		err := runUnderSignals(t, &g, []blow{{0, hup}, {time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGTERM}, {3 * time.Second, syscall.SIGTERM}}, hang)
		if code, took := lastcall.ExitCode(err), time.Since(began); code != 143 || took != 3*time.Second {
			t.Errorf("exit status %d (%v) after %v, want 143 after 3s", code, err, took)
		}
		time.Sleep(time.Hour)
	})
}

// lockedBuffer is a writer for goroutines, read when they are done.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestLiveReport(t *testing.T) {
	needsUnix(t)
	bubble(t, func(t *testing.T) {
		var out lockedBuffer
		var g lastcall.Group
		g.Go("web", func(ctx context.Context) error {
			lastcall.Status(ctx, "serving tables 1 to 9")
			<-ctx.Done()
			return lastcall.Sleep(lastcall.Grace(ctx), 3*time.Second)
		})
		var early lockedBuffer
		time.AfterFunc(1500*time.Millisecond, func() { io.WriteString(&early, out.String()) })
		err := runUnderSignals(t, &g, []blow{{time.Second, usr1}, {2 * time.Second, syscall.SIGTERM}, {3 * time.Second, usr1}}, lastcall.ReportTo(&out))
		if err != nil {
			t.Error(err)
		}
		before := early.String()
		for _, want := range []string{"ready for 1s: 1 worker", "web", "serving tables 1 to 9"} {
			if !strings.Contains(before, want) {
				t.Errorf("no %q in the report while it runs:\n%s", want, before)
			}
		}
		if after := strings.TrimPrefix(out.String(), before); !strings.Contains(after, "stopping for 1s (SIGTERM)") {
			t.Errorf("no progress of the stop in the second report:\n%s", after)
		}
	})
}

// A report into a pipe that nobody reads, or a writer that panics, keeps no stop signal from being heard.
func TestAReportThatHangsLosesNoSignal(t *testing.T) {
	needsUnix(t)
	bubble(t, func(t *testing.T) {
		began := time.Now()
		hang := writerFunc(func(p []byte) (int, error) { time.Sleep(time.Hour); return len(p), nil })
		err := runUnderSignals(t, lastcall.Func(untilStop), []blow{{0, usr1}, {time.Second, syscall.SIGTERM}}, lastcall.ReportTo(hang))
		left := workerError(err, lastcall.ErrAbandoned)
		if took := time.Since(began); took != time.Second+lastcall.DefaultHardStop || left == nil || left.Name != "live report" {
			t.Errorf("Run returned %v after %v, want the live report abandoned", err, took)
		}
		time.Sleep(time.Hour)
	})
	bubble(t, func(t *testing.T) {
		broken := writerFunc(func([]byte) (int, error) { panic("no paper") })
		if err := runUnderSignals(t, lastcall.Func(untilStop), []blow{{0, usr1}, {1, usr1}, {time.Second, syscall.SIGTERM}}, lastcall.ReportTo(broken)); err != nil {
			t.Error(err)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Each bubble fails by itself if a goroutine of ours is left when Run has returned.
func TestNothingIsLeft(t *testing.T) {
	crash := lastcall.Func(func(context.Context) error { panic("!") })
	for name, test := range map[string]struct {
		w     lastcall.Func
		blows []blow
	}{
		"completed":           {func(context.Context) error { return nil }, nil},
		"stopped":             {untilStop, []blow{{time.Second, syscall.SIGTERM}}},
		"cut":                 {untilCut, []blow{{time.Second, syscall.SIGTERM}, {2 * time.Second, syscall.SIGTERM}}},
		"failed":              {crash, nil},
		"grace expired":       {untilCut, []blow{{time.Second, syscall.SIGTERM}}},
		"forced":              {ignores(2500 * time.Millisecond), []blow{{0, os.Interrupt}, {time.Second, os.Interrupt}, {2 * time.Second, os.Interrupt}}},
		"a signal at the end": {func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Second) }, []blow{{time.Second, syscall.SIGTERM}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, option := range []lastcall.RunOption{
				nil,
				lastcall.OnReload(func(ctx context.Context) error { <-ctx.Done(); return nil }),
				lastcall.Listen(func(lastcall.Event) {}),
			} {
				bubble(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					signals := make(chan os.Signal, len(test.blows)+1)
					signals <- hup
					for _, b := range test.blows {
						time.AfterFunc(b.at, func() { signals <- b.sig })
					}
					_ = lastcall.Run(ctx, test.w, option, lastcall.FromSignals(signals))
					var buf [1 << 16]byte
					synctest.Wait()
					all := string(buf[:runtime.Stack(buf[:], true)])
					if strings.Contains(all, "lastcall.(*control)") || strings.Contains(all, "lastcall.(*run).wait") || strings.Contains(all, "lastcall.(*coalescer)") {
						t.Errorf("goroutines of lastcall are left:\n%s", all)
					}
					time.Sleep(time.Minute)
				})
			}
		})
	}
}

// Many goroutines may be in the middle of anything when a signal comes: at each of many moments of a busy life with
// dependencies, restarts and work in flight, one signal stops it all in good time.
func TestASignalAtAnyMomentStops(t *testing.T) {
	for offset := time.Duration(0); offset < 300*time.Millisecond; offset += 3 * time.Millisecond {
		bubble(t, func(t *testing.T) {
			began := time.Now()
			var handled, taken atomic.Int64
			g := lastcall.Group{Grace: 2 * time.Second, LameDuck: 20 * time.Millisecond}
			g.Go("db", func(ctx context.Context) error {
				time.Sleep(10 * time.Millisecond)
				lastcall.Ready(ctx)
				<-ctx.Done()
				return ctx.Err()
			}, lastcall.AwaitReady(time.Second))
			var inner lastcall.Group
			for i := range 3 {
				inner.Go(fmt.Sprint("consumer", i), func(ctx context.Context) error {
					return lastcall.Each(ctx, func(ctx context.Context) (int, error) {
						if err := lastcall.Sleep(ctx, 4*time.Millisecond); err != nil {
							return 0, err
						}
						return int(taken.Add(1)), nil
					}, func(ctx context.Context, _ int) error {
						handled.Add(1)
						return lastcall.Sleep(ctx, 7*time.Millisecond)
					})
				})
			}
			g.Add("consumers", &inner, lastcall.Requires("db"))
			g.Go("flaky", func(ctx context.Context) error {
				if lastcall.Sleep(ctx, 30*time.Millisecond) == nil {
					return io.ErrUnexpectedEOF
				}
				return nil
			}, lastcall.After("db"), lastcall.Restart(lastcall.RestartPolicy{MinDelay: 20 * time.Millisecond, Limit: -1}))
			if err := runUnderSignals(t, &g, []blow{{offset, syscall.SIGTERM}}); err != nil {
				t.Errorf("signal at %v: %v", offset, err)
			}
			if took := time.Since(began) - offset; took > 40*time.Millisecond {
				t.Errorf("signal at %v: the stop took %v, want the lame duck and one unit of work", offset, took)
			}
			if handled.Load() != taken.Load() {
				t.Errorf("signal at %v: %d items taken and %d handled", offset, taken.Load(), handled.Load())
			}
		})
	}
}

// Signals count as well for a group that a worker of another runs with a Run of its own.
func TestSignalsOfAnInnerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal)
		began := time.Now()
		var outer, inner lastcall.Group
		inner.Go("stubborn", func(ctx context.Context) error {
			<-lastcall.Grace(ctx).Done()
			return context.Cause(lastcall.Grace(ctx))
		})
		outer.Go("runner", func(ctx context.Context) error {
			return lastcall.Run(ctx, &inner, lastcall.FromSignals(signals))
		})
		for _, after := range []time.Duration{time.Second, 2 * time.Second} {
			time.AfterFunc(after, func() { signals <- syscall.SIGTERM })
		}
		err := outer.Run(t.Context())
		if took := time.Since(began); took != 2*time.Second || lastcall.ExitCode(err) != 4 {
			t.Errorf("returned after %v with %v (status %d), and not interrupted at the second signal after 2s", took, err, lastcall.ExitCode(err))
		}
	})
}
