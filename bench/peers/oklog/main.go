// Command oklog measures github.com/oklog/run: an actor a worker, each with the channel that interrupts it, and one more
// actor through which the group is stopped.
package main

import (
	"github.com/oklog/run"

	"github.com/lastcall-go/lastcall/bench/sample"
)

func main() {
	sample.Main(func(w *sample.Work) func() error {
		var g run.Group
		for range w.N {
			stop := make(chan struct{})
			g.Add(func() error {
				w.Arrive()
				<-stop
				w.Told()
				return nil
			}, func(error) { close(stop) })
		}
		stop := make(chan struct{})
		g.Add(func() error {
			<-stop
			return nil
		}, func(error) {})
		done := w.Call(g.Run)
		return func() error {
			close(stop)
			return <-done
		}
	})
}
