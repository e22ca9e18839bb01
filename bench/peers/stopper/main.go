// Command stopper measures vawter.tech/stopper/v2 (bobvawter/go-stopper): a named task a worker, in one context.
package main

import (
	"context"
	"time"

	"vawter.tech/stopper/v2"

	"github.com/lastcall-go/lastcall/bench/sample"
)

func main() {
	sample.Main(func(w *sample.Work) func() error {
		// The grace period is out of the way: nothing here is to be cut.
		ctx := stopper.WithContext(context.Background(), stopper.WithGracePeriod(10*time.Minute))
		var failed error
		for i := range w.N {
			err := ctx.Go(func(ctx stopper.Context) error {
				w.Arrive()
				<-ctx.Stopping()
				w.Told()
				return nil
			}, stopper.TaskName(w.Names[i]))
			if err != nil {
				failed = err
			}
		}
		return func() error {
			ctx.Stop()
			if err := ctx.Wait(); err != nil {
				return err
			}
			return failed
		}
	})
}
