package library

import (
	"context"

	"github.com/thejerf/suture/v4"

	"github.com/lastcall-go/lastcall"
)

// region before
func sutureBefore(ctx context.Context, s *shop) error {
	supervisor := suture.NewSimple("shop")
	supervisor.Add(&s.store)                 // is closed ...
	supervisor.Add(service(s.consumeGently)) // ... while this packs its last order
	return supervisor.Serve(ctx)
}

// region after
func sutureAfter(s *shop) *lastcall.Group {
	restart := lastcall.Restart(lastcall.RestartPolicy{})
	var group lastcall.Group
	group.Go("store", s.store.Serve, restart)
	group.Go("packer", func(ctx context.Context) error {
		return lastcall.Drain(ctx, s.queue, s.pack)
	}, restart, lastcall.After("store")) // the store is closed when it has returned
	return &group
}

// region end

// consumeGently takes orders until ctx ends, and packs them whatever ctx does.
func (s *shop) consumeGently(ctx context.Context) error {
	for {
		order, err := s.take(ctx)
		if err != nil {
			return nil
		}
		if err := s.pack(context.WithoutCancel(ctx), order); err != nil {
			return err
		}
	}
}

// service is a function as a suture.Service.
type service func(ctx context.Context) error

// Serve calls f.
func (f service) Serve(ctx context.Context) error { return f(ctx) }
