package serve

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall"
)

// An exchange is a request under way with its response. It wraps the ResponseWriter because whether the client is told
// to move on can be decided only when the header is written. (The wrapper costs one thing: http.MaxBytesReader cannot
// close the connection early, so net/http reads up to 256 KiB more of a body that is too large.)
type exchange struct {
	w      http.ResponseWriter
	conn   *conn
	open   bool // the handler has asked for the header, or may have
	headed bool // the header is written
	late   bool // the last write came after the hard stop
	whole  bool // the answer needs no body, or says how long it is

	// Names of the request, copied because a handler may change its request.
	method, path string
	began        time.Duration // in the run's time

	prev, next *exchange // in conn.requests
}

// serveHTTP is the handler around the user's handler.
func (r *run) serveHTTP(w http.ResponseWriter, req *http.Request) {
	c := req.Context().Value(connKey{}).(*conn)
	var x *exchange
	var outer http.ResponseWriter
	if req.ProtoMajor == 2 {
		x2 := new(exchange2)
		x, outer = &x2.exchange, x2
		x.began = r.now()
	} else {
		x1 := new(exchange1)
		x, outer = &x1.exchange, x1
		x.began = c.since() // when the connection became active
	}
	x.w, x.conn, x.method, x.path = w, c, req.Method, req.URL.Path
	truncated := false
	_ = lastcall.Track(r.grace, func(context.Context) error {
		c.begin(x)
		defer c.finish(x)
		r.handler.ServeHTTP(outer, req)
		err := r.grace.Err()
		switch {
		case !x.headed && err != nil:
			x.unanswered()
		case !x.headed:
			x.tell(http.StatusOK)
		}
		if err != nil { // the hard stop came before the end
			r.wasCut(x)
			truncated = x.headed && !x.late && !x.whole
		}
		return err
	})
	if truncated {
		panic(http.ErrAbortHandler) // net/http would end the answer as if it were complete
	}
}

// unanswered answers for a handler that the hard stop cut before it answered: net/http would send 200.
func (x *exchange) unanswered() {
	x.conn.mu.Lock()
	hijacked := x.conn.hijacked
	x.conn.mu.Unlock()
	if hijacked {
		return
	}
	clear(x.w.Header())
	x.w.Header().Set("Connection", "close")
	x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	x.headed, x.late = true, true
	x.w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(x.w, "the server stopped before it had an answer\n")
}

func (c *conn) begin(x *exchange) {
	c.mu.Lock()
	if x.next = c.requests; x.next != nil {
		x.next.prev = x
	}
	c.requests = x
	c.mu.Unlock()
}

func (c *conn) finish(x *exchange) {
	c.mu.Lock()
	if x.next != nil {
		x.next.prev = x.prev
	}
	if x.prev != nil {
		x.prev.next = x.next
	} else {
		c.requests = x.next
	}
	last := c.closed && c.requests == nil
	c.mu.Unlock()
	if last {
		c.run.forget(c)
	}
}

// tell is called when the header is about to be written.
func (x *exchange) tell(code int) {
	if code < 200 {
		return
	}
	x.headed = true
	x.whole = code == http.StatusNoContent || code == http.StatusNotModified || x.method == http.MethodHead ||
		x.open && x.w.Header().Get("Content-Length") != "" // not asked for in vain, since net/http would copy it
	if c := x.conn; c.run.leaving() && (c.http2.Load() || c.isLast(x.w)) {
		x.w.Header().Set("Connection", "close")
	}
}

func (x *exchange) Header() http.Header {
	x.open = true
	return x.w.Header()
}

// writes is called when something is about to be written.
func (x *exchange) writes(code int) {
	if !x.headed {
		x.tell(code)
	}
	x.late = x.conn.run.grace.Err() != nil
}

func (x *exchange) WriteHeader(code int) {
	x.writes(code)
	x.w.WriteHeader(code)
}

func (x *exchange) Write(p []byte) (int, error) {
	x.writes(http.StatusOK)
	return x.w.Write(p)
}

func (x *exchange) WriteString(s string) (int, error) {
	x.writes(http.StatusOK)
	return io.WriteString(x.w, s)
}

func (x *exchange) Flush() { _ = x.FlushError() }

func (x *exchange) FlushError() error {
	if !x.headed {
		x.tell(http.StatusOK)
	}
	return http.NewResponseController(x.w).Flush()
}

// CloseNotify is deprecated, but some frameworks call it.
func (x *exchange) CloseNotify() <-chan bool {
	return x.w.(http.CloseNotifier).CloseNotify() //nolint:staticcheck // on behalf of others
}

// Unwrap lets http.ResponseController find the rest.
func (x *exchange) Unwrap() http.ResponseWriter {
	x.open = true
	return x.w
}

// An exchange1 is an exchange of HTTP/1.
type exchange1 struct{ exchange }

func (x *exchange1) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return x.w.(http.Hijacker).Hijack()
}

// SetReadDeadline is for http.ResponseController. It is told apart from the deadlines that net/http itself sets.
func (x *exchange1) SetReadDeadline(t time.Time) error {
	x.conn.byHandler.Add(1)
	defer x.conn.byHandler.Add(-1)
	return http.NewResponseController(x.w).SetReadDeadline(t)
}

func (x *exchange1) ReadFrom(src io.Reader) (int64, error) {
	x.writes(http.StatusOK)
	return x.w.(io.ReaderFrom).ReadFrom(src)
}

// An exchange2 is an exchange of HTTP/2.
type exchange2 struct{ exchange }

func (x *exchange2) Push(target string, opts *http.PushOptions) error {
	return x.w.(http.Pusher).Push(target, opts)
}
