package serve_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// pipeListener is a listener without a kernel, for bubbles in which time is virtual.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) dial(t *testing.T) *peer {
	client, server := net.Pipe()
	l.conns <- server
	return newPeer(t, client)
}

// bubble runs test in a bubble with a server that runs there; stop begins its soft stop, and the channel says how long
// that took.
func bubble(t *testing.T, grace time.Duration, test func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration)) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		group := &lastcall.Group{Grace: grace}
		var protocols http.Protocols
		protocols.SetHTTP1(true)
		protocols.SetUnencryptedHTTP2(true)
		group.Add("web", serve.HTTP(&http.Server{Handler: http.HandlerFunc(hello), Protocols: &protocols}, ln))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan time.Time, 1)
		go func() {
			if err := group.Run(ctx); err != nil && grace == hour { // else the hard stop may come
				t.Error(err)
			}
			ended <- time.Now()
		}()
		synctest.Wait()
		test(t, ln, func() <-chan time.Duration {
			began, took := time.Now(), make(chan time.Duration, 1)
			cancel()
			go func() { took <- (<-ended).Sub(began) }()
			return took
		})
	})
}

// once sends a request over the connection and reads the answer.
func (p *peer) once() *http.Response {
	p.t.Helper()
	go io.WriteString(p, get)
	resp, _ := p.answer()
	return resp
}

// want compares times, allowing for the grain of the sweeps.
func want(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+serve.DefaultLinger/8 {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestStopWithoutConnectionsTakesNoTime(t *testing.T) {
	bubble(t, hour, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		if took := <-stop(); took != 0 {
			t.Errorf("the stop took %v", took)
		}
	})
}

func TestQuietConnectionIsClosedAtOnce(t *testing.T) {
	bubble(t, hour, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		fresh := ln.dial(t)
		time.Sleep(9 * serve.DefaultLinger)
		served := ln.dial(t)
		if served.once().Close {
			t.Error("told to close before the stop")
		}
		time.Sleep(serve.DefaultLinger)
		took := stop()
		served.ends()
		fresh.ends()
		want(t, "the stop took", <-took, 0)
	})
}

func TestConnectionGetsItsQuietTime(t *testing.T) {
	bubble(t, hour, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		served := ln.dial(t)
		served.once()
		time.Sleep(100 * time.Millisecond)
		took := stop()
		served.ends()
		want(t, "the stop took", <-took, serve.DefaultLinger-100*time.Millisecond)
	})
}

// A connection is made to send a request; the first gets more time.
func TestNewConnectionGetsMoreTime(t *testing.T) {
	bubble(t, hour, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		fresh := ln.dial(t)
		time.Sleep(100 * time.Millisecond)
		took := stop()
		fresh.ends()
		want(t, "the stop took", <-took, 10*serve.DefaultLinger-100*time.Millisecond)
	})
}

func TestRequestInTheQuietTimeIsAnsweredAndTheLast(t *testing.T) {
	bubble(t, hour, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		served, fresh := ln.dial(t), ln.dial(t)
		served.once()
		took := stop()
		time.Sleep(200 * time.Millisecond)
		for _, p := range []*peer{served, fresh} {
			if !p.once().Close {
				t.Error("not told to close")
			}
			p.ends()
		}
		want(t, "the stop took", <-took, 200*time.Millisecond)
	})
}

// HTTP/2 connections get GOAWAY when they have been quiet for the same time.
func TestQuietTimeOfHTTP2(t *testing.T) {
	for _, quiet := range []time.Duration{100 * time.Millisecond, serve.DefaultLinger} {
		bubble(t, hour, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
			p := ln.dial(t)
			go p.send(preface2 + get2)
			p.frames(headers2, data2)
			time.Sleep(quiet)
			took := stop()
			p.frames(goAway2)
			p.Close()
			want(t, "the stop took", <-took, serve.DefaultLinger-quiet)
		})
	}
}

// A partial request that stays silent is not waited for until the end of the grace period. Its silence counts from the stop on.
func TestSilentPartOfARequestIsGivenUp(t *testing.T) {
	for _, before := range []time.Duration{0, 4 * time.Second, time.Minute} {
		bubble(t, hour, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
			p := ln.dial(t)
			p.send("GET / HT")
			time.Sleep(before)
			want(t, "the stop took", <-stop(), 5*time.Second)
		})
	}
}

// At the hard stop a connection without a request is closed at once; one that may still bring an answer has 50 ms.
func TestHardStopClosesWhatHasNoRequestAtOnce(t *testing.T) {
	const grace = 400 * time.Millisecond
	bubble(t, grace, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		p := ln.dial(t)
		p.send("GET / HT")
		closedAfter(t, "a part of a request", <-stop(), grace)
	})
	bubble(t, grace, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		p := ln.dial(t)
		go p.send(preface2 + get2)
		p.frames(headers2, data2)
		took := stop()
		p.frames(goAway2)
		closedAfter(t, "HTTP/2 after GOAWAY", <-took, grace+50*time.Millisecond)
	})
}

func closedAfter(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+10*time.Millisecond {
		t.Errorf("with %s the stop took %v, want %v", what, got, want)
	}
}

// Where accepting fails without a stop, requests in flight have five seconds: nothing else would cut them.
func TestRequestsAreBoundedAfterAFailureToAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		var group lastcall.Group
		cut := make(chan time.Time, 1)
		group.Add("web", serve.HTTP(&http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			cut <- time.Now()
		})}, ln))
		ended := make(chan error, 1)
		go func() { ended <- group.Run(t.Context()) }()
		p := ln.dial(t)
		p.send(get)
		synctest.Wait()
		began := time.Now()
		ln.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want %v", err, net.ErrClosed)
		}
		want(t, "the request was cut after", (<-cut).Sub(began), 5*time.Second)
	})
}

func TestQuietTimeLeavesHalfOfTheGracePeriod(t *testing.T) {
	bubble(t, 400*time.Millisecond, func(t *testing.T, ln *pipeListener, stop func() <-chan time.Duration) {
		ln.dial(t)
		want(t, "the stop took", <-stop(), 200*time.Millisecond)
	})
}
