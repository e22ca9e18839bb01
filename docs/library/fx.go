package library

import (
	"context"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall"
)

// region before
func fxBefore(s *shop, slow *server) *fx.App {
	return fx.New(fx.NopLogger, fx.Invoke(func(lc fx.Lifecycle) {
		lc.Append(fx.StopHook(s.store.Close)) // is not called when the hook below uses up the time
		lc.Append(fx.Hook{OnStart: slow.Start, OnStop: slow.Stop})
	}))
}

// region after
func fxAfter(s *shop, slow *server) *lastcall.Group {
	var group lastcall.Group
	group.Add("store", lastcall.Closer(s.store.Close)) // keeps a reserve of the grace period
	group.Go("server", StartStop(slow.Start, slow.Stop), lastcall.AwaitReady(0), lastcall.After("store"))
	return &group
}

// region end

// A server has the shape of fx's hooks. Its Stop waits for a client that does not go away, as long as it may.
type server struct{ started bool }

// Start starts it.
func (s *server) Start(context.Context) error {
	s.started = true
	return nil
}

// Stop waits until ctx ends.
func (s *server) Stop(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
