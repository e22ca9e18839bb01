package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A run is one start of a [Server].
type run struct {
	ctx      context.Context // the worker's
	grace    context.Context
	lameDuck <-chan struct{}
	opt      options
	user     *http.Server // as given, for its hooks
	handler  http.Handler
	ln       *listener
	http1    *http.Server // serves; never shut down, see newRun
	http2    *http.Server // only for its HTTP/2 connections; nil without HTTP/2
	tls      bool
	epoch    time.Time // what the times of connections and requests are counted from

	stopping atomic.Bool   // the soft stop began
	changed  chan struct{} // a connection became idle while stopping
	hijacked atomic.Int64
	accepted atomic.Int64 // when the last connection was, in the run's time

	mu        sync.Mutex
	conns     map[*conn]struct{} // all that are open, or whose handlers have not returned
	accepting bool               // more may come
	empty     chan struct{}      // closed when conns is empty and no more may come
	cutNames  []string           // requests that the hard stop cut: some of them,
	cutCount  int                // and how many there were
}

// newRun copies the user's server. http.Server.Shutdown discards a request that it has just read (golang/go#65802), and
// SetKeepAlivesEnabled(false) closes idle connections without looking whether a request has arrived, so neither is
// ever called on the server that has HTTP/1 connections. But Shutdown is the only way to make HTTP/2 connections send
// GOAWAY, so they get a separate server.
func newRun(ctx context.Context, s *Server, ln net.Listener) (*run, error) {
	r := &run{
		ctx: ctx, grace: lastcall.Grace(ctx), lameDuck: lastcall.LameDuck(ctx),
		opt: s.opt, user: s.srv, tls: s.speaksTLS(), epoch: time.Now(),
		changed: make(chan struct{}, 1), conns: map[*conn]struct{}{}, accepting: true, empty: make(chan struct{}),
	}
	r.ln = newListener(ln, r)
	r.handler = s.srv.Handler
	if r.handler == nil {
		r.handler = http.DefaultServeMux
	}
	r.http1 = r.copyServer()
	if err := r.takeHTTP2(); err != nil {
		return nil, err
	}
	return r, nil
}

// copyServer returns a copy of the user's server with our hooks around its own.
func (r *run) copyServer() *http.Server {
	// Reflection copies fields that a later version of Go adds as well.
	srv := new(http.Server)
	from, to := reflect.ValueOf(r.user).Elem(), reflect.ValueOf(srv).Elem()
	for i := range from.NumField() {
		if from.Type().Field(i).IsExported() {
			to.Field(i).Set(from.Field(i))
		}
	}
	if srv.TLSConfig != nil {
		srv.TLSConfig = srv.TLSConfig.Clone() // net/http writes into it
	}
	srv.TLSNextProto = maps.Clone(srv.TLSNextProto) // likewise
	srv.Handler = http.HandlerFunc(r.serveHTTP)
	srv.BaseContext = r.baseContext
	srv.ConnContext = r.connContext
	srv.ConnState = r.connState
	return srv
}

var errNoAccept = errors.New("serve: nothing to accept")

// noListener makes Serve set a server up and return.
type noListener struct{}

func (noListener) Accept() (net.Conn, error) { return nil, errNoAccept }
func (noListener) Close() error              { return nil }
func (noListener) Addr() net.Addr            { return &net.TCPAddr{} }

// takeHTTP2 gives the HTTP/2 connections of http1 to a separate server, unless the user provided an implementation
// of HTTP/2 or switched it off.
func (r *run) takeHTTP2() error {
	h2 := r.copyServer()
	if r.tls {
		if h2.TLSConfig == nil {
			h2.TLSConfig = new(tls.Config)
		}
		if !slices.Contains(h2.TLSConfig.NextProtos, "h2") {
			h2.TLSConfig.NextProtos = append(slices.Clone(h2.TLSConfig.NextProtos), "h2")
		}
	}
	if err := h2.Serve(noListener{}); !errors.Is(err, errNoAccept) {
		return err
	}
	for proto, serve := range h2.TLSNextProto {
		if _, own := r.http1.TLSNextProto[proto]; own {
			continue
		}
		if r.http1.TLSNextProto == nil {
			r.http1.TLSNextProto = make(map[string]func(*http.Server, *tls.Conn, http.Handler))
		}
		r.http2 = h2
		r.http1.TLSNextProto[proto] = func(_ *http.Server, nc *tls.Conn, h http.Handler) {
			connOf(nc).becomesHTTP2()
			serve(h2, nc, h)
		}
	}
	return nil
}

// goAway makes all HTTP/2 connections send GOAWAY. Each ends when its requests have ended and its client closes it, or
// one second later.
func (r *run) goAway() {
	if r.http2 != nil {
		_ = r.http2.Shutdown(ended)
	}
}

// ended is a context that has ended, for calls that must not wait.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// now is the time since the run's epoch.
func (r *run) now() time.Duration { return time.Since(r.epoch) }

// leaving reports whether clients are told to move on: from the lame duck or the soft stop on.
func (r *run) leaving() bool {
	select {
	case <-r.lameDuck:
		return true
	default:
		return r.stopping.Load()
	}
}

// ready is called when the first accept begins.
func (r *run) ready() { lastcall.Ready(r.ctx) }

// baseContext is the grace context, joined with that of the user's BaseContext hook if there is one.
func (r *run) baseContext(ln net.Listener) context.Context {
	if r.user.BaseContext == nil {
		return r.grace
	}
	own := r.user.BaseContext(ln)
	if own == nil {
		panic("BaseContext returned a nil context")
	}
	ctx, cancel := context.WithCancelCause(r.grace)
	context.AfterFunc(own, func() { cancel(context.Cause(own)) })
	return &joined{Context: ctx, values: context.WithoutCancel(own)}
}

// joined has the end of one context, and the values of another before its own.
type joined struct {
	context.Context
	values context.Context
}

func (j *joined) Value(key any) any {
	if v := j.values.Value(key); v != nil {
		return v
	}
	return j.Context.Value(key)
}

type connKey struct{}

// connContext makes the connection known to its requests.
func (r *run) connContext(ctx context.Context, nc net.Conn) context.Context {
	ctx = context.WithValue(ctx, connKey{}, connOf(nc))
	if r.user.ConnContext != nil {
		ctx = r.user.ConnContext(ctx, nc)
	}
	return ctx
}
