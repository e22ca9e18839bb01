package demo

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/lastcall-go/lastcall"
)

// stats is the ticker: it writes a summary of the store beside the journal, whole or not at all.
func stats(s *store, path string, every time.Duration, pause func() time.Duration) lastcall.Func {
	return lastcall.Every(every, func(ctx context.Context) error {
		if err := lastcall.Sleep(ctx, pause()/4); err != nil {
			return err
		}
		text := fmt.Sprintf("%d orders taken since the start\n", s.served.Load())
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	})
}
