package serve_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/serve"
)

var (
	stops    = flag.Int("stops", 2, "stops of each kind in TestStops and TestPipelinedRequestsAreAllAnswered")
	shutdown = flag.Bool("shutdown", false, "let TestStops stop by http.Server.Shutdown instead, to compare")
)

// kind is one of the kinds of stops in TestStops.
type kind struct {
	name string
	tls  bool
	held bool
	mode rawhttp.Mode
}

// answers is how many a stop of this kind comes after.
func (k kind) answers() int64 {
	if k.tls && k.mode == rawhttp.NewConn {
		return 20 + rand.Int64N(40) // each costs a handshake
	}
	return 50 + rand.Int64N(200)
}

// TestStops stops servers under 16 clients that never retry, and counts what was dropped. It needs the real kernel. In
// long form: go test ./serve -run TestStops -stops=1000 -timeout=2h -v.
func TestStops(t *testing.T) {
	var kinds []kind
	for _, mode := range rawhttp.Modes {
		kinds = append(kinds, kind{"plain, " + mode.String(), false, false, mode})
	}
	for _, mode := range rawhttp.Modes {
		kinds = append(kinds, kind{"TLS, " + mode.String(), true, false, mode})
	}
	for _, mode := range rawhttp.Modes {
		kinds = append(kinds, kind{"held socket, " + mode.String(), false, true, mode})
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			var total rawhttp.Counts
			var bad, told int
			began := time.Now()
			var longest time.Duration
			next := stopAlone
			if k.held {
				next = holder(t, k)
			}
			for range *stops {
				counts, took, details := next(t, k)
				longest = max(longest, took)
				total.Add(counts)
				if counts.Dropped()+counts[rawhttp.Broken] > 0 || k.held && counts[rawhttp.Refused] > 0 {
					bad++
					t.Logf("a bad stop: %v: %s", counts, strings.Join(details, "; "))
				}
				if counts[rawhttp.RefusedStream] > 0 {
					told++
				}
			}
			t.Logf("%d of %d stops bad, %d with refused streams: %v; longest stop %v, %v in all",
				bad, *stops, told, total, longest.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
			if allowed := *stops / 1000; bad > allowed && !*shutdown {
				t.Errorf("%d bad stops of %d, more than %d", bad, *stops, allowed)
			}
		})
	}
}

// stopAlone starts a server under load, stops it, and waits until every client has been refused.
func stopAlone(t *testing.T, k kind) (rawhttp.Counts, time.Duration, []string) {
	s := start(t, k, listen(t))
	load, endLoad := context.WithCancel(t.Context())
	defer endLoad()
	clients := goLoad(load, k, s.addr, true)
	clients.awaitAnswers(t, k.answers())
	took := s.stop(t)
	counts, details := clients.await(t)
	return counts, took, details
}

// A holder holds a socket, with one server after the other behind it, under one load.
func holder(t *testing.T, k kind) func(*testing.T, kind) (rawhttp.Counts, time.Duration, []string) {
	ln := listen(t)
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	t.Cleanup(func() { file.Close() })
	instance := func() *instance {
		ln, err := net.FileListener(file)
		if err != nil {
			t.Fatal(err)
		}
		return start(t, k, ln)
	}
	return func(t *testing.T, k kind) (rawhttp.Counts, time.Duration, []string) {
		s := instance()
		load, endLoad := context.WithCancel(t.Context())
		defer endLoad()
		clients := goLoad(load, k, s.addr, false)
		clients.awaitAnswers(t, k.answers())
		took := s.stop(t)
		next := instance()
		clients.awaitAnswers(t, 50)
		endLoad()
		counts, details := clients.await(t)
		next.stop(t)
		return counts, took, details
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// An instance is a server that runs in a group.
type instance struct {
	addr  string
	group *lastcall.Group
	end   func()
	done  chan error
}

// start runs a server of this kind and waits until it is ready.
func start(t *testing.T, k kind, ln net.Listener) *instance {
	t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(k.tls)
	protocols.SetUnencryptedHTTP2(!k.tls)
	srv := &http.Server{Protocols: &protocols, Handler: http.HandlerFunc(busy)}
	if k.tls {
		srv.TLSConfig = serverTLS(t)
	}
	if *shutdown {
		return startShutdown(t, srv, ln)
	}
	var opts []serve.Option
	if k.held {
		opts = append(opts, serve.Held())
	}
	return run(t, &lastcall.Group{Grace: 30 * time.Second}, serve.HTTP(srv, ln, opts...), ln.Addr().String())
}

// startShutdown runs a server as programs do without this package.
func startShutdown(t *testing.T, srv *http.Server, ln net.Listener) *instance {
	s := &instance{addr: ln.Addr().String(), done: make(chan error, 1)}
	go func() {
		if srv.TLSConfig != nil {
			srv.ServeTLS(ln, "", "")
		} else {
			srv.Serve(ln)
		}
	}()
	s.end = func() { s.done <- srv.Shutdown(t.Context()) }
	return s
}

// run runs the worker in the group and waits until it is ready.
func run(t *testing.T, group *lastcall.Group, w lastcall.Worker, addr string) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &instance{addr: addr, group: group, end: cancel, done: make(chan error, 1)}
	ready := make(chan struct{})
	observe := group.Observe
	group.Observe = func(e lastcall.Event) {
		if observe != nil {
			observe(e)
		}
		if e.Name == "web" && e.Kind == lastcall.EventState && e.State == lastcall.StateReady {
			close(ready)
		}
	}
	group.Add("web", w)
	go func() { s.done <- group.Run(ctx) }()
	t.Cleanup(cancel)
	select {
	case <-ready:
	case err := <-s.done:
		t.Fatalf("the server ended instead of being ready: %v", err)
	case <-time.After(limit):
		t.Fatalf("the server was not ready within %v", limit)
	}
	return s
}

// limit is how long tests wait for events that come at once or never.
const limit = 2 * time.Minute

// stop stops the server and returns how long that took.
func (s *instance) stop(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	s.end()
	if err := s.await(t); err != nil {
		t.Errorf("the server returned %v", err)
	}
	return time.Since(began)
}

// await waits for the end of the group.
func (s *instance) await(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(limit):
		t.Fatalf("the server did not return within %v after it was told to stop", limit)
		return nil
	}
}

// busy reads the request, takes its time, and answers with a body that is sometimes long.
func busy(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	time.Sleep(rand.N(2 * time.Millisecond))
	w.Write(body[:rand.IntN(len(body))])
}

var body = bytes.Repeat([]byte("0123456789abcdef"), 1024)

// loaded is a load under way.
type loaded struct {
	answered atomic.Int64
	done     chan rawhttp.Counts
	details  chan string
}

// goLoad starts a load of 16 clients.
func goLoad(ctx context.Context, k kind, addr string, untilRefused bool) *loaded {
	l := &loaded{done: make(chan rawhttp.Counts, 1), details: make(chan string, 100)}
	target := rawhttp.Target{Addr: addr, Mode: k.mode, Timeout: 5 * time.Second}
	if k.tls {
		target.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	load := rawhttp.Load{Target: target, Clients: 16, UntilRefused: untilRefused, Observe: func(client int, r rawhttp.Result) {
		l.answered.Add(1)
		if r.Class.Dropped() || r.Class == rawhttp.Broken {
			select {
			case l.details <- fmt.Sprintf("%v after %v, sent after %v, reused %v: %v", r.Class, r.Took, r.Sent, r.Reused, r.Err):
			default:
			}
		}
	}}
	go func() { l.done <- load.Run(ctx) }()
	return l
}

// awaitAnswers waits until n more exchanges have ended.
func (l *loaded) awaitAnswers(t *testing.T, n int64) {
	t.Helper()
	until := l.answered.Load() + n
	for began := time.Now(); l.answered.Load() < until; time.Sleep(time.Millisecond) {
		if time.Since(began) > limit {
			t.Fatalf("%d exchanges did not end within %v", n, limit)
		}
	}
}

// await waits for the end of the load.
func (l *loaded) await(t *testing.T) (rawhttp.Counts, []string) {
	t.Helper()
	select {
	case counts := <-l.done:
		var details []string
		for len(l.details) > 0 {
			details = append(details, <-l.details)
		}
		return counts, details
	case <-time.After(limit):
		t.Fatalf("the clients did not end within %v", limit)
		return rawhttp.Counts{}, nil
	}
}
