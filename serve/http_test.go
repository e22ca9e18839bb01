package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/serve"
)

// hour is a time that does not pass in a test: waiting for it means hanging.
const hour = time.Hour

// patient is a group that cuts nothing as long as a test runs.
func patient() *lastcall.Group { return &lastcall.Group{Grace: hour} }

// A peer is a client's side of a connection, by hand.
type peer struct {
	net.Conn
	r *bufio.Reader
	t *testing.T
}

func dial(t *testing.T, addr string) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc)
}

func newPeer(t *testing.T, nc net.Conn) *peer {
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(limit))
	return &peer{nc, bufio.NewReader(nc), t}
}

const get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

func (p *peer) send(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		p.t.Error(err)
	}
}

// answer reads a response and its body.
func (p *peer) answer() (*http.Response, string) {
	p.t.Helper()
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		p.t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("no whole answer: %v", err)
	}
	return resp, string(body)
}

// ends reads until the server closes, which it must do in an orderly way.
func (p *peer) ends() {
	p.t.Helper()
	if rest, err := io.ReadAll(p.r); err != nil || len(rest) > 0 {
		p.t.Fatalf("the connection did not end as it should: %q, %v", rest, err)
	}
}

// await waits until c is closed.
func await(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(limit):
		t.Fatalf("waited %v for %s", limit, what)
	}
}

// stopped closes when a request's worker has begun its soft stop: handlers see it as the lame duck where there is none.
func stopped(r *http.Request) <-chan struct{} { return lastcall.LameDuck(r.Context()) }

func hello(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }

func TestListenErrorFailsTheStart(t *testing.T) {
	ln := listen(t)
	defer ln.Close()
	group := patient()
	group.Add("web", serve.HTTP(&http.Server{Addr: ln.Addr().String()}, nil))
	err := group.Run(t.Context())
	var failed *lastcall.WorkerError
	if !errors.As(err, &failed) || !failed.Starting || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want a failed start with the address in use", err)
	}
}

func TestCertificateErrorFailsTheStart(t *testing.T) {
	group := patient()
	group.Add("web", serve.HTTP(&http.Server{}, listen(t), serve.TLS("missing.pem", "missing.key")))
	err := group.Run(t.Context())
	var failed *lastcall.WorkerError
	if !errors.As(err, &failed) || !failed.Starting || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want a failed start with the missing file", err)
	}
}

func TestListensByItselfAndCanRunAgain(t *testing.T) {
	srv := &http.Server{Addr: "127.0.0.1:0", Handler: http.HandlerFunc(hello)}
	web := serve.HTTP(srv, nil)
	if web.Addr() != nil {
		t.Errorf("Addr is %v before Run", web.Addr())
	}
	for range 2 {
		s := run(t, patient(), web, "")
		p := dial(t, web.Addr().String())
		p.send(get)
		if _, body := p.answer(); body != "hello" {
			t.Errorf("got %q", body)
		}
		p.Close()
		s.stop(t)
	}
}

func TestTLSFromFiles(t *testing.T) {
	ln := listen(t)
	s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(hello)}, ln, serve.TLS(certFiles(t))), "")
	for _, mode := range rawhttp.Modes {
		c := rawhttp.NewClient(rawhttp.Target{Addr: ln.Addr().String(), Mode: mode, TLS: &tls.Config{InsecureSkipVerify: true}})
		if r := c.Exchange(t.Context()); r.Class != rawhttp.Answered || r.Status != 200 {
			t.Errorf("%v: %v %v", mode, r.Class, r.Err)
		}
		c.Close()
	}
	s.stop(t)
}

func TestListenerThatSpeaksTLSIsRejected(t *testing.T) {
	ln := listen(t)
	s := run(t, patient(), serve.HTTP(&http.Server{}, tls.NewListener(ln, serverTLS(t))), "")
	dial(t, ln.Addr().String())
	if err := s.await(t); err == nil || !strings.Contains(err.Error(), "TLSConfig") {
		t.Errorf("got %v, want an error that says where the certificates belong", err)
	}
}

// The request that is under way at the soft stop is answered, is told that the connection ends, and its end is the
// worker's: were the connection to stay open, the worker would wait for an hour.
func TestRequestInFlightIsAnsweredAndTheWorkerReturns(t *testing.T) {
	const afterHints = "an informational header before the stop"
	for _, test := range []struct {
		name  string
		write func(http.ResponseWriter)
	}{
		{"nothing written", func(w http.ResponseWriter) {}},
		{afterHints, func(w http.ResponseWriter) { io.WriteString(w, "done") }},
		{"written", func(w http.ResponseWriter) { io.WriteString(w, "done") }},
		{"header written", func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted); io.WriteString(w, "done") }},
		{"flushed", func(w http.ResponseWriter) { w.(http.Flusher).Flush(); io.WriteString(w, "done") }},
		{"flushed by the controller", func(w http.ResponseWriter) { http.NewResponseController(w).Flush() }},
		{"copied", func(w http.ResponseWriter) { io.Copy(w, strings.NewReader("done")) }},
		{"after an informational header", func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			ln := listen(t)
			entered := make(chan struct{})
			handler := func(w http.ResponseWriter, r *http.Request) {
				if test.name == afterHints {
					w.WriteHeader(http.StatusEarlyHints)
				}
				close(entered)
				<-stopped(r)
				test.write(w)
			}
			s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(handler)}, ln, serve.Linger(hour)), "")
			p := dial(t, ln.Addr().String())
			p.send(get)
			await(t, entered, "the request")
			s.end()
			resp, _ := p.answer()
			if resp.StatusCode == http.StatusEarlyHints {
				resp, _ = p.answer()
			}
			if !resp.Close {
				t.Errorf("the answer does not say Connection: close: %v", resp.Header)
			}
			p.ends()
			if err := s.await(t); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLameDuckTellsClientsToMoveOnAndServes(t *testing.T) {
	ln := listen(t)
	s := run(t, &lastcall.Group{Grace: 2 * hour, LameDuck: hour}, serve.HTTP(&http.Server{Handler: http.HandlerFunc(hello)}, ln), "")
	s.end()
	for s.group.Ready() == nil {
		time.Sleep(time.Millisecond)
	}
	for range 2 {
		p := dial(t, ln.Addr().String())
		p.send(get)
		if resp, body := p.answer(); !resp.Close || body != "hello" {
			t.Errorf("got %q, close %v", body, resp.Close)
		}
		p.ends()
	}
}

// toldListener says when it was told to stop accepting, and counts how often it was interrupted.
type toldListener struct {
	*net.TCPListener
	told        chan struct{}
	once        sync.Once
	parked      chan struct{}
	interrupted atomic.Int64
}

func (l *toldListener) SetDeadline(t time.Time) error {
	err := l.TCPListener.SetDeadline(t)
	switch wait := time.Until(t); {
	case wait < -hour:
		l.interrupted.Add(1)
	case wait > 200*time.Millisecond && l.parked != nil:
		close(l.parked)
	}
	l.once.Do(func() { close(l.told) })
	return err
}

// While no new connections come, the listener stays open until the last connection has ended.
func TestListenerGoesWithTheLastConnection(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("new connections cannot be kept away here")
	}
	ln := &toldListener{TCPListener: listen(t).(*net.TCPListener), told: make(chan struct{}), parked: make(chan struct{})}
	s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(hello)}, ln, serve.Linger(hour)), "")
	p := dial(t, ln.Addr().String())
	p.send(get)
	p.answer()
	s.end()
	await(t, ln.parked, "the queue to be found empty")
	p.send(get)
	p.answer()
	if err := s.await(t); err != nil {
		t.Error(err)
	}
	if n := ln.interrupted.Load(); n != 2 {
		t.Errorf("the listener was interrupted %d times, want 2: by the stop, and by the end of the last connection", n)
	}
}

// Connections that the kernel has completed are answered, even those that were not accepted when the stop began, or
// that send their request only then.
func TestAcceptQueueIsEmptied(t *testing.T) {
	ln := &toldListener{TCPListener: listen(t).(*net.TCPListener), told: make(chan struct{})}
	accepted, resume := make(chan struct{}, 100), make(chan struct{})
	srv := &http.Server{Handler: http.HandlerFunc(hello), ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew { // the accepting goroutine
			accepted <- struct{}{}
			<-resume
		}
	}}
	s := run(t, patient(), serve.HTTP(srv, ln, serve.Linger(hour)), "")
	var peers []*peer
	for range 9 {
		peers = append(peers, dial(t, ln.Addr().String()))
	}
	<-accepted // the first; the other eight are in the kernel's queue
	s.end()
	await(t, ln.told, "the end of accepting")
	close(resume)
	for _, p := range peers {
		p.send(get)
		if resp, body := p.answer(); body != "hello" || !resp.Close {
			t.Errorf("got %q, close %v", body, resp.Close)
		}
	}
	if err := s.await(t); err != nil {
		t.Error(err)
	}
	if nc, err := net.Dial("tcp", ln.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a connection after the stop: %v, %v, want refused", nc, err)
	}
}

// fullListener has no descriptors left when the stop begins, and then one connection.
type fullListener struct {
	*net.TCPListener
	stop  chan struct{}
	calls atomic.Int64
}

func (l *fullListener) SetDeadline(time.Time) error {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	return nil
}

func (l *fullListener) Accept() (net.Conn, error) {
	<-l.stop
	switch call := l.calls.Add(1); {
	case call <= 3:
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	case call == 4:
		return l.TCPListener.Accept()
	}
	return nil, os.ErrDeadlineExceeded
}

func TestQueueIsEmptiedThoughDescriptorsAreScarce(t *testing.T) {
	ln := &fullListener{TCPListener: listen(t).(*net.TCPListener), stop: make(chan struct{})}
	s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(hello)}, ln), "")
	p := dial(t, ln.Addr().String())
	p.send(get)
	s.end()
	if _, body := p.answer(); body != "hello" {
		t.Errorf("got %q", body)
	}
	if err := s.await(t); err != nil {
		t.Error(err)
	}
}

// A request of which a part has arrived is waited for and answered.
func TestPartOfARequestIsWaitedFor(t *testing.T) {
	ln := listen(t)
	s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(hello)}, ln, serve.Linger(0)), "")
	p := dial(t, ln.Addr().String())
	p.send(get[:20])
	other := dial(t, ln.Addr().String()) // the server reads p's part no later than it answers this
	other.send(get)
	other.answer()
	s.end()
	other.ends()
	p.send(get[20:])
	if resp, body := p.answer(); body != "hello" || !resp.Close {
		t.Errorf("got %q, close %v", body, resp.Close)
	}
	if err := s.await(t); err != nil {
		t.Error(err)
	}
}

// A client sends its next request before it has seen that the answer is the last. Closing the connection with these
// bytes unread would make the kernel reset it, which destroys the answer.
func TestUnreadBytesDoNotDestroyTheAnswer(t *testing.T) {
	ln := listen(t)
	entered, headed, sent := make(chan struct{}), make(chan struct{}), make(chan struct{})
	long := bytes.Repeat([]byte("last call "), 1<<20)
	handler := func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-stopped(r)
		w.WriteHeader(http.StatusOK) // so it is settled that this is the last answer
		close(headed)
		<-sent
		w.Write(long)
	}
	s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(handler)}, ln), "")
	p := dial(t, ln.Addr().String())
	p.send(get)
	await(t, entered, "the request")
	s.end()
	await(t, headed, "the answer")
	p.send(strings.Repeat(get, 1000)) // more than net/http reads ahead
	close(sent)
	if resp, body := p.answer(); len(body) != len(long) || !resp.Close {
		t.Errorf("got %d bytes of %d, close %v", len(body), len(long), resp.Close)
	}
	if err := s.await(t); err != nil {
		t.Error(err)
	}
}

// dial2 connects with HTTP/2, with or without TLS.
func dial2(t *testing.T, addr string, secure bool) *peer {
	p := dial(t, addr)
	if secure {
		p.Conn = tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		p.r.Reset(p.Conn)
	}
	p.send(preface2)
	return p
}

const (
	// preface2 is how a client begins, with settings that change nothing.
	preface2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	// get2 is a request on the first stream: GET / of http.
	get2 = "\x00\x00\x09\x01\x05\x00\x00\x00\x01" + "\x82\x84\x86\x41\x04test"

	// Kinds of frames.
	data2    = 0x0
	headers2 = 0x1
	goAway2  = 0x7
)

// frames reads frames until those kinds have come.
func (p *peer) frames(kinds ...byte) {
	p.t.Helper()
	for awaited := bytes.Clone(kinds); len(awaited) > 0; {
		var head [9]byte
		if _, err := io.ReadFull(p.r, head[:]); err != nil {
			p.t.Fatalf("waiting for frames of kinds %v: %v", awaited, err)
		}
		io.CopyN(io.Discard, p.r, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
		awaited = bytes.ReplaceAll(awaited, head[3:4], nil)
	}
}

// HTTP/2 connections without a request get GOAWAY, and the server stops waiting for a client that closes.
func TestIdleHTTP2IsToldToGoAway(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			ln := listen(t)
			s := start(t, kind{tls: secure}, ln)
			served, fresh := dial2(t, ln.Addr().String(), secure), dial2(t, ln.Addr().String(), secure)
			served.send(get2)
			served.frames(headers2)
			s.end()
			for _, p := range []*peer{served, fresh} {
				p.frames(goAway2)
				p.Close()
			}
			if err := s.await(t); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLameDuckTellsHTTP2ClientsToGoAway(t *testing.T) {
	ln := listen(t)
	srv := &http.Server{Handler: http.HandlerFunc(hello), TLSConfig: serverTLS(t)}
	s := run(t, &lastcall.Group{Grace: 2 * hour, LameDuck: hour}, serve.HTTP(srv, ln), "")
	before := dial2(t, ln.Addr().String(), true)
	s.end()
	for s.group.Ready() == nil {
		time.Sleep(time.Millisecond)
	}
	before.send(get2)
	before.frames(headers2, goAway2)
}

func TestRequestContext(t *testing.T) {
	type key struct{}
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprintf("BaseContext %v", own), func(t *testing.T) {
			ln := listen(t)
			entered := make(chan struct{}, 1)
			ended := make(chan error, 1)
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if own && r.Context().Value(key{}) != "mine" {
					t.Error("the value of BaseContext is lost")
				}
				if name := lastcall.Name(r.Context()); name != "web" {
					t.Errorf("the worker's name is %q", name)
				}
				entered <- struct{}{}
				if r.URL.Path != "/gone" {
					<-stopped(r)
					if err := r.Context().Err(); err != nil {
						t.Errorf("the request's context ended at the soft stop: %v", err)
					}
				}
				<-r.Context().Done()
				ended <- context.Cause(r.Context())
				http.Error(w, "out of time", http.StatusServiceUnavailable)
			})}
			if own {
				srv.BaseContext = func(net.Listener) context.Context { return context.WithValue(context.Background(), key{}, "mine") }
			}
			group := patient()
			group.Grace = 300 * time.Millisecond
			s := run(t, group, serve.HTTP(srv, ln), "")

			gone := dial(t, ln.Addr().String())
			gone.send(strings.Replace(get, "/", "/gone", 1))
			<-entered
			gone.Close()
			if err := <-ended; !errors.Is(err, context.Canceled) || errors.Is(err, lastcall.ErrHardStop) {
				t.Errorf("the client went away: %v", err)
			}

			p := dial(t, ln.Addr().String())
			p.send(get)
			<-entered
			s.end()
			if err := <-ended; !errors.Is(err, lastcall.ErrHardStop) {
				t.Errorf("the cause at the hard stop is %v", err)
			}
			if resp, _ := p.answer(); resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("a handler that minds its context cannot answer any more: %v", resp.Status)
			}
			if err := s.await(t); !errors.Is(err, lastcall.ErrInterrupted) || !strings.Contains(err.Error(), "GET /") {
				t.Errorf("got %v, want what was cut", err)
			}
			if report := group.Report().Workers[0]; report.InFlight < 1 || report.Interrupted != 1 {
				t.Errorf("%d in flight, %d interrupted; want some and 1", report.InFlight, report.Interrupted)
			}
		})
	}
}

// A handler that ignores its context is named with its request, its client is cut off, and the worker does not return.
func TestStuckHandlerIsNamed(t *testing.T) {
	ln := listen(t)
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		stuck(release)
	})}
	group := &lastcall.Group{Grace: 10 * time.Millisecond, HardStop: 300 * time.Millisecond}
	s := run(t, group, serve.HTTP(srv, ln), "")
	p := dial(t, ln.Addr().String())
	p.send("POST /slow?secret=1 HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n")
	await(t, entered, "the request")
	s.end()
	p.ends()
	err := s.await(t)
	var abandoned *lastcall.WorkerError
	if !errors.As(err, &abandoned) || abandoned.Kind != lastcall.ErrAbandoned {
		t.Fatalf("got %v, want the worker abandoned", err)
	}
	if want := "POST /slow from " + p.LocalAddr().String() + " running "; !strings.HasPrefix(abandoned.Status, want) {
		t.Errorf("status %q, want %q...", abandoned.Status, want)
	}
	if !strings.Contains(abandoned.Stacks, "serve_test.stuck") {
		t.Errorf("the handler is not in the stacks:\n%s", abandoned.Stacks)
	}
}

func stuck(release chan struct{}) { <-release }

func TestHooksOfTheServerAreKept(t *testing.T) {
	type key struct{}
	var mu sync.Mutex
	var states []http.ConnState
	var logged bytes.Buffer
	told := make(chan struct{})
	srv := &http.Server{
		TLSConfig: serverTLS(t),
		ErrorLog:  log.New(&logged, "", 0),
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			return context.WithValue(ctx, key{}, nc.RemoteAddr().String())
		},
		ConnState: func(nc net.Conn, state http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, state)
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := r.Context().Value(key{}); got != r.RemoteAddr {
				t.Errorf("the value of ConnContext is %v", got)
			}
			panic("oops")
		}),
	}
	srv.RegisterOnShutdown(func() { close(told) })
	ln := listen(t)
	s := run(t, patient(), serve.HTTP(srv, ln), "")
	target := rawhttp.Target{Addr: ln.Addr().String(), TLS: &tls.Config{InsecureSkipVerify: true}}
	if r := rawhttp.NewClient(target).Exchange(t.Context()); r.Class != rawhttp.ClosedWithoutAnswer {
		t.Errorf("a panic is %v to the client", r.Class)
	}
	s.stop(t)
	await(t, told, "the function of RegisterOnShutdown")
	mu.Lock()
	defer mu.Unlock()
	if got := fmt.Sprint(states); got != "[new active closed]" {
		t.Errorf("ConnState saw %v", got)
	}
	if !strings.Contains(logged.String(), "oops") {
		t.Errorf("ErrorLog got %q", logged.String())
	}
	if srv.TLSNextProto != nil || srv.TLSConfig.NextProtos != nil {
		t.Errorf("the server was changed: %v, %v", srv.TLSNextProto, srv.TLSConfig.NextProtos)
	}
}

// A handler's ResponseWriter has the methods that net/http's has.
func TestResponseWriterKeepsItsMethods(t *testing.T) {
	offers := func(w http.ResponseWriter) string {
		_, flusher := w.(http.Flusher)
		_, hijacker := w.(http.Hijacker)
		_, pusher := w.(http.Pusher)
		_, reader := w.(io.ReaderFrom)
		_, text := w.(io.StringWriter)
		_, notifier := w.(http.CloseNotifier) //nolint:staticcheck // deprecated, and still asked for
		c := http.NewResponseController(w)
		deadlines := c.SetReadDeadline(time.Time{}) == nil && c.SetWriteDeadline(time.Time{}) == nil && c.EnableFullDuplex() == nil
		return fmt.Sprintf("flusher %v, hijacker %v, pusher %v, reader %v, string writer %v, close notifier %v, controller %v",
			flusher, hijacker, pusher, reader, text, notifier, deadlines)
	}
	for _, mode := range []rawhttp.Mode{rawhttp.KeepAliveGET, rawhttp.HTTP2} {
		got := make(chan string, 2)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- offers(w) })
		exchange := func(addr string) string {
			c := rawhttp.NewClient(rawhttp.Target{Addr: addr, Mode: mode, TLS: &tls.Config{InsecureSkipVerify: true}})
			defer c.Close()
			if r := c.Exchange(t.Context()); r.Class != rawhttp.Answered {
				t.Fatal(r.Class, r.Err)
			}
			return <-got
		}
		plain := httptest.NewUnstartedServer(handler)
		plain.EnableHTTP2 = true
		plain.StartTLS()
		want := exchange(plain.Listener.Addr().String())
		plain.Close()

		ln := listen(t)
		s := run(t, patient(), serve.HTTP(&http.Server{Handler: handler, TLSConfig: serverTLS(t)}, ln), "")
		if has := exchange(ln.Addr().String()); has != want {
			t.Errorf("%v: has  %s\nwant %s", mode, has, want)
		}
		s.stop(t)
	}
}

// brokenListener fails after its first connection.
type brokenListener struct {
	net.Listener
	accepted int
}

var errBroken = errors.New("the wire is cut")

func (l *brokenListener) Accept() (net.Conn, error) {
	if l.accepted++; l.accepted > 1 {
		return nil, errBroken
	}
	return l.Listener.Accept()
}

func TestFailureToAcceptIsTheWorkersErrorAfterTheLastAnswer(t *testing.T) {
	ln := listen(t)
	release := make(chan struct{})
	handler := func(w http.ResponseWriter, r *http.Request) { <-release; hello(w, r) }
	s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(handler)}, &brokenListener{Listener: ln}), "")
	p := dial(t, ln.Addr().String())
	p.send(get)
	close(release)
	if _, body := p.answer(); body != "hello" {
		t.Errorf("got %q", body)
	}
	if err := s.await(t); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func TestReadiness(t *testing.T) {
	ready := fake{}
	handler := serve.Readiness(&ready)
	probe := func() (int, string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "/ready", nil))
		return w.Code, w.Body.String()
	}
	if code, text := probe(); code != 200 || text != "ready\n" {
		t.Errorf("ready: %d %q", code, text)
	}
	ready.err = errors.New("db is starting")
	if code, text := probe(); code != 503 || text != "db is starting\n" {
		t.Errorf("not ready: %d %q", code, text)
	}
}

type fake struct{ err error }

func (f *fake) Ready() error { return f.err }
