package lastcall

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Workers with channels of their own come and go in a group that runs long: what is over is forgotten, and what may still hold
// items is not.
func TestSourcesAreForgotten(t *testing.T) {
	pass := func(context.Context, int) error { return nil }
	for name, test := range map[string]struct {
		stop func(ctx context.Context, g *Group) error
		kept int
	}{
		"closed":    {nil, 0},
		"removed":   {func(ctx context.Context, g *Group) error { return g.Remove(ctx, "w") }, 0},
		"restarted": {func(ctx context.Context, g *Group) error { return g.Restart(ctx, "w") }, 1},
		"replaced": {func(ctx context.Context, g *Group) error {
			return g.Replace(ctx, "w", Func(func(ctx context.Context) error { <-ctx.Done(); return nil }))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := make(chan int) // in the bubble, so that its time goes on
				if name == "closed" {
					close(source)
				}
				var g Group
				g.Go("idle", func(ctx context.Context) error { <-ctx.Done(); return nil })
				g.Go("w", func(ctx context.Context) error { return Drain(ctx, source, pass) })
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- g.Run(ctx) }()
				time.Sleep(time.Second)
				if test.stop != nil {
					if err := test.stop(ctx, &g); err != nil {
						t.Error(err)
					}
				}
				synctest.Wait()
				sources := &g.current().sources
				sources.mu.Lock()
				kept := len(sources.list)
				sources.mu.Unlock()
				if kept != test.kept {
					t.Errorf("%d sources are known, want %d", kept, test.kept)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
