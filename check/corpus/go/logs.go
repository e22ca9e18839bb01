//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
)

// logs writes a line for each request.
func (d *daemon) logs() {
	d.routes["/"] = func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Println(r.Method, r.URL)
		d.hello(w, r)
	}
}

// buffersLog writes the lines half a second after the first of them, and forgets the last.
func (d *daemon) buffersLog() {
	var mu sync.Mutex
	var lines bytes.Buffer
	d.routes["/"] = func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if lines.Len() == 0 {
			time.AfterFunc(500*time.Millisecond, func() {
				mu.Lock()
				defer mu.Unlock()
				_, _ = lines.WriteTo(os.Stdout)
			})
		}
		fmt.Fprintln(&lines, r.Method, r.URL)
		mu.Unlock()
		d.hello(w, r)
	}
}

// reloads has something to do at SIGHUP, and serves on.
func (d *daemon) reloads() {
	d.options = append(d.options, lastcall.OnReload(func(context.Context) error { return nil }))
}
