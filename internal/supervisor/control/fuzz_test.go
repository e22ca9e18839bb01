//go:build unix

package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// Whatever answers at the socket, a client's methods return, with an error that is no longer than the answer.
func FuzzAnswer(f *testing.F) {
	answer := func(kind, body string) []byte {
		return []byte("HTTP/1.1 200 OK\r\nContent-Type: " + kind + "\r\nConnection: close\r\n\r\n" + body)
	}
	for method := range byte(len(methods)) {
		f.Add(method, answer("application/json", `[{"name":"web-1","process":"web","state":"ready","pid":7}]`))
		f.Add(method, answer("application/x-ndjson", `{"progress":"web-1: ready"}`+"\n"+`{"done":true}`+"\n"))
		f.Add(method, answer("application/x-ndjson", `{"kind":"start","error":"web: not ready\u001b[2J"}`+"\n"))
		f.Add(method, answer("application/x-ndjson", `[]`+"\n"+`null`+"\n"+`"x"`+"\n"+`{"time":"2026-01-01T00:00:00Z","name":"web-1","text":"a"}`+"\n"))
		f.Add(method, answer("application/json", `{"schema":"lastcall.report","version":1,"report":{"state":"ready"}}`))
		f.Add(method, []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 30\r\n\r\n"+`{"kind":"usage","error":"no x"}`))
		f.Add(method, []byte("SSH-2.0-x\r\n"))
	}
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	door, err := net.Listen("unix", path)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { door.Close() })
	var says atomic.Pointer[[]byte]
	go func() {
		for {
			conn, err := door.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Write(*says.Load())
				_ = conn.(*net.UnixConn).CloseWrite()
				_, _ = io.Copy(io.Discard, conn) // until the client has read and closed
			}()
		}
	}()
	c := &Client{Socket: path, File: "lastcall.yaml"}
	f.Fuzz(func(t *testing.T, method byte, answer []byte) {
		says.Store(&answer)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		lines := 0
		err := methods[int(method)%len(methods)](ctx, c, func() { lines++ })
		if ctx.Err() != nil {
			t.Fatal("the answer had an end, and the client did not see it")
		}
		if lines > len(answer) {
			t.Fatalf("%d lines in an answer of %d bytes", lines, len(answer))
		}
		if err == nil {
			return
		}
		if e := (*Error)(nil); errors.As(err, &e) {
			e.ExitCode()
		}
		if most := 1<<10 + 12*len(answer); len(err.Error()) > most {
			t.Fatalf("an error of %d bytes for an answer of %d", len(err.Error()), len(answer))
		}
	})
}

// methods are those of a client.
var methods = []func(ctx context.Context, c *Client, line func()) error{
	func(ctx context.Context, c *Client, _ func()) error { _, err := c.List(ctx, true); return err },
	func(ctx context.Context, c *Client, line func()) error {
		return c.Watch(ctx, WatchQuery{}, func(list []Instance) error {
			line()
			WaitingFor(Awaited(list, nil), time.Now())
			return nil
		})
	},
	func(ctx context.Context, c *Client, line func()) error {
		return c.Start(ctx, []string{"web"}, func(string) { line() })
	},
	func(ctx context.Context, c *Client, line func()) error {
		return c.Logs(ctx, LogQuery{}, func(Line) error { line(); return nil })
	},
	func(ctx context.Context, c *Client, _ func()) error { _, err := c.Report(ctx); return err },
}

// Whatever a client sends, the server answers or closes, and gives the backend no order that cannot be meant.
func FuzzRequest(f *testing.F) {
	post := func(what, body string) []byte {
		return []byte("POST /" + what + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	}
	f.Add([]byte("GET /ps?usage=true HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("GET /watch?every=1s HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("GET /watch?every=-1s HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("GET /logs?name=web&last=-5&follow=true HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("GET /report HTTP/1.0\r\n\r\nGET /ps HTTP/1.1\r\n\r\n"))
	f.Add(post("start", `{"names":["web"]}`))
	f.Add(post("scale", `{"instances":{"web":-1}}`))
	f.Add(post("scale", `{"instances":{"web":99999999999999999999}}`))
	f.Add(post("signal", `{"names":["web"],"signal":"HUP"}`))
	f.Add(post("down", ``))
	f.Add(post("stop", `{"names":[]} {"names":["x"]}`))
	f.Add([]byte("\x16\x03\x01"))
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := Listen(path, "lastcall.yaml")
	if err != nil {
		f.Fatal(err)
	}
	wrong := make(chan string, 1)
	fail := func(text string) {
		select {
		case wrong <- text:
		default:
		}
	}
	s := Serve(l, &fake{
		list:    func(bool) []Instance { return []Instance{{Name: "web-1", Process: "web", State: lastcall.StateReady}} },
		changed: func() <-chan struct{} { return nil },
		logs: func(_ context.Context, q LogQuery, fn func(Line) error) error {
			return fn(Line{Text: "a"})
		},
		order: func(_ context.Context, what string, o order, progress func(string)) error {
			if what != "reload" && what != "down" && what != "scale" && len(o.Names) == 0 {
				fail(what + " without a name")
			}
			for name, n := range o.Instances {
				if n < 0 {
					fail(name + " has less than no instances")
				}
			}
			if progress != nil {
				progress("under way")
			}
			return nil
		},
	})
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), generous)
		defer cancel()
		_ = s.Close(ctx)
	})
	f.Fuzz(func(t *testing.T, request []byte) {
		if bytes.Contains(request, []byte("down")) {
			return // after which the server waits for its end
		}
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err := conn.Write(request); err == nil {
			_ = conn.(*net.UnixConn).CloseWrite()
		}
		answer, err := io.ReadAll(conn)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("no end of the answer to %q", request)
		}
		if len(answer) > 0 && !bytes.HasPrefix(answer, []byte("HTTP/1.")) {
			t.Fatalf("%q is answered with %q", request, answer)
		}
		select {
		case text := <-wrong:
			t.Fatalf("%s, for %q", text, request)
		default:
		}
	})
}
