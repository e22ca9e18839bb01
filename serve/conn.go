package serve

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A phase is what a connection is doing, as far as closing it is concerned.
type phase int32

const (
	// phaseActive: a request is being served, or the connection is no longer HTTP/1. Only the end of its requests,
	// GOAWAY, or the handler that hijacked it end it.
	phaseActive phase = iota
	// phaseFresh: accepted, and no request has begun to arrive.
	phaseFresh
	// phaseIdle: between two requests; nothing of the next has arrived.
	phaseIdle
	// phasePartial: a part of a request has arrived.
	phasePartial
	// phaseAsked: it was fresh or idle for long enough; its reader takes a last look and ends it.
	phaseAsked
)

// A conn is a connection from its accept to the end of its last handler. It lies beneath TLS.
type conn struct {
	run   *run
	inner net.Conn // as accepted

	stage atomic.Int64 // a stageOf
	http2 atomic.Bool
	arrivals

	mu       sync.Mutex
	outer    net.Conn  // as net/http knows it: TLS or our wrapper
	requests *exchange // under way
	hijacked bool
	told     bool // the user was told that it must end
	closed   bool // net/http, or the handler that hijacked it, has closed it
}

// phaseBits is how many bits of a conn's stage the phase has.
const phaseBits = 3

// stageOf is a phase and, in the run's time, when the connection entered it, or when the last byte of a partial request
// came. Both are in one word, since each write of a shared word is a part of what a request costs.
func stageOf(p phase, since time.Duration) int64 { return int64(since)<<phaseBits | int64(p) }

func phaseOf(stage int64) phase         { return phase(stage & (1<<phaseBits - 1)) }
func sinceOf(stage int64) time.Duration { return time.Duration(stage >> phaseBits) }

func (c *conn) enter(p phase) { c.stage.Store(stageOf(p, c.run.now())) }

func (c *conn) is(p phase) bool { return phaseOf(c.stage.Load()) == p }

// since is when the connection entered its phase.
func (c *conn) since() time.Duration { return sinceOf(c.stage.Load()) }

// read is inner.Read. It also notes what has arrived while no request is under way.
func (c *conn) read(p []byte) (int, error) {
	// Before the blocking read, since net/http may just have overwritten the deadline by which ask wakes us.
	if c.is(phaseAsked) {
		return c.lastLook(p)
	}
	mark := c.noteReading(c.is(phaseActive))
	n, err := c.inner.Read(p)
	c.noteRead(n, err, mark)
	if c.is(phaseActive) {
		return n, err
	}
	if n == 0 {
		if c.is(phaseAsked) && errors.Is(err, os.ErrDeadlineExceeded) {
			return c.lastLook(p)
		}
		return n, err
	}
	c.arrived()
	return n, err
}

// arrived notes that bytes came. It reads the clock only if the time will be needed, since that is a good part of what
// the bookkeeping costs a request.
func (c *conn) arrived() {
	at := time.Duration(-1)
	if c.run.tls || c.run.stopping.Load() {
		at = c.run.now()
	}
	for {
		before := c.stage.Load()
		since := max(at, sinceOf(before))
		next := phasePartial
		switch phaseOf(before) {
		case phaseActive:
			return
		case phasePartial:
			if at < 0 {
				return
			}
		case phaseAsked:
			c.mu.Lock() // ask has set its deadline by now
			c.inner.SetReadDeadline(time.Time{})
			c.stage.Store(stageOf(phasePartial, since))
			c.mu.Unlock()
			return
		case phaseFresh:
			if c.run.tls {
				next = phaseFresh // the handshake: no request yet
			}
		}
		if c.stage.CompareAndSwap(before, stageOf(next, since)) {
			return
		}
	}
}

// ask makes the reader of a fresh or idle connection take a last look and end it. Only the reader can do that without
// losing what arrives meanwhile.
func (c *conn) ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		before := c.stage.Load()
		if p := phaseOf(before); p != phaseIdle && p != phaseFresh {
			return
		}
		if c.stage.CompareAndSwap(before, stageOf(phaseAsked, sinceOf(before))) {
			c.inner.SetReadDeadline(time.Unix(1, 0))
			return
		}
	}
}

// lastLook reads what has arrived without waiting. If nothing has, the connection ends: to net/http it looks as if
// the client had closed it. Without TLS the write side is closed here, since each microsecond counts.
func (c *conn) lastLook(p []byte) (int, error) {
	c.mu.Lock() // ask has set its deadline by now
	c.inner.SetReadDeadline(time.Time{})
	c.mu.Unlock()
	n, err := readNow(c.inner, p)
	if n > 0 {
		c.pass(n)
		c.enter(phasePartial)
		return n, nil
	}
	if err == nil && !c.run.tls {
		c.closeWrite()
	}
	return 0, io.EOF
}

func (c *conn) closeWrite() error {
	if cw, ok := c.inner.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}

// close is what net/http or a hijacker calls.
func (c *conn) close() error {
	if c.run.leaving() {
		c.halfClose()
	}
	err := c.inner.Close()
	c.mu.Lock()
	hijacked := c.hijacked
	c.mu.Unlock()
	if hijacked {
		c.over()
	}
	return err
}

// halfCloseLimit is how long a half-closed connection waits for its client to close.
const halfCloseLimit = 250 * time.Millisecond

// halfClose protects the last response: closing a socket with unread bytes in it (from a client that sent its next
// request before it saw "Connection: close") makes the kernel send a reset, which discards what the client has not read
// yet. So the write side is closed first, and the rest when the client has closed too.
func (c *conn) halfClose() {
	var scrap [512]byte
	if n, _ := readNow(c.inner, scrap[:]); n == 0 {
		return
	}
	c.closeWrite()
	c.inner.SetReadDeadline(time.Now().Add(halfCloseLimit))
	for {
		if _, err := c.inner.Read(scrap[:]); err != nil {
			return
		}
	}
}

// becomesHTTP2 is called when HTTP/2 was agreed on.
func (c *conn) becomesHTTP2() {
	c.http2.Store(true)
	c.activate()
}

// activate enters phaseActive.
func (c *conn) activate() {
	if phaseOf(c.stage.Swap(stageOf(phaseActive, c.run.now()))) == phaseAsked {
		c.mu.Lock() // ask has set its deadline by now
		c.inner.SetReadDeadline(time.Time{})
		c.mu.Unlock()
	}
}

// answering reports whether the connection may still carry an answer.
func (c *conn) answering() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.is(phaseActive) && !c.hijacked
}

// end closes the connection, whatever uses it.
func (c *conn) end() {
	c.inner.Close()
	c.mu.Lock()
	hijacked := c.hijacked
	c.mu.Unlock()
	if hijacked {
		c.over()
	}
}

// over notes that the connection is closed for good. The run forgets it when its last handler returns.
func (c *conn) over() {
	c.mu.Lock()
	if c.hijacked && !c.closed {
		c.run.hijacked.Add(-1)
	}
	c.closed = true
	last := c.requests == nil
	c.mu.Unlock()
	if last {
		c.run.forget(c)
	}
}

// connState follows the states that net/http reports.
func (r *run) connState(nc net.Conn, state http.ConnState) {
	if r.user.ConnState != nil {
		r.user.ConnState(nc, state)
	}
	c := connOf(nc)
	switch state {
	case http.StateNew:
		c.mu.Lock()
		c.outer = nc
		c.mu.Unlock()
	case http.StateActive:
		c.tail.Store(false)
		c.activate()
	case http.StateIdle:
		switch {
		case c.http2.Load():
			c.enter(phaseActive)
		case c.followed.Load():
			c.followed.Store(false)
			c.enter(phasePartial)
		default:
			c.enter(phaseIdle)
		}
		if r.stopping.Load() {
			r.wake()
		}
	case http.StateHijacked:
		c.activate()
		c.mu.Lock()
		c.hijacked = true
		c.mu.Unlock()
		r.hijacked.Add(1)
		if r.stopping.Load() {
			r.tell(c)
		}
	case http.StateClosed:
		c.over()
	}
}

// connOf returns the conn inside a connection that net/http may have wrapped.
func connOf(nc net.Conn) *conn {
	for {
		switch v := nc.(type) {
		case *tcpConn:
			return v.conn
		case *anyConn:
			return v.conn
		case *tls.Conn:
			nc = v.NetConn()
		case interface{ UnencryptedNetConn() net.Conn }: // how net/http hands on HTTP/2 without TLS
			nc = v.UnencryptedNetConn()
		}
	}
}

// wrap returns c as a net.Conn. A TCP connection keeps its methods, with which net/http sends files and half-closes.
func (c *conn) wrap() net.Conn {
	if tcp, ok := c.inner.(*net.TCPConn); ok {
		return &tcpConn{TCPConn: tcp, conn: c}
	}
	return &anyConn{Conn: c.inner, conn: c}
}

type tcpConn struct {
	*net.TCPConn
	conn *conn
}

func (w *tcpConn) Read(p []byte) (int, error)        { return w.conn.read(p) }
func (w *tcpConn) SetReadDeadline(t time.Time) error { return w.conn.setReadDeadline(t) }
func (w *tcpConn) Close() error                      { return w.conn.close() }
func (w *tcpConn) NetConn() net.Conn                 { return w.TCPConn }

type anyConn struct {
	net.Conn
	conn *conn
}

func (w *anyConn) Read(p []byte) (int, error)        { return w.conn.read(p) }
func (w *anyConn) SetReadDeadline(t time.Time) error { return w.conn.setReadDeadline(t) }
func (w *anyConn) Close() error                      { return w.conn.close() }
func (w *anyConn) CloseWrite() error                 { return w.conn.closeWrite() }
func (w *anyConn) NetConn() net.Conn                 { return w.Conn }
