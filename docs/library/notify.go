package library

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/lastcall-go/lastcall"
)

// region before
func notifyBefore(ctx context.Context, s *shop) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	for {
		order, err := s.take(ctx)
		if err != nil {
			return nil // the stop
		}
		if err := s.pack(ctx, order); err != nil { // ctx ends: the order in hand is lost
			return err
		}
	}
}

// region after
func notifyAfter(s *shop) *lastcall.Group {
	var group lastcall.Group
	group.Go("packer", func(ctx context.Context) error {
		return lastcall.Drain(ctx, s.queue, s.pack) // the order in hand is packed
	})
	return &group // func main() { lastcall.Main(notifyAfter(s)) }
}

// region end
