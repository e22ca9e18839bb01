package demo

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// stopAfter is a source of signals that sends a SIGTERM when the store has taken n orders, and the function to give to
// the store for it.
func stopAfter(n int) (lastcall.RunOption, func(order) bool) {
	signals := make(chan os.Signal, 1)
	var mu sync.Mutex
	return lastcall.FromSignals(signals), func(order) bool {
		mu.Lock()
		defer mu.Unlock()
		if n--; n == 0 {
			signals <- syscall.SIGTERM
		}
		return false
	}
}

func TestNothingIsLost(t *testing.T) {
	for name, config := range map[string]Config{
		"at once":   {},
		"lame duck": {LameDuck: 300 * time.Millisecond},
		"alone":     {Workers: 1},
		"kept":      {Data: filepath.Join(t.TempDir(), "a", "b")},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			var stop lastcall.RunOption
			config.Out = &out
			stop, config.lose = stopAfter(15)
			result, err := Run(t.Context(), config, stop)
			if err != nil {
				t.Fatal(err)
			}
			c := result.Count
			t.Log("\n" + c.String())
			switch {
			case len(c.Lost) > 0:
				t.Errorf("lost: %q", c.Lost)
			case c.Answered != c.Requests || c.Finished != c.Jobs:
				t.Errorf("not all that was in flight is finished: %+v", c)
			case c.Kept > 0:
				t.Errorf("%d jobs were left: the queue was not drained", c.Kept)
			case c.Requests == 0:
				t.Error("nothing was in flight: the load is too small to show anything")
			case c.Acknowledged < 15 || c.Acknowledged != c.Journalled || c.Journalled != c.Done+c.Kept:
				t.Errorf("the count does not come out even: %+v", c)
			}
			if c.Refused != 8 {
				t.Errorf("%d clients were refused in the end, want all 8: the load must outlast the service", c.Refused)
			}
			for _, want := range []string{"/orders, with 8 clients", "press Ctrl-C", "SIGTERM: "} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the demo does not say %q:\n%s", want, &out)
				}
			}
		})
	}
}

// The check can fail: a store that acknowledges an order and does not write it is found out.
func TestALostOrderIsTold(t *testing.T) {
	var out bytes.Buffer
	stop, count := stopAfter(8)
	lose := func(o order) bool { return count(o) || o.ID == 3 }
	result, err := Run(t.Context(), Config{Out: &out, lose: lose}, stop)
	var lost *LostError
	if !errors.As(err, &lost) || lastcall.ExitCode(err) != 1 {
		t.Fatalf("the error is %v with exit status %d, want a LostError and 1", err, lastcall.ExitCode(err))
	}
	if text := result.Count.String(); !strings.Contains(text, "lost: 1\n") || !strings.Contains(text, "lost: order 3 (") {
		t.Errorf("the count does not say that order 3 is lost:\n%s", text)
	}
	_, path, found := strings.Cut(out.String(), "the journal is kept: ")
	if !found {
		t.Fatalf("the demo does not say where the journal is:\n%s", &out)
	}
	if err := os.RemoveAll(filepath.Dir(strings.TrimSpace(path))); err != nil {
		t.Error(err)
	}
}

// What the hard stop cuts is not lost: requests are told, and jobs are done the next time.
func TestWhatIsCutIsKept(t *testing.T) {
	dir := t.TempDir()
	stop, count := stopAfter(12)
	result, err := Run(t.Context(), Config{Data: dir, Grace: time.Millisecond, lose: count}, stop)
	if lastcall.ExitCode(err) != 4 {
		t.Errorf("the error is %v, want work that was cut", err)
	}
	first := result.Count
	t.Log("\n" + first.String())
	if len(first.Lost) > 0 || first.Answered+first.Cut != first.Requests || first.Finished+first.PutBack != first.Jobs {
		t.Errorf("not everything is accounted for: %+v", first)
	}

	var out bytes.Buffer
	stop, count = stopAfter(40)
	result, err = Run(t.Context(), Config{Out: &out, Data: dir, lose: count}, stop)
	if err != nil {
		t.Fatal(err)
	}
	if second := result.Count; second.Done+second.Kept != second.Journalled+first.Kept {
		t.Errorf("the jobs that were kept are not done or kept again: first %+v, then %+v", first, second)
	}
	if first.Kept > 0 && !strings.Contains(out.String(), "kept from last time") {
		t.Errorf("the second run does not say what it found:\n%s", &out)
	}
}

func TestStuck(t *testing.T) {
	stop, count := stopAfter(3)
	result, err := Run(t.Context(), Config{Stuck: true, Grace: 3 * time.Second, lose: count}, stop)
	var abandoned *lastcall.WorkerError
	if !errors.As(err, &abandoned) || abandoned.Kind != lastcall.ErrAbandoned || abandoned.Name != "stuck" || lastcall.ExitCode(err) != 4 {
		t.Errorf("the error is %v, want that stuck was abandoned", err)
	}
	if len(result.Count.Lost) > 0 {
		t.Errorf("lost: %q", result.Count.Lost)
	}
}

func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "orders.journal"), []byte("dear diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), Config{Data: dir})
	if lastcall.ExitCode(err) != 3 || !strings.Contains(err.Error(), "line 1 is not of a journal") {
		t.Errorf("the error is %v with exit status %d, want the line and 3", err, lastcall.ExitCode(err))
	}
	if result.Count != nil {
		t.Errorf("there is a count of nothing: %v", result.Count)
	}
}

func TestAddressInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := Run(t.Context(), Config{Listen: ln.Addr().String()}); err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("the error is %v, want the address", err)
	}
}

// The real kernel: the demo ends by a signal of its own.
func TestRealSignalToItself(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	result, err := Run(ctx, Config{For: 100 * time.Millisecond})
	if err != nil || ctx.Err() != nil {
		t.Fatal(err, ctx.Err())
	}
	if cause := result.Report.Cause; cause != "SIGTERM" && !strings.Contains(cause, "the time is over") {
		t.Errorf("the demo stopped because of %q", cause)
	}
}
