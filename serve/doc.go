// Package serve runs HTTP servers as workers that drop nothing when they stop.
//
// Make the server as ever, and add it to a group:
//
//	srv := &http.Server{Addr: ":8080", Handler: mux}
//	group.Add("web", serve.HTTP(srv, nil))
//
// It is ready when it accepts. With certificates in srv.TLSConfig, or with [TLS], it speaks TLS and HTTP/2. A socket
// that a supervisor holds comes from [Inherited]; [Readiness] answers a load balancer's question.
//
// # What happens at the stop
//
// Requests run under the grace context: r.Context() survives the soft stop, ends when the client goes away, and ends
// with the cause of the hard stop at the hard stop. Each counts as work in flight.
//
// From the lame duck on, the last response of a connection carries "Connection: close" (HTTP/2: GOAWAY), so that clients
// move on. It is the last if no further request has arrived behind the one that it answers. A client that pipelines
// its requests gets an answer to each that had arrived when the first answer after the signal was due; those that arrive
// later may find the connection closed, and the client knows it from the last answer. A handler that leaves the body of a
// request unread hides what is behind it. Then nothing is dropped either, but the connection may end without
// "Connection: close", when it has been quiet. (On Windows, and over a listener whose connections are no sockets, a
// request that arrives in the millisecond before its predecessor is answered may count as later.)
//
// At the soft stop no new connection is taken. On Linux the kernel is told to refuse those that begin from now on; what
// has begun is accepted, until the queue is empty, and then the listener is closed, which would reset what is still in it.
// A socket that someone else holds is let go of at once, since its queue outlives this process.
//
// Every request whose bytes have arrived is answered. A connection on which nothing is under way is kept until it has
// been quiet for half a second ([Linger]), counted from its last response, also before the stop: a client that is about to
// send gets its answer and is told to move on, and one that has long been quiet is let go of at once. A new connection
// gets ten times as long for its first request. HTTP/1 gives a server no way to close an idle connection that is safe
// whatever the client does: a request that is on the wire while the server closes meets a closed door. The quiet time
// makes that improbable, and the last look at the socket is taken in the same breath as the closing. HTTP/2 has GOAWAY,
// which tells the client which of its requests to repeat.
//
// The worker returns when the last connection has ended: with HTTP/1 that is the last response; with HTTP/2 the client
// closes after GOAWAY, and one that does not is closed a second later.
//
// # Connections that handlers took over
//
// A hijacked connection (a WebSocket) is the handler's. The stop waits for it: the handler sees the beginning of the stop in
// [lastcall.LameDuck](r.Context()), or [TellHijacked] is told of each; what is still open at the hard stop is closed.
//
// # A handler that does not end
//
// At the hard stop the contexts of requests end, and 50 ms later all connections are closed. A handler that returns in
// between may still answer. If it has written nothing, its client gets 503 Service Unavailable; if it had begun its answer
// before the hard stop, wrote nothing after it, and had set no Content-Length, the answer is broken off (HTTP/1: the
// connection is closed inside the body; HTTP/2: RST_STREAM), so that no client takes a part for the whole. A handler that
// returns later leaves its client without an answer: the connection has been closed.
//
// The worker returns when the last handler has. Until then its status names the requests, such as "GET /report from 192.0.2.7:4711 running 31s", so that the
// group, when it abandons the worker, says for which request.
package serve
