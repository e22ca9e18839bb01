// Package serve runs HTTP servers as workers that drop nothing when they stop.
//
// Create the server as usual, and add it to a group:
//
//	srv := &http.Server{Addr: ":8080", Handler: mux}
//	group.Add("web", serve.HTTP(srv, nil))
//
// It is ready when it accepts connections. With certificates in srv.TLSConfig, or with [TLS], it speaks TLS and HTTP/2.
// [Inherited] returns a socket that a supervisor holds; [Readiness] is the handler for a load balancer's probe.
//
// # What happens at the stop
//
// Requests run under the grace context: r.Context() survives the soft stop, ends when the client goes away, and ends
// with the cause of the hard stop at the hard stop. Each counts as work in flight.
//
// From the lame duck on, the last response of a connection carries "Connection: close" (HTTP/2: GOAWAY), so that
// clients move to another server. A response is the last if no further request has arrived behind the one that it
// answers. A client that pipelines its requests gets an answer to each that had arrived when the first answer after the
// signal was due; later requests may find the connection closed, and the last answer has told the client so. A handler
// that leaves the body of a request unread hides the requests behind it. Nothing is dropped in that case either, but
// the connection may be closed without "Connection: close", after a quiet time. (On Windows, and over a listener whose
// connections are not sockets, a request that arrives in the millisecond before its predecessor is answered may count
// as later.)
//
// At the soft stop no new connection is taken. On Linux the kernel is told to refuse connections that begin from now
// on; those that have begun are accepted until the queue is empty, and only then the listener is closed, since closing
// it resets whatever is in the queue. A socket that another process holds is closed at once: its queue outlives this
// process.
//
// Every request whose bytes have arrived is answered. An idle connection is kept until it has been quiet for half a
// second ([Linger]), counted from its last response even if that was before the stop: a client that is about to send
// gets its answer and is told to move on, and a connection that has long been quiet is closed at once. A new connection
// gets ten times as long for its first request. HTTP/1 has no safe way to close an idle connection: a request that is
// on the wire while the server closes is lost. The quiet time makes that improbable, and the server looks at the socket
// a last time directly before it closes it. HTTP/2 has GOAWAY, which tells the client which of its requests to repeat.
//
// The worker returns when the last connection has ended: with HTTP/1 after the last response; with HTTP/2 when the
// client closes after GOAWAY, or a second later when it does not.
//
// # Hijacked connections
//
// A hijacked connection (a WebSocket) belongs to its handler, and the stop waits for it. The handler learns of the stop
// from [lastcall.LameDuck](r.Context()), or [TellHijacked] calls a function for each connection. Connections that are
// still open at the hard stop are closed.
//
// # Handlers that do not return
//
// At the hard stop the contexts of requests end, and 50 ms later all connections are closed. A handler that returns in
// between may still answer. If it has written nothing, its client gets 503 Service Unavailable. If it began its answer
// before the hard stop, wrote nothing after it, and had set no Content-Length, the answer is broken off (HTTP/1: the
// connection is closed inside the body; HTTP/2: RST_STREAM), so that no client takes a part for the whole. A handler
// that returns later leaves its client without an answer: the connection has been closed.
//
// The worker returns when the last handler has returned. Until then its status names the requests, such as
// "GET /report from 192.0.2.7:4711 running 31s", so that the report of an abandoned worker says for which request.
package serve
