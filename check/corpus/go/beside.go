//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// poll looks again and again whether there is something to do.
func (d *daemon) poll() {
	d.group.Go("poll", func(ctx context.Context) error {
		for ctx.Err() == nil {
			lastcall.Sleep(ctx, 100*time.Millisecond)
		}
		return nil
	})
}

func (d *daemon) exitOne() { d.exit = func(error) { os.Exit(1) } }

// panics closes a channel twice, the second time when all has been done.
func (d *daemon) panics() {
	over := make(chan struct{})
	close(over)
	d.exit = func(error) { close(over) }
}

// ignoresTerm takes the handler away that the library has set up.
func (d *daemon) ignoresTerm() { d.first(func() { signal.Ignore(syscall.SIGTERM) }) }

func (d *daemon) noInt() { d.first(func() { signal.Reset(syscall.SIGINT) }) }

// sigpipe gives SIGPIPE on standard output its default action back, which the library had taken away.
func (d *daemon) sigpipe() {
	d.first(func() { signal.Reset(syscall.SIGPIPE) })
	exit := d.exit
	d.exit = func(err error) {
		fmt.Println("goodbye")
		exit(err)
	}
}

// first does something once, when the signals are armed and before the server is started.
func (d *daemon) first(do func()) {
	d.group.Go("fault", func(ctx context.Context) error {
		do()
		lastcall.Ready(ctx)
		<-ctx.Done()
		return nil
	}, lastcall.AwaitReady(10*time.Second))
	d.after = append(d.after, "fault")
}

// cutsBody lets work in flight hang off the context that the signal ends.
func (d *daemon) cutsBody() {
	d.routes["/slow"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "14")
		io.WriteString(w, "hello ")
		http.NewResponseController(w).Flush()
		if lastcall.Sleep(d.web, slowFor) != nil {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, "at last\n")
	}
}

// busy gives work in flight up with 503.
func (d *daemon) busy() {
	d.routes["/slow"] = func(w http.ResponseWriter, _ *http.Request) {
		if lastcall.Sleep(d.web, slowFor) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, "hello at last\n")
	}
}

// turnsAway answers 503 to whoever comes after the signal.
func (d *daemon) turnsAway() {
	d.routes["/"] = func(w http.ResponseWriter, r *http.Request) {
		if d.group.Ready() != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		d.hello(w, r)
	}
}

func (d *daemon) staysGreen() { d.routes["/ready"] = d.hello }

// refusesFirst has its readiness on a port of its own, where it goes red only when the server has long gone.
func (d *daemon) refusesFirst() {
	var green, red atomic.Bool
	admin := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if d.group.Ready() == nil {
			green.Store(true) // and stays so when the group stops
		}
		if red.Load() || !green.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	d.group.Add("admin", serve.HTTP(&http.Server{Addr: d.admin, Handler: admin}, nil))
	d.group.Go("late", func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(2 * time.Second) // of green, with the door closed
		red.Store(true)
		time.Sleep(2 * time.Second)
		return nil
	}, lastcall.After("admin"))
}

// orphan starts a helper and forgets it.
func (d *daemon) orphan() {
	if err := exec.Command("sleep", "86400").Start(); err != nil {
		panic(err)
	}
}
