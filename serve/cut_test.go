package serve_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// The hard stop cuts a handler: whatever its client sees, it never looks like a success.
func TestCutHandlerIsNoSuccess(t *testing.T) {
	for _, handler := range []struct {
		name  string
		serve func(http.ResponseWriter, *http.Request)
		// status and body of the answer, if one comes; broken if it ends in the middle
		status int
		body   string
		broken bool
	}{
		{name: "nothing written", status: 503, body: "the server stopped before it had an answer\n", serve: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=3600")
			<-r.Context().Done()
		}},
		{name: "its own answer", status: 504, body: "too slow", serve: func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(504)
			io.WriteString(w, "too slow")
		}},
		{name: "a last word", status: 200, body: "tick, end", serve: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "tick, ")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			io.WriteString(w, "end")
		}},
		{name: "half an answer", status: 200, body: "half", broken: true, serve: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
		{name: "half of a stated length", status: 200, body: "half", broken: true, serve: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
		{name: "all of a stated length", status: 200, body: "whole", serve: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "whole")
			<-r.Context().Done()
		}},
		{name: "all of a length stated inside", status: 200, body: "whole", serve: func(w http.ResponseWriter, r *http.Request) {
			w.(interface{ Unwrap() http.ResponseWriter }).Unwrap().Header().Set("Content-Length", "5")
			io.WriteString(w, "whole")
			<-r.Context().Done()
		}},
	} {
		for _, protocol := range []string{"HTTP/1", "HTTP/1 over TLS", "HTTP/2", "HTTP/2 over TLS"} {
			t.Run(handler.name+", "+protocol, func(t *testing.T) {
				t.Parallel()
				answers := 0
				for range 5 {
					status, header, body, err := cutOnce(t, protocol, handler.serve)
					if status == 0 { // the handler did not make it within the time for last words
						continue
					}
					answers++
					if status != handler.status || body != handler.body || (err != nil) != handler.broken {
						t.Fatalf("the client got %d %q, %v; want %d %q, broken off %v", status, body, err, handler.status, handler.body, handler.broken)
					}
					if status == 503 && header.Get("Cache-Control") != "" {
						t.Errorf("the headers of the answer that never was: %v", header)
					}
				}
				if answers == 0 {
					t.Error("no answer came in five rounds")
				}
			})
		}
	}
}

// cutOnce lets a handler be cut by the hard stop, and returns what its client sees; status 0 where no answer came.
func cutOnce(t *testing.T, protocol string, serveHTTP http.HandlerFunc) (status int, header http.Header, body string, err error) {
	var protocols http.Protocols
	over := strings.HasSuffix(protocol, "TLS")
	two := strings.HasPrefix(protocol, "HTTP/2")
	protocols.SetHTTP1(!two)
	protocols.SetHTTP2(two && over)
	protocols.SetUnencryptedHTTP2(two && !over)

	entered := make(chan struct{})
	srv := &http.Server{Protocols: &protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		serveHTTP(w, r)
	})}
	scheme := "http://"
	if over {
		srv.TLSConfig, scheme = serverTLS(t), "https://"
	}
	ln := listen(t)
	s := run(t, &lastcall.Group{Grace: 10 * time.Millisecond, HardStop: limit}, serve.HTTP(srv, ln), "")
	transport := &http.Transport{Protocols: &protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	type result struct {
		resp *http.Response
		err  error
	}
	answer := make(chan result, 1)
	go func() {
		resp, err := transport.RoundTrip(must(http.NewRequestWithContext(t.Context(), "GET", scheme+ln.Addr().String(), nil)))
		answer <- result{resp, err}
	}()
	await(t, entered, "the request")
	s.end()
	got := <-answer
	if got.err == nil {
		var text []byte
		text, err = io.ReadAll(got.resp.Body)
		got.resp.Body.Close()
		status, header, body = got.resp.StatusCode, got.resp.Header, string(text)
	}
	if ended := s.await(t); !errors.Is(ended, lastcall.ErrInterrupted) {
		t.Errorf("the group returned %v, want that the request was cut", ended)
	}
	return status, header, body, err
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
