package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lastcall-go/lastcall"
)

// stats writes a summary of the store next to the journal, atomically: when there are new orders, and at most once in
// every. Without clients it sleeps.
func stats(s *store, every time.Duration, pause func() time.Duration) lastcall.Func {
	wait := func(ctx context.Context) (struct{}, error) {
		if err := lastcall.Sleep(ctx, every); err != nil {
			return struct{}{}, err
		}
		select {
		case <-s.news:
			return struct{}{}, nil
		case <-ctx.Done():
			return struct{}{}, ctx.Err()
		}
	}
	return func(ctx context.Context) error {
		return lastcall.Each(ctx, wait, func(ctx context.Context, _ struct{}) error {
			if err := lastcall.Sleep(ctx, pause()/4); err != nil {
				return err
			}
			path := filepath.Join(s.dir, "orders.stats")
			text := fmt.Sprintf("%d orders taken since the start\n", s.served.Load())
			if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		})
	}
}
