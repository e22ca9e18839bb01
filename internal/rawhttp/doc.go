// Package rawhttp is the judge of dropped requests: an HTTP client that never retries and says exactly how each
// exchange ended.
//
// Go's own client, and the load generators built on it, hide drops: they silently repeat a request on a new connection
// when a reused one was closed under it. This client speaks HTTP by hand. It opens a new connection only where every client
// must: for the first request, after an answer that said so ("Connection: close", GOAWAY), and when it can see, before it
// sends, that the server has closed the idle connection.
//
// A [Client] does one exchange after the other; [Load] runs many of them and counts how the exchanges ended, by [Class].
package rawhttp
