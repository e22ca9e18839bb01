package lastcall

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// breakCounts does to a running group what only a defect could do.
func breakCounts(g *Group, how func(*layer)) {
	r := g.current()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.layers {
		how(l)
	}
}

// Whatever the graph says, Run returns when the time of the stop is over, and says what is left.
func TestBackstop(t *testing.T) {
	untilStop := Func(func(ctx context.Context) error { <-ctx.Done(); return nil })
	for name, test := range map[string]struct {
		how  func(*layer)
		want string
	}{
		"a dependent that is none": {func(l *layer) { l.counts.users++ }, "db: abandoned"},
		"a worker that is none":    {func(l *layer) { l.counts.live.Add(1) }, "did not come to its end within its time"},
		"a layer that is none":     {func(l *layer) { l.run.live++ }, "did not come to its end within its time"},
	} {
		for _, nested := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				inner := &Group{}
				inner.Add("db", untilStop)
				g := inner
				if nested {
					g = &Group{}
					g.Add("shop", inner)
				}
				g.Grace, g.HardStop = time.Second, 2*time.Second
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- g.Run(ctx) }()
				synctest.Wait()
				breakCounts(inner, test.how)
				began := time.Now()
				cancel()
				select {
				case err := <-ended:
					if took := time.Since(began); took > 3*time.Second+afterTheLast {
						t.Errorf("%s, nested %v: the stop took %v", name, nested, took)
					}
					if err == nil {
						t.Errorf("%s, nested %v: the stop went well", name, nested)
					}
					if report := g.Report().String(); !strings.Contains(report, strings.Split(test.want, ":")[0]) {
						t.Errorf("%s, nested %v: %q is not in the report:\n%s", name, nested, test.want, report)
					}
				case <-time.After(time.Hour):
					t.Fatalf("%s, nested %v: Run did not return", name, nested)
				}
			})
		}
	}
}
