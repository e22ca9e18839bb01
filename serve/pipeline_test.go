package serve_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/serve"
)

// pipelined is n numbered requests, each in the form that the function gives.
func pipelined(n int, one func(i int) string) (requests []string) {
	for i := range n {
		requests = append(requests, one(i))
	}
	return requests
}

func pipelinedGET(i int) string {
	return fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: test\r\n\r\n", i)
}

func pipelinedPOST(i int) string {
	body := fmt.Sprintf("body %d", i)
	return fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s", i, len(body), body)
}

func pipelinedChunked(i int) string {
	body := fmt.Sprintf("body %d", i)
	return fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", i, len(body), body)
}

// longGET is longer than net/http's buffer, so that its end and the beginning of the next meet anywhere in it.
func longGET(i int) string {
	return fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: test\r\nX-Long: %s\r\n\r\n", i, strings.Repeat("x", 2000+i*311))
}

// secured is the client's side of a connection, over TLS if it is wanted.
func secured(t *testing.T, addr string, overTLS bool) *peer {
	p := dial(t, addr)
	if !overTLS {
		return p
	}
	nc := tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := nc.Handshake(); err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc)
}

// pipelineServer serves, and holds the request /0 until the server leaves. It says when that has come.
func pipelineServer(t *testing.T, group *lastcall.Group, overTLS, readBody bool) (s *instance, addr string, held chan struct{}) {
	ln := listen(t)
	held = make(chan struct{})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/0" {
			close(held)
			<-stopped(r)
		}
		if readBody {
			io.Copy(io.Discard, r.Body)
		}
		io.WriteString(w, r.URL.Path)
	})}
	if overTLS {
		srv.TLSConfig = serverTLS(t)
	}
	return run(t, group, serve.HTTP(srv, ln), ""), ln.Addr().String(), held
}

// All pipelined requests that had arrived when the stop began are answered, and only the last answer says that the
// connection ends.
func TestPipelinedRequestsAreAllAnswered(t *testing.T) {
	const requests = 10
	for _, overTLS := range []bool{false, true} {
		for _, lameDuck := range []bool{false, true} {
			for _, kind := range []struct {
				name  string
				one   func(int) string
				reads bool // the handler reads bodies to their end
			}{
				{"GET", pipelinedGET, true},
				{"POST", pipelinedPOST, true},
				{"chunked", pipelinedChunked, true},
				{"unread POST", pipelinedPOST, false},
				{"unread chunked", pipelinedChunked, false},
				{"long GET", longGET, true},
			} {
				for _, together := range []bool{false, true} {
					name := fmt.Sprintf("%s, TLS %v, lame duck %v, in one piece %v", kind.name, overTLS, lameDuck, together)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						for range *stops {
							group := patient()
							if lameDuck {
								group.LameDuck = 200 * time.Millisecond
							}
							s, addr, held := pipelineServer(t, group, overTLS, kind.reads)
							p := secured(t, addr, overTLS)
							all := pipelined(requests, kind.one)
							if together {
								all = []string{strings.Join(all, "")}
							}
							for _, piece := range all {
								p.send(piece)
							}
							await(t, held, "the first request")
							s.end()
							for i := range requests {
								resp, body := p.answer()
								if want := fmt.Sprintf("/%d", i); body != want {
									t.Fatalf("answer %d is %q, want %q", i, body, want)
								}
								// That an unread body is the last thing on its connection cannot be known.
								if last := i == requests-1; resp.Close != last && (kind.reads || resp.Close) {
									t.Fatalf("answer %d of %d says close: %v", i+1, requests, resp.Close)
								}
							}
							p.ends()
							if err := s.await(t); err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
		}
	}
}

// A client that never stops pipelining is told to move on, too.
func TestEndlessPipelineEnds(t *testing.T) {
	for _, overTLS := range []bool{false, true} {
		for _, piece := range []int{1, 3, 200} {
			t.Run(fmt.Sprintf("TLS %v, %d at a time", overTLS, piece), func(t *testing.T) {
				t.Parallel()
				s, addr, held := pipelineServer(t, patient(), overTLS, true)
				p := secured(t, addr, overTLS)
				var sent atomic.Int64
				go func() {
					text := pipelinedGET(0) + strings.Repeat(pipelinedGET(1), piece-1)
					for {
						if _, err := io.WriteString(p, text); err != nil {
							return
						}
						sent.Add(int64(piece))
						text = strings.Repeat(pipelinedGET(1), piece)
					}
				}()
				await(t, held, "the first request")
				s.end()
				for n := 1; ; n++ {
					resp, err := http.ReadResponse(p.r, nil)
					if err != nil {
						t.Fatalf("answer %d: %v, and none before said close", n, err)
					}
					if _, err := io.Copy(io.Discard, resp.Body); err != nil {
						t.Fatalf("answer %d: %v", n, err)
					}
					if resp.Close {
						t.Logf("the last answer was number %d, of %d requests sent", n, sent.Load())
						break
					}
				}
				p.Close()
				if err := s.await(t); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A next request that has arrived in part is waited for.
func TestPartOfThePipelineIsWaitedFor(t *testing.T) {
	for _, overTLS := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", overTLS), func(t *testing.T) {
			t.Parallel()
			s, addr, held := pipelineServer(t, patient(), overTLS, true)
			p := secured(t, addr, overTLS)
			next := pipelinedGET(1)
			p.send(pipelinedGET(0) + next[:10])
			await(t, held, "the first request")
			s.end()
			if resp, body := p.answer(); body != "/0" || resp.Close {
				t.Fatalf("first answer %q, close %v", body, resp.Close)
			}
			time.Sleep(2 * serve.DefaultLinger) // a connection on which nothing had arrived would be closed by now
			p.send(next[10:])
			if resp, body := p.answer(); body != "/1" || !resp.Close {
				t.Fatalf("second answer %q, close %v", body, resp.Close)
			}
			p.ends()
			if err := s.await(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// plainConn is a connection that says nothing of its socket.
type plainConn struct{ net.Conn }

type plainListener struct{ net.Listener }

func (l plainListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return plainConn{nc}, nil
}

// Where the kernel cannot be asked, every request is answered, and the connection is closed after a quiet time.
func TestPipelineOverAnotherListener(t *testing.T) {
	ln := plainListener{listen(t)}
	held := make(chan struct{})
	s := run(t, patient(), serve.HTTP(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/0" {
			close(held)
			<-stopped(r)
		}
		io.WriteString(w, r.URL.Path)
	})}, ln), "")
	p := dial(t, ln.Addr().String())
	p.send(strings.Join(pipelined(10, pipelinedGET), ""))
	await(t, held, "the first request")
	s.end()
	for i := range 10 {
		if _, body := p.answer(); body != fmt.Sprintf("/%d", i) {
			t.Fatalf("answer %d is %q", i, body)
		}
	}
	p.ends()
	if err := s.await(t); err != nil {
		t.Error(err)
	}
}

// A client that has ended its half of the connection waits for its answer, which is the last.
func TestHalfClosedConnectionIsAnsweredAtTheStop(t *testing.T) {
	s, addr, held := pipelineServer(t, patient(), false, true)
	p := dial(t, addr)
	p.send(strings.Join(pipelined(3, pipelinedGET), ""))
	p.Conn.(*net.TCPConn).CloseWrite()
	await(t, held, "the first request")
	s.end()
	for i := range 3 {
		if resp, body := p.answer(); body != fmt.Sprintf("/%d", i) || resp.Close != (i == 2) {
			t.Fatalf("answer %d is %q, close %v", i, body, resp.Close)
		}
	}
	p.ends()
	if err := s.await(t); err != nil {
		t.Error(err)
	}
}
