package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/bench/sample"
	"github.com/lastcall-go/lastcall/serve"
)

// lastcallWorkers is one group of all workers, with names and states, and with or without labels on their goroutines.
func lastcallWorkers(noLabels bool) sample.Implementation {
	return func(w *sample.Work) func() error {
		group := &lastcall.Group{NoLabels: noLabels}
		addWorkers(group, w, 0, w.N)
		return runGroup(group, w)
	}
}

// lastcallGroups has the same workers in groups of size, which are workers of one more group.
func lastcallGroups(size int) sample.Implementation {
	return func(w *sample.Work) func() error {
		outer, groups := new(lastcall.Group), 0
		for from := 0; from < w.N; from += size {
			inner := new(lastcall.Group)
			addWorkers(inner, w, from, min(from+size, w.N))
			outer.Add(fmt.Sprintf("group-%d", groups), inner)
			groups++
		}
		w.Groups(groups)
		return runGroup(outer, w)
	}
}

func addWorkers(group *lastcall.Group, w *sample.Work, from, to int) {
	for i := from; i < to; i++ {
		group.Go(w.Names[i], func(ctx context.Context) error {
			w.Arrive()
			<-ctx.Done()
			w.Told()
			return nil
		})
	}
}

func runGroup(group *lastcall.Group, w *sample.Work) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := w.Call(func() error { return group.Run(ctx) })
	return func() error {
		cancel()
		return <-done
	}
}

// lastcallDaemon is [handDaemon] on lastcall.
func lastcallDaemon(n int, worker lastcall.Func) error {
	var group lastcall.Group
	for i := range n {
		group.Go(fmt.Sprintf("worker-%d", i), worker)
	}
	return lastcall.Run(context.Background(), &group)
}

// lastcallServe is [handServe] on lastcall.
func lastcallServe(ctx context.Context, server *http.Server, listener net.Listener) error {
	var group lastcall.Group
	group.Add("web", serve.HTTP(server, listener))
	return group.Run(ctx)
}
