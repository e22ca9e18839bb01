// Command suture measures github.com/thejerf/suture/v4: one supervisor of all, which knows them by name.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/thejerf/suture/v4"

	"github.com/lastcall-go/lastcall/bench/sample"
)

type service struct {
	name string
	work *sample.Work
}

func (s *service) Serve(ctx context.Context) error {
	s.work.Arrive()
	<-ctx.Done()
	s.work.Told()
	return ctx.Err()
}

func (s *service) String() string { return s.name }

func main() {
	sample.Main(func(w *sample.Work) func() error {
		// Its own limit of 10 s is meant for a few services, not for a hundred thousand.
		supervisor := suture.New("bench", suture.Spec{EventHook: func(suture.Event) {}, Timeout: 10 * time.Minute})
		for i := range w.N {
			supervisor.Add(&service{w.Names[i], w})
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := w.Call(func() error { return supervisor.Serve(ctx) })
		return func() error {
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}
	})
}
