//go:build unix

package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// byHand serves without the library. It calls stop when a signal comes, and ends when that has returned; then with the signals
// that are still to come.
func (d *daemon) byHand(stop func(srv *http.Server, signals <-chan os.Signal)) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGPIPE)
	srv := d.server()
	go func() {
		if err := srv.ListenAndServe(); err != nil && err != http.ErrServerClosed {
			panic(err)
		}
	}()
	for s := range signals {
		if s != syscall.SIGPIPE {
			break
		}
	}
	stop(srv, signals)
	os.Exit(0)
}

// shutdown is what the documentation of net/http shows. It closes the listener with what waits in its queue, and does not answer
// requests that it reads after it began: golang/go#65802.
func (d *daemon) shutdown() {
	d.byHand(func(srv *http.Server, _ <-chan os.Signal) {
		_ = srv.Shutdown(context.Background())
	})
}

// close cuts what is under way.
func (d *daemon) close() {
	d.byHand(func(srv *http.Server, _ <-chan os.Signal) {
		_ = srv.Close()
	})
}

// stormRestart begins the stop again at each signal: connections are closed, and the time for the rest begins anew.
func (d *daemon) stormRestart() {
	d.byHand(func(srv *http.Server, signals <-chan os.Signal) {
		const rest = 4 * time.Second
		go func() { _ = srv.Shutdown(context.Background()) }()
		for over := time.After(rest); ; {
			select {
			case <-over:
				return
			case <-signals:
				_ = srv.Close()
				over = time.After(rest)
			}
		}
	})
}

// stormPanic begins the stop at each signal, for which the second time closes a channel that is closed.
func (d *daemon) stormPanic() {
	d.byHand(func(srv *http.Server, signals <-chan os.Signal) {
		stopping := make(chan struct{})
		go func() {
			close(stopping)
			for range signals {
				close(stopping)
			}
		}()
		<-stopping
		_ = srv.Shutdown(context.Background())
		time.Sleep(time.Second) // something else to do
	})
}

// noHandler serves, and has never heard of signals.
func (d *daemon) noHandler() {
	panic(d.server().ListenAndServe())
}

// resumes takes a stop for a mistake that comes together with SIGCONT: it believes that it was asked before it slept.
func (d *daemon) resumes() {
	term, cont := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM, syscall.SIGINT, syscall.SIGPIPE)
	signal.Notify(cont, syscall.SIGCONT)
	srv := d.server()
	go func() { _ = srv.ListenAndServe() }()
	var continued time.Time
	var stop <-chan time.Time
	for {
		select {
		case <-cont:
			continued, stop = time.Now(), nil
		case s := <-term:
			if s != syscall.SIGPIPE && time.Since(continued) > time.Second {
				stop = time.After(200 * time.Millisecond)
			}
		case <-stop:
			_ = srv.Shutdown(context.Background())
			os.Exit(0)
		}
	}
}

// startupPanic has a handler that stops a server which is made only later.
func (d *daemon) startupPanic() {
	var srv *http.Server
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		_ = srv.Shutdown(context.Background())
		os.Exit(0)
	}()
	time.Sleep(time.Second) // reads its configuration, connects to its database
	srv = d.server()
	_ = srv.ListenAndServe()
	select {}
}

// reopens closes its listener at SIGHUP, and opens it again: what waits in its queue is reset, and for a moment connections are refused.
func (d *daemon) reopens() {
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	handler := d.server().Handler
	serve := func() *http.Server {
		srv := &http.Server{Addr: d.listen, Handler: handler}
		go func() {
			if err := srv.ListenAndServe(); err != nil && err != http.ErrServerClosed {
				panic(err)
			}
		}()
		return srv
	}
	srv := serve()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	for {
		select {
		case <-reload:
			_ = srv.Shutdown(context.Background())
			srv = serve()
		case <-stop:
			_ = srv.Shutdown(context.Background())
			os.Exit(0)
		}
	}
}
