package rawhttp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Mode is how requests are sent.
type Mode uint8

const (
	// NewConn: GET, each on a connection of its own (HTTP/1.1).
	NewConn Mode = iota
	// KeepAliveGET: GET after GET on one connection (HTTP/1.1).
	KeepAliveGET
	// KeepAlivePOST: POST after POST with a body on one connection (HTTP/1.1).
	KeepAlivePOST
	// HTTP2: GET after GET on one connection, over TLS or, without, by prior knowledge.
	HTTP2
)

// Modes is all of them.
var Modes = []Mode{NewConn, KeepAliveGET, KeepAlivePOST, HTTP2}

var modeNames = []string{"new connections", "keep-alive GET", "keep-alive POST", "HTTP/2"}

// String is the mode in words.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// A Target is where requests go, and what they are.
type Target struct {
	Addr    string        // host:port, or the path of a Unix socket, see Network. A host is an IP address: a name may resolve to several
	TLS     *tls.Config   // nil: without TLS
	Mode    Mode          //
	Host    string        // the Host header; "" is Addr
	Path    string        // "" is "/"
	Body    []byte        // of a POST; nil is a short one
	Timeout time.Duration // of each exchange, and of its connecting; 0 is ten seconds
	Cut     bool          // the end of the context cuts a request that is on its way as well, which is then Broken
	OnSent  func()        // is called when a request has been written; nil: nothing is
	OnHead  func(int)     // is called with the status when an answer's head has come, before its body; nil: nothing is
}

// Result is how one exchange ended.
type Result struct {
	Class  Class
	Status int           // of the answer, if one began
	Err    error         // what ended it, unless Answered
	Reused bool          // it was not the first on its connection
	From   uint16        // the client's port; 0 if there was no connection
	Began  time.Time     //
	Sent   time.Duration // from Began until the request had been written; 0 if it was not
	Took   time.Duration // from Began to the end
}

// A Client does one exchange after the other, on one connection where the mode says so. It is for one goroutine.
type Client struct {
	t    Target
	tcp  net.Conn // that Connect has made and nothing has been sent on; nil if none
	from uint16   // the port of the last connection
	conn conn
}

// conn is a connection that speaks one protocol.
type conn interface {
	// exchange sends the request and waits for its answer.
	exchange(t *Target, began, deadline time.Time) Result
	// usable reports whether, as far as can be seen, another request can be sent.
	usable() bool
	close()
}

// NewClient makes a client. It connects when there is something to send.
func NewClient(t Target) *Client {
	t.Host = cmp.Or(t.Host, t.Addr)
	t.Path = cmp.Or(t.Path, "/")
	t.Timeout = cmp.Or(t.Timeout, 10*time.Second)
	if t.Body == nil {
		t.Body = []byte("last call\n")
	}
	return &Client{t: t}
}

// Exchange sends one request and waits for its answer. The end of ctx gives up connecting ([NoConnect]); a request
// that is on its way is waited for, unless the target says Cut.
func (c *Client) Exchange(ctx context.Context) Result {
	began := time.Now()
	deadline := began.Add(c.t.Timeout)
	if c.conn != nil && !c.conn.usable() {
		c.Close()
	}
	var r Result
	reused := c.conn != nil
	if !reused {
		if c.tcp == nil {
			r = c.dial(ctx, deadline)
		}
		if c.tcp != nil {
			r = c.open(ctx, deadline)
		}
	}
	if c.conn != nil {
		if c.t.Cut {
			defer context.AfterFunc(ctx, c.conn.close)()
		}
		r = c.conn.exchange(&c.t, began, deadline)
		r.Reused = reused
	}
	// After an answer that says it is the last, the server waits for the client to close (RFC 9112, 9.6).
	if c.conn != nil && (r.Class != Answered || c.t.Mode == NewConn || !c.conn.usable()) {
		c.Close()
	}
	r.From, r.Began, r.Took = c.from, began, time.Since(began)
	return r
}

// Connect connects without sending anything, as a client does whose request comes later: also over TLS, where sending begins with
// the handshake.
func (c *Client) Connect(ctx context.Context) Result {
	began := time.Now()
	r := c.dial(ctx, began.Add(c.t.Timeout))
	r.From, r.Began, r.Took = c.from, began, time.Since(began)
	return r
}

// Close closes the client's connection, if it has one.
func (c *Client) Close() {
	if c.tcp != nil {
		c.tcp.Close()
		c.tcp = nil
	}
	if c.conn != nil {
		c.conn.close()
		c.conn = nil
	}
}

// dial makes the TCP connection.
func (c *Client) dial(ctx context.Context, deadline time.Time) Result {
	c.from = 0
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	dialer := net.Dialer{KeepAlive: -1}
	nc, err := dialer.DialContext(ctx, Network(c.t.Addr), c.t.Addr)
	switch {
	case err == nil:
		c.tcp, c.from = nc, PortOf(nc)
		return Result{}
	case errors.Is(err, syscall.ECONNREFUSED):
		return Result{Class: Refused, Err: err}
	case isReset(err):
		return Result{Class: ResetInConnect, Err: err}
	case ctx.Err() != nil || errors.Is(err, syscall.ETIMEDOUT):
		return Result{Class: NoConnect, Err: err}
	default:
		return Result{Class: Broken, Err: err}
	}
}

// open makes the connection that was dialled one that speaks the protocol.
func (c *Client) open(ctx context.Context, deadline time.Time) Result {
	tcp := c.tcp
	c.tcp = nil
	nc := tcp
	if c.t.TLS != nil {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		config := c.t.TLS.Clone()
		config.NextProtos = []string{"http/1.1"}
		if c.t.Mode == HTTP2 {
			config.NextProtos = []string{"h2"}
		}
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(c.t.Addr)
		}
		secure := tls.Client(nc, config)
		nc.SetDeadline(deadline)
		shake := context.WithoutCancel(ctx)
		if c.t.Cut {
			shake = ctx
		}
		if err := secure.HandshakeContext(shake); err != nil {
			nc.Close()
			return Result{Class: ClassOf(err, Broken), Err: err}
		}
		if got := secure.ConnectionState().NegotiatedProtocol; c.t.Mode == HTTP2 && got != "h2" {
			nc.Close()
			return Result{Class: Broken, Err: fmt.Errorf("the server speaks %q, not HTTP/2", got)}
		}
		nc = secure
	}
	if c.t.Mode == HTTP2 {
		c.conn = newConn2(nc, c.t.OnHead)
	} else {
		c.conn = newConn1(nc, tcp, c.t.OnHead)
	}
	return Result{}
}

// Network is that of an address: unix for an absolute path or an abstract name (@…), tcp for all others.
func Network(addr string) string {
	if strings.HasPrefix(addr, "/") || strings.HasPrefix(addr, "@") {
		return "unix"
	}
	return "tcp"
}

// PortOf is the port of our end of a connection, 0 if it has none.
func PortOf(c net.Conn) uint16 {
	addr, ok := c.LocalAddr().(*net.TCPAddr)
	if !ok {
		return 0
	}
	return addr.AddrPort().Port()
}

// ClassOf says what an error before the answer means; other is for errors that are none of the network's.
func ClassOf(err error, other Class) Class {
	switch {
	case isReset(err):
		return Reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ClosedWithoutAnswer
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	}
	return other
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED)
}
