package library

import (
	"context"

	"github.com/robfig/cron/v3"

	"github.com/lastcall-go/lastcall"
)

// region actor

// Actor is an actor of oklog/run as a worker. As there, what execute returns after interrupt does not count.
func Actor(execute func() error, interrupt func(error)) lastcall.Func {
	return func(ctx context.Context) error {
		interrupted := make(chan struct{})
		stop := context.AfterFunc(ctx, func() { defer close(interrupted); interrupt(context.Cause(ctx)) })
		if err := execute(); stop() {
			return err // it ended by itself
		}
		<-interrupted // execute may return before interrupt does, as http.Server's Serve and Shutdown do
		return nil
	}
}

// region startstop

// StartStop is a service that starts in the background and stops with a call as a worker; add it with AwaitReady.
func StartStop(start, stop func(context.Context) error) lastcall.Func {
	return func(ctx context.Context) error {
		if err := start(ctx); err != nil {
			return err
		}
		lastcall.Ready(ctx)
		<-ctx.Done()
		return lastcall.Track(ctx, stop) // stop has until the hard stop
	}
}

// region cron

// Cron is a scheduler of robfig/cron as a worker. Jobs that run at the soft stop are waited for.
func Cron(c *cron.Cron) lastcall.Func {
	return StartStop(
		func(context.Context) error { c.Start(); return nil },
		func(ctx context.Context) error {
			select {
			case <-c.Stop().Done():
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
}

// region end
