// Command tomb measures gopkg.in/tomb.v2: one tomb for all.
package main

import (
	"gopkg.in/tomb.v2"

	"github.com/lastcall-go/lastcall/bench/sample"
)

func main() {
	sample.Main(func(w *sample.Work) func() error {
		var t tomb.Tomb
		for range w.N {
			t.Go(func() error {
				w.Arrive()
				<-t.Dying()
				w.Told()
				return nil
			})
		}
		return func() error {
			t.Kill(nil)
			return t.Wait()
		}
	})
}
