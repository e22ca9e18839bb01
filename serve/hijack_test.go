package serve_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// hijackServer hands each connection over to take, and says so on the channel.
func hijackServer(t *testing.T, hijacked chan<- net.Conn, secure bool) *http.Server {
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
		rw.Flush()
		hijacked <- nc
	})}
	if secure {
		srv.TLSConfig = serverTLS(t)
	}
	return srv
}

func upgrade(t *testing.T, addr string, secure bool) *peer {
	p := dial(t, addr)
	if secure {
		p.Conn = tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true})
		p.r.Reset(p.Conn)
	}
	p.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
	if resp, _ := p.answer(); resp.StatusCode != 101 {
		t.Fatalf("got %v", resp.Status)
	}
	return p
}

// A hijacked connection whose handler has returned is told of the stop, and the worker waits until it is closed.
func TestHijackedConnectionIsToldAndWaitedFor(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			ln := listen(t)
			hijacked, told := make(chan net.Conn, 1), make(chan net.Conn, 1)
			web := serve.HTTP(hijackServer(t, hijacked, secure), ln, serve.TellHijacked(func(nc net.Conn) { told <- nc }))
			s := run(t, patient(), web, "")
			p := upgrade(t, ln.Addr().String(), secure)
			nc := <-hijacked
			if n := web.Hijacked(); n != 1 {
				t.Errorf("%d hijacked, want 1", n)
			}
			another := upgrade(t, ln.Addr().String(), secure)
			(<-hijacked).Close()
			if _, err := io.ReadAll(another.r); err != nil {
				t.Error(err)
			}
			if n := web.Hijacked(); n != 1 {
				t.Errorf("%d hijacked after one of two was closed, want 1", n)
			}
			s.end()
			if got := <-told; got != nc {
				t.Errorf("told of the connection to %v, not of the one that Hijack returned", got.RemoteAddr())
			}
			select {
			case err := <-s.done:
				t.Fatalf("the worker returned (%v) before the hijacked connection was closed", err)
			default:
			}
			p.send("still there")
			if got := make([]byte, 11); true {
				if _, err := io.ReadFull(nc, got); err != nil || string(got) != "still there" {
					t.Errorf("got %q, %v", got, err)
				}
			}
			nc.Close()
			if err := s.await(t); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHijackedConnectionIsClosedAtTheHardStop(t *testing.T) {
	ln := listen(t)
	hijacked := make(chan net.Conn, 1)
	group := &lastcall.Group{Grace: 50 * time.Millisecond, HardStop: limit}
	s := run(t, group, serve.HTTP(hijackServer(t, hijacked, false), ln), "")
	p := upgrade(t, ln.Addr().String(), false)
	nc := <-hijacked
	s.end()
	p.ends()
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading from it: %v, want closed", err)
	}
	err := s.await(t)
	if !errors.Is(err, lastcall.ErrInterrupted) || !strings.Contains(err.Error(), "1 hijacked connection") {
		t.Errorf("got %v, want the hijacked connection as cut", err)
	}
}

// A handler that stays with its hijacked connection sees the stop itself, and what is under the wrapper.
func TestHijackingHandlerSeesTheStop(t *testing.T) {
	ln := listen(t)
	entered := make(chan struct{})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		if under, ok := nc.(interface{ NetConn() net.Conn }); !ok {
			t.Error("no NetConn")
		} else if _, ok := under.NetConn().(*net.TCPConn); !ok {
			t.Errorf("NetConn is a %T", under.NetConn())
		}
		close(entered)
		<-lastcall.LameDuck(r.Context())
		io.WriteString(nc, "goodbye")
	})}
	s := run(t, patient(), serve.HTTP(srv, ln), "")
	p := dial(t, ln.Addr().String())
	p.send(get)
	await(t, entered, "the handler")
	s.end()
	if got, err := io.ReadAll(p.r); string(got) != "goodbye" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := s.await(t); err != nil {
		t.Error(err)
	}
}
