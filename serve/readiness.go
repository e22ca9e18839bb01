package serve

import (
	"io"
	"net/http"
)

// Readiness returns the handler for a load balancer's readiness probe. It answers 200 "ready" while g is ready, and 503
// with the reason while g starts, from the lame duck on, and whenever a worker is unready. g is a [lastcall.Group] or
// any other value with such a method.
func Readiness(g interface{ Ready() error }) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		status, text := http.StatusOK, "ready"
		if err := g.Ready(); err != nil {
			status, text = http.StatusServiceUnavailable, err.Error()
		}
		w.WriteHeader(status)
		io.WriteString(w, text+"\n")
	})
}
