//go:build unix

package main

import (
	"context"
	"io"
	"net/http"
)

// endsStreams has server-sent events whose handler ends them at the stop.
func (d *daemon) endsStreams() {
	d.routes["/events"] = func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		select {
		case <-d.web.Done():
			_, _ = io.WriteString(w, "event: bye\ndata: stopping\n\n")
		case <-r.Context().Done():
		}
	}
}

// forgetsStreams has events whose handler knows only of the client's end.
func (d *daemon) forgetsStreams() {
	d.routes["/events"] = func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		<-context.WithoutCancel(r.Context()).Done()
	}
}

// begin sends the head of the answer and the first event.
func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: hello\n\n")
	_ = http.NewResponseController(w).Flush()
}
