package demo

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall"
)

// api answers the clients. Its requests run under the grace context, so that they finish after the soft stop.
func api(s *store, readiness http.Handler, pause func() time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := lastcall.Sleep(r.Context(), pause()); err != nil {
			http.Error(w, "cut: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		o, err := s.take(r.URL.Query().Get("key"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "{\"order\": %d}\n", o.ID)
	})
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		if err := lastcall.Sleep(r.Context(), pause()/4); err != nil {
			http.Error(w, "cut: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "{\"taken\": %d}\n", s.served.Load())
	})
	mux.Handle("GET /readyz", readiness)
	return mux
}
