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

// Held says that someone else holds the listening socket too: a supervisor, a successor, anyone with a copy of its file
// descriptor. Such a socket outlives this server, with the connections that wait in it, so the server only stops
// accepting and closes its own copy. What [Inherited] returns is known to be held. At its own end `lastcall up` lets go of
// what it holds, and this server is the last: then the socket is emptied and closed as if nobody had held it.
//
// Without it, on Linux, the socket refuses new connections from the soft stop on, also for whoever else holds it.
func Held() Option {
	return func(o *options) { o.held = true }
}

// Linger is how long a connection without a request under way must have been quiet before the stopping server closes
// it, instead of [DefaultLinger]; ten times as long before its first request, and never more than half of the grace
// period. The longer, the smaller the chance that it is closed while a request is on its way, and the longer a stop may
// take that has such connections. With d ≤ 0 they are closed at once.
func Linger(d time.Duration) Option {
	return func(o *options) { o.linger = max(d, 0) }
}

// TellHijacked calls fn for each hijacked connection at the soft stop, and for each that is hijacked after it, on a
// goroutine of its own, so that it can say goodbye (a WebSocket's close frame) and close it. The connection is the one
// that Hijack returned.
func TellHijacked(fn func(net.Conn)) Option {
	return func(o *options) { o.tell = fn }
}
