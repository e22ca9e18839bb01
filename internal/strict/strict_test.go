package strict_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/strict"
)

// Every function that finds its worker in the context panics, but for what is allowed, and not inside a group.
func TestOutside(t *testing.T) {
	pass := func(context.Context) error { return nil }
	take := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, lastcall.ErrEmpty }
	handle := func(context.Context, int) error { return nil }
	calls := map[string]func(ctx context.Context){
		"Name":        func(ctx context.Context) { lastcall.Name(ctx) },
		"Ready":       func(ctx context.Context) { lastcall.Ready(ctx) },
		"Unready":     func(ctx context.Context) { lastcall.Unready(ctx, "") },
		"Status":      func(ctx context.Context) { lastcall.Status(ctx, "") },
		"LameDuck":    func(ctx context.Context) { lastcall.LameDuck(ctx) },
		"Grace":       func(ctx context.Context) { lastcall.Grace(ctx) },
		"GracePeriod": func(ctx context.Context) { lastcall.GracePeriod(ctx) },
		"Do":          func(ctx context.Context) { _ = lastcall.Do(ctx, pass) },
		"Track":       func(ctx context.Context) { _ = lastcall.Track(ctx, pass) },
		"Each":        func(ctx context.Context) { _ = lastcall.Each(ctx, take, handle) },
		"Drain":       func(ctx context.Context) { _ = lastcall.Drain(ctx, make(chan int), handle) },
		"DrainFunc":   func(ctx context.Context) { _ = lastcall.DrainFunc(ctx, take, handle) },
		"Closer":      func(ctx context.Context) { _ = lastcall.Closer(pass)(ctx) },
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, call := range calls {
		if text := panicOf(func() { call(ended) }); text != "" {
			t.Errorf("%s panics unasked: %s", name, text)
		}
	}
	strict.Enable()
	for name, call := range calls {
		if text := panicOf(func() { call(ended) }); !strings.HasPrefix(text, "lastcall."+name+": ") {
			t.Errorf("%s does not panic: %q", name, text)
		}
		if text := panicOf(func() { call(strict.Allow(ended)) }); text != "" {
			t.Errorf("%s panics although it is allowed: %s", name, text)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var g lastcall.Group
	g.Go("w", func(ctx context.Context) error {
		stop()
		for name, call := range calls {
			if text := panicOf(func() { call(ctx) }); text != "" {
				t.Errorf("%s panics in a worker: %s", name, text)
			}
		}
		return nil
	})
	if err := g.Run(ctx); err != nil {
		t.Error(err)
	}
}

func panicOf(call func()) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = v.(string)
		}
	}()
	call()
	return ""
}
