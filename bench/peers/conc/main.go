// Command conc measures the lightest of github.com/sourcegraph/conc: its WaitGroup, and a channel to stop by.
package main

import (
	"github.com/sourcegraph/conc"

	"github.com/lastcall-go/lastcall/bench/sample"
)

func main() {
	sample.Main(func(w *sample.Work) func() error {
		var g conc.WaitGroup
		stop := make(chan struct{})
		for range w.N {
			g.Go(func() {
				w.Arrive()
				<-stop
				w.Told()
			})
		}
		return func() error {
			close(stop)
			g.Wait()
			return nil
		}
	})
}
