// Command errgroup measures golang.org/x/sync/errgroup: one context for all.
package main

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/lastcall-go/lastcall/bench/sample"
)

func main() {
	sample.Main(func(w *sample.Work) func() error {
		parent, cancel := context.WithCancel(context.Background())
		g, ctx := errgroup.WithContext(parent)
		for range w.N {
			g.Go(func() error {
				w.Arrive()
				<-ctx.Done()
				w.Told()
				return nil
			})
		}
		return func() error {
			cancel()
			return g.Wait()
		}
	})
}
