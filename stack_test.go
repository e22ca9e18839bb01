package lastcall_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

func stuckHere(block chan struct{})      { <-block }
func stuckInAChild(block chan struct{})  { <-block }
func bystanderHere(block chan struct{})  { <-block }
func leftBehindHere(block chan struct{}) { <-block }

func TestAbandonedWithTheStacksOfItsGoroutinesAndNoOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		go bystanderHere(block)
		var g lastcall.Group
		g.Go("stuck", func(ctx context.Context) error {
			go stuckInAChild(block)
			lastcall.Status(ctx, "writing the index")
			stuckHere(block)
			return nil
		})
		g.Go("other", func(ctx context.Context) error {
			done := make(chan struct{})
			go func() { bystanderHere(block); close(done) }()
			<-ctx.Done()
			<-done
			return nil
		})
		g.Go("fine", untilStop)
		err := runFor(t, &g, time.Second)
		stacks := map[string]string{}
		for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
			left := workerError(err, lastcall.ErrAbandoned)
			if left == nil {
				t.Fatalf("got %v", err)
			}
			stacks[left.Name] = left.Stacks
			if left.Name == "stuck" && (left.Status != "writing the index" || !strings.Contains(left.Error(), "stuck: abandoned, still running 28s after its soft stop (writing the index)")) {
				t.Errorf("%+v", left)
			}
		}
		for name, want := range map[string][2]string{"stuck": {"stuckHere stuckInAChild", "bystanderHere"}, "other": {"bystanderHere", "stuckHere stuckInAChild"}} {
			for _, function := range strings.Fields(want[0]) {
				if !strings.Contains(stacks[name], function) {
					t.Errorf("%s is not among the stacks of %s:\n%s", function, name, stacks[name])
				}
			}
			for _, function := range strings.Fields(want[1]) {
				if strings.Contains(stacks[name], function) {
					t.Errorf("%s is among the stacks of %s:\n%s", function, name, stacks[name])
				}
			}
			if worker(t, g.Report(), name).Stacks != stacks[name] {
				t.Errorf("the report has other stacks of %s", name)
			}
		}
		if len(stacks) != 2 || strings.Count(stacks["other"], "bystanderHere") != 1 || !strings.Contains(stacks["stuck"], "stack_test.go:") {
			t.Errorf("%q", stacks)
		}
		close(block)
	})
}

func TestWhatAWorkerLeftBehindIsALeakOfIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		var leaks []string
		inner := new(lastcall.Group)
		inner.Go("leaky", func(ctx context.Context) error {
			go leftBehindHere(block)
			return untilStop(ctx)
		})
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.Kind == lastcall.EventLeak {
				leaks = append(leaks, e.Name+strings.Repeat("!", strings.Count(e.Stacks, "leftBehindHere")))
			}
		}}
		g.Add("inner", inner)
		g.Go("clean", func(ctx context.Context) error {
			go func() { <-ctx.Done() }() // ends with its worker
			return untilStop(ctx)
		})
		if err := runFor(t, &g, time.Second); err != nil {
			t.Error(err) // a leak is no failure
		}
		if len(leaks) != 1 || leaks[0] != "inner/leaky!" {
			t.Errorf("got %q", leaks)
		}
		r := g.Report()
		if !strings.Contains(worker(t, r, "inner/leaky").Leaks, "leftBehindHere") || worker(t, r, "clean").Leaks != "" {
			t.Errorf("the report is\n%v", r)
		}
		close(block)
	})
}

// What an abandoned worker's own group left behind is among the stacks of that worker, and not a leak besides.
func TestWhatIsBelowAnAbandonedWorkerIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		g := lastcall.Group{Grace: time.Second, HardStop: time.Second, Observe: func(e lastcall.Event) {
			if e.Kind == lastcall.EventLeak {
				t.Errorf("a leak of %s", e.Name)
			}
		}}
		g.Go("outer", func(ctx context.Context) error {
			var inner lastcall.Group
			inner.Go("leaky", func(context.Context) error {
				go leftBehindHere(block)
				return nil
			})
			err := inner.Run(ctx)
			<-block
			return err
		})
		if err := runFor(t, &g, time.Second); err == nil {
			t.Error("nothing was abandoned")
		}
		if stacks := worker(t, g.Report(), "outer").Stacks; strings.Count(stacks, "leftBehindHere") != 1 || !strings.Contains(stacks, "outer/leaky:") {
			t.Errorf("its stacks are\n%s", stacks)
		}
		close(block)
	})
}

func TestTwoRunsWithTheSameNamesKeepTheirGoroutinesApart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		var first, second lastcall.Group
		first.Go("w", func(ctx context.Context) error { leftBehindHere(block); return nil })
		second.Go("w", func(ctx context.Context) error { stuckHere(block); return nil })
		ended := make(chan error)
		go func() { ended <- first.Run(t.Context()) }()
		err := runFor(t, &second, time.Second)
		left := workerError(err, lastcall.ErrAbandoned)
		if left == nil || strings.Contains(left.Stacks, "leftBehindHere") || !strings.Contains(left.Stacks, "stuckHere") {
			t.Errorf("%v with %v", err, left)
		}
		close(block)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestNoLabels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		g := lastcall.Group{NoLabels: true}
		g.Go("stuck", func(ctx context.Context) error { stuckHere(block); return nil })
		err := runFor(t, &g, time.Second)
		left := workerError(err, lastcall.ErrAbandoned)
		if left == nil || left.Stacks != "" {
			t.Errorf("%v", err)
		}
		close(block)
	})
}

// An HTTP client keeps connections for later, in goroutines that the first request on each has started.
func TestIdleConnectionsOfAClientAreNoLeak(t *testing.T) {
	for _, two := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", two), func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
			server.EnableHTTP2 = two
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			var g lastcall.Group
			g.Go("client", func(context.Context) error {
				resp, err := client.Get(server.URL)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				if body, err := io.ReadAll(resp.Body); err != nil || string(body) != map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[two] {
					return fmt.Errorf("got %q, %v", body, err)
				}
				return nil
			})
			if err := g.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if leaks := worker(t, g.Report(), "client").Leaks; leaks != "" {
				t.Errorf("reported as leaked:\n%s", leaks)
			}
		})
	}
}

// sweep is what a pool keeps for as long as the program runs.
func sweep(end chan struct{}) { <-end }

func TestKeptGoroutinesAreNoLeak(t *testing.T) {
	for _, kept := range [][]string{nil, {"github.com/lastcall-go/lastcall_test.sweep"}} {
		end := make(chan struct{})
		g := lastcall.Group{KeptGoroutines: kept}
		g.Go("pool", func(context.Context) error {
			go sweep(end)
			return nil
		})
		if err := g.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if leaks := worker(t, g.Report(), "pool").Leaks; (leaks == "") != (kept != nil) {
			t.Errorf("with %q kept, leaks are %q", kept, leaks)
		}
		close(end)
	}
}
