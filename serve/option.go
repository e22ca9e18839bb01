package serve

import (
	"net"
	"time"
)

// DefaultLinger is how long a connection must have been quiet before a stopping server closes it, see [Linger].
const DefaultLinger = 500 * time.Millisecond

// An Option says how [HTTP] serves.
type Option func(*options)

type options struct {
	certFile, keyFile string
	held              bool
	linger            time.Duration
	tell              func(net.Conn)
}

// TLS serves TLS, and HTTP/2, with the certificate and key from these PEM files. They are read at each start.
// A server whose TLSConfig has certificates serves TLS without this option.
func TLS(certFile, keyFile string) Option {
	return func(o *options) { o.certFile, o.keyFile = certFile, keyFile }
}

// Held says that another process holds the listening socket too: a supervisor, a successor, any process with a copy of
// its file descriptor. Such a socket outlives this server, with the connections that wait in it, so the server only
// stops accepting and closes its own copy. A listener from [Inherited] is known to be held. When `lastcall up` itself
// ends, it releases the sockets that it holds: then this server is the last, and empties and closes the socket as if it
// were its own.
//
// Without Held, on Linux, the socket refuses new connections from the soft stop on, for its other holders as well.
func Held() Option {
	return func(o *options) { o.held = true }
}

// Linger sets how long an idle connection must have been quiet before the stopping server closes it, instead of
// [DefaultLinger]; ten times as long before its first request, and never more than half of the grace period. A longer
// time makes it less likely that a connection is closed while a request is on its way, and lets the stop take longer.
// With d ≤ 0 idle connections are closed at once.
func Linger(d time.Duration) Option {
	return func(o *options) { o.linger = max(d, 0) }
}

// TellHijacked calls fn for each hijacked connection at the soft stop, and for each that is hijacked after it, on a
// goroutine of its own, so that fn can end it properly (with a WebSocket's close frame) and close it. The connection is
// the one that Hijack returned.
func TellHijacked(fn func(net.Conn)) Option {
	return func(o *options) { o.tell = fn }
}
