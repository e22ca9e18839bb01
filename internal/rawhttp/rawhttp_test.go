package rawhttp

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// server answers connections by script, one after the other, and counts them.
func server(t *testing.T, scripts ...func(nc net.Conn)) (addr string, accepted *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	accepted = new(atomic.Int64)
	go func() {
		for _, script := range scripts {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			script(nc)
		}
	}()
	return ln.Addr().String(), accepted
}

// request reads one request without a body.
func request(nc net.Conn) {
	br := bufio.NewReaderSize(nc, 16) // reads little ahead
	for {
		line, err := br.ReadString('\n')
		if err != nil || line == "\r\n" {
			return
		}
	}
}

// reset closes the connection with a reset.
func reset(nc net.Conn) {
	nc.(*net.TCPConn).SetLinger(0)
	nc.Close()
}

// timeout is short only where it is awaited.
func timeout(want Class) time.Duration {
	if want == Timeout {
		return 100 * time.Millisecond
	}
	return 2 * time.Minute
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestClasses(t *testing.T) {
	says := func(text string) func(net.Conn) {
		return func(nc net.Conn) { request(nc); io.WriteString(nc, text); nc.Close() }
	}
	for _, test := range []struct {
		name   string
		script func(net.Conn)
		want   Class
		status int
	}{
		{"answer", says(ok), Answered, 200},
		{"error answer", says("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), Answered, 503},
		{"answer to the end of the connection", says("HTTP/1.1 200 OK\r\n\r\nok"), Answered, 200},
		{"chunks", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nok!\r\n0\r\nTrailer: x\r\n\r\n"), Answered, 200},
		{"early hints", says("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok), Answered, 200},
		{"no content", says("HTTP/1.1 204 No Content\r\n\r\n"), Answered, 204},
		{"closed", says(""), ClosedWithoutAnswer, 0},
		{"reset", func(nc net.Conn) { request(nc); reset(nc) }, Reset, 0},
		{"body cut", says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), CutBody, 200},
		{"chunks cut", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), CutBody, 200},
		{"header cut", says("HTTP/1.1 200 OK\r\nContent-"), CutBody, 200},
		{"no HTTP", says("SSH-2.0-x\r\n"), Broken, 0},
		{"silence", func(nc net.Conn) { request(nc) }, Timeout, 0},
		{"silence in the body", func(nc net.Conn) { request(nc); io.WriteString(nc, ok[:len(ok)-1]) }, Timeout, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr, accepted := server(t, test.script, test.script)
			c := NewClient(Target{Addr: addr, Mode: KeepAliveGET, Timeout: timeout(test.want)})
			defer c.Close()
			r := c.Exchange(t.Context())
			if r.Class != test.want || r.Status != test.status {
				t.Errorf("%v with status %d (%v), want %v with %d", r.Class, r.Status, r.Err, test.want, test.status)
			}
			if n := accepted.Load(); n > 1 {
				t.Errorf("%d connections: it retried", n)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if r := NewClient(Target{Addr: ln.Addr().String()}).Exchange(t.Context()); r.Class != Refused {
		t.Errorf("%v (%v)", r.Class, r.Err)
	}
}

func TestConnectingGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	addr, _ := server(t)
	if r := NewClient(Target{Addr: addr}).Exchange(ctx); r.Class != NoConnect {
		t.Errorf("%v (%v)", r.Class, r.Err)
	}
}

// An idle connection that the server has closed is replaced; one that is closed when the request comes is a drop, and
// not hidden by a second try.
func TestReuse(t *testing.T) {
	for _, mode := range []Mode{KeepAliveGET, KeepAlivePOST} {
		closed := make(chan struct{})
		addr, accepted := server(t,
			func(nc net.Conn) { request(nc); io.WriteString(nc, ok); nc.Close(); close(closed) },
			func(nc net.Conn) { request(nc); io.WriteString(nc, ok); request(nc); nc.Close() },
			func(nc net.Conn) { request(nc); io.WriteString(nc, ok) },
		)
		c := NewClient(Target{Addr: addr, Mode: mode, Body: []byte{}})
		defer c.Close()
		for i, want := range []Class{Answered, Answered, ClosedWithoutAnswer, Answered} {
			if i == 1 {
				<-closed
			}
			r := c.Exchange(t.Context())
			if r.Class != want {
				t.Errorf("%v, exchange %d: %v (%v), want %v", mode, i+1, r.Class, r.Err, want)
			}
			if reused := i == 2; r.Reused != reused {
				t.Errorf("%v, exchange %d: reused %v", mode, i+1, r.Reused)
			}
		}
		if n := accepted.Load(); n != 3 {
			t.Errorf("%v: %d connections, want 3", mode, n)
		}
	}
}

func TestConnectionCloseIsMinded(t *testing.T) {
	var connections atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	c := NewClient(Target{Addr: srv.Listener.Addr().String(), Mode: KeepAliveGET})
	defer c.Close()
	for range 20 {
		if r := c.Exchange(t.Context()); r.Class != Answered || r.Reused {
			t.Fatalf("%v, reused %v (%v)", r.Class, r.Reused, r.Err)
		}
	}
	if n := connections.Load(); n != 20 {
		t.Errorf("%d connections for 20 exchanges", n)
	}
}

// Every mode speaks to Go's server, long answers and errors included.
func TestModes(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Method == "POST" && string(body) != "last call\n":
			t.Errorf("body %q", body)
		case r.URL.Path == "/missing":
			http.NotFound(w, r)
		default:
			io.WriteString(w, strings.Repeat("0123456789", 100_000))
		}
	})
	for _, secure := range []bool{false, true} {
		srv := httptest.NewUnstartedServer(handler)
		srv.EnableHTTP2 = true
		var protocols http.Protocols
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
		protocols.SetUnencryptedHTTP2(true)
		srv.Config.Protocols = &protocols
		target := Target{}
		if secure {
			srv.StartTLS()
			target.TLS = &tls.Config{InsecureSkipVerify: true}
		} else {
			srv.Start()
		}
		target.Addr = srv.Listener.Addr().String()
		for _, target.Mode = range Modes {
			c := NewClient(target)
			for i := range 3 {
				r := c.Exchange(t.Context())
				if r.Class != Answered || r.Status != 200 {
					t.Errorf("TLS %v, %v: %v with status %d (%v)", secure, target.Mode, r.Class, r.Status, r.Err)
				}
				if reused := i > 0 && target.Mode != NewConn; r.Reused != reused {
					t.Errorf("TLS %v, %v, exchange %d: reused %v", secure, target.Mode, i+1, r.Reused)
				}
			}
			c.Close()
			target := target
			target.Path = "/missing"
			if r := NewClient(target).Exchange(t.Context()); r.Class != Answered || r.Status != 404 {
				t.Errorf("TLS %v, %v: %v with status %d (%v)", secure, target.Mode, r.Class, r.Status, r.Err)
			}
		}
		srv.Close()
	}
}

// hello2 reads a client's preface, settings and first request.
func hello2(t *testing.T, nc net.Conn) *bufio.Reader {
	br := bufio.NewReader(nc)
	io.CopyN(io.Discard, br, int64(len(preface)))
	readFrame(t, br, frameSettings)
	nc.Write(frame(frameSettings, 0, 0, nil))
	readFrame(t, br, frameHeaders)
	return br
}

// readFrame reads until a frame of that kind has come.
func readFrame(t *testing.T, br *bufio.Reader, kind byte) {
	for {
		var head [9]byte
		if _, err := io.ReadFull(br, head[:]); err != nil {
			t.Error(err)
			return
		}
		io.CopyN(io.Discard, br, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
		if head[3] == kind && head[4]&flagAck == 0 || kind == frameHeaders && head[3] == kind {
			return
		}
	}
}

// finish ends what nc says, and hears the other side out: closing with something unread would be a reset.
func finish(nc net.Conn) error {
	if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, nc)
	return err
}

func TestClassesOfHTTP2(t *testing.T) {
	status200 := []byte{0x88}
	goAway := func(last byte) []byte { return frame(frameGoAway, 0, 0, []byte{0, 0, 0, last, 0, 0, 0, 0}) }
	for _, test := range []struct {
		name string
		say  [][]byte
		end  func(net.Conn) error
		want Class
	}{
		{"answer", [][]byte{frame(frameHeaders, flagEndHeaders, 1, status200), frame(frameData, flagEndStream, 1, []byte("ok"))}, nil, Answered},
		{"answer and GOAWAY", [][]byte{goAway(1), frame(frameHeaders, flagEndHeaders|flagEndStream, 1, status200)}, nil, Answered},
		{"above GOAWAY", [][]byte{goAway(0)}, nil, RefusedStream},
		{"refused", [][]byte{frame(frameReset, 0, 1, []byte{0, 0, 0, refusedStream})}, nil, RefusedStream},
		{"stream reset", [][]byte{frame(frameReset, 0, 1, []byte{0, 0, 0, 2})}, nil, Reset},
		{"body reset", [][]byte{frame(frameHeaders, flagEndHeaders, 1, status200), frame(frameReset, 0, 1, []byte{0, 0, 0, 2})}, nil, CutBody},
		{"closed", nil, finish, ClosedWithoutAnswer},
		{"closed after GOAWAY", [][]byte{goAway(1)}, finish, ClosedWithoutAnswer},
		{"closed in the body", [][]byte{frame(frameHeaders, flagEndHeaders, 1, status200)}, finish, CutBody},
		{"connection reset", nil, func(nc net.Conn) error { reset(nc); return nil }, Reset},
		{"silence", nil, nil, Timeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr, accepted := server(t, func(nc net.Conn) {
				hello2(t, nc)
				for _, b := range test.say {
					nc.Write(b)
				}
				if test.end != nil {
					test.end(nc)
				}
			})
			c := NewClient(Target{Addr: addr, Mode: HTTP2, Timeout: timeout(test.want)})
			defer c.Close()
			if r := c.Exchange(t.Context()); r.Class != test.want {
				t.Errorf("%v (%v), want %v", r.Class, r.Err, test.want)
			}
			if n := accepted.Load(); n > 1 {
				t.Errorf("%d connections: it retried", n)
			}
		})
	}
}

func TestLoadCounts(t *testing.T) {
	var served atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) == 100 {
			panic(http.ErrAbortHandler)
		}
	}))
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var observed atomic.Int64
	counts := Load{
		Target:  Target{Addr: srv.Listener.Addr().String(), Mode: KeepAliveGET},
		Clients: 4,
		Observe: func(int, Result) {
			if observed.Add(1) == 200 {
				cancel()
			}
		},
	}.Run(ctx)
	if counts[ClosedWithoutAnswer] != 1 || counts.Dropped() != 1 || counts[Answered] < 199 {
		t.Errorf("counted %v, %d dropped", counts, counts.Dropped())
	}
}

func TestCountsInWords(t *testing.T) {
	counts := Counts{Answered: 3, Reset: 1}
	counts.Add(Counts{Answered: 2, CutBody: 1})
	if got := counts.String(); got != "answered 5, reset 1, cut body 1" {
		t.Errorf("%q", got)
	}
	if got := (Counts{}).String(); got != "no exchanges" {
		t.Errorf("%q", got)
	}
}

// An exchange that the end of its context cuts returns, whatever the reader of the connection sees first.
func TestCutReturns(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			if _, err := ln.Accept(); err != nil { // it never answers
				return
			}
		}
	}()
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		c := NewClient(Target{Addr: ln.Addr().String(), Timeout: time.Hour, Cut: true, OnSent: cancel})
		if r := c.Exchange(ctx); r.Class == Answered || r.Err == nil {
			t.Fatalf("%+v", r)
		}
		c.Close()
	}
}
