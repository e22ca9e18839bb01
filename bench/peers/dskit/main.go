// Command dskit measures the services of github.com/grafana/dskit: a named service a worker, under one manager.
package main

import (
	"context"

	"github.com/grafana/dskit/services"

	"github.com/lastcall-go/lastcall/bench/sample"
)

func main() {
	sample.Main(func(w *sample.Work) func() error {
		all := make([]services.Service, w.N)
		for i := range all {
			all[i] = services.NewBasicService(nil, func(ctx context.Context) error {
				w.Arrive()
				<-ctx.Done()
				w.Told()
				return nil
			}, nil).WithName(w.Names[i])
		}
		manager, err := services.NewManager(all...)
		if err == nil {
			err = services.StartManagerAndAwaitHealthy(context.Background(), manager)
		}
		return func() error {
			if err != nil {
				return err
			}
			return services.StopManagerAndAwaitStopped(context.Background(), manager)
		}
	})
}
