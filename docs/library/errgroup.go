package library

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/lastcall-go/lastcall"
)

// region before
func errgroupBefore(ctx context.Context, s *shop) error {
	g, ctx := errgroup.WithContext(ctx)          // of signal.NotifyContext
	g.Go(func() error { return s.serve(ctx) })   // answers what is in flight: more orders
	g.Go(func() error { return s.consume(ctx) }) // has returned by then
	return g.Wait()
}

// region after
func errgroupAfter(s *shop) *lastcall.Group {
	var group lastcall.Group
	group.Go("packer", func(ctx context.Context) error {
		return lastcall.Drain(ctx, s.queue, s.pack)
	})
	group.Go("web", s.serve, lastcall.After("packer")) // stops first
	return &group
}

// region end
