package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/bench/sample"
)

// handWorkers is what everything else is measured against: a channel that is closed, and a WaitGroup.
func handWorkers(w *sample.Work) func() error {
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range w.N {
		all.Add(1)
		go func() {
			defer all.Done()
			w.Arrive()
			<-stop
			w.Told()
		}()
	}
	return func() error {
		close(stop)
		all.Wait()
		return nil
	}
}

// contextWorkers is the same with a context in place of the channel, as many programs have it.
func contextWorkers(w *sample.Work) func() error {
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for range w.N {
		all.Go(func() {
			w.Arrive()
			<-ctx.Done()
			w.Told()
		})
	}
	return func() error {
		cancel()
		all.Wait()
		return nil
	}
}

// handDaemon is the hand-written daemon: its main goroutine waits for the signal, its workers for the channel.
func handDaemon(n int, worker func(stop <-chan struct{})) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range n {
		all.Go(func() { worker(stop) })
	}
	<-signals
	close(stop)
	all.Wait()
	return nil
}

// handTick waits for d, or for the stop, in which case it returns false.
func handTick(stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-stop:
		return false
	case <-timer.C:
		return true
	}
}

// handServe serves until ctx ends and then calls Shutdown, as the documentation of net/http shows it.
func handServe(ctx context.Context, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Shutdown(context.Background())
	}
}
