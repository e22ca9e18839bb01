//go:build unix

package check

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// streams serves on args[0] in the way of args[1]: "ends" and "cuts" end server-sent events at the stop or leave them to the end of the
// process, "says goodbye" and "hangs up" do so with WebSockets. The root is quick.
func streams(args []string) {
	stop := stopSignal()
	ending := make(chan struct{})
	kind := args[1]
	var hijacked atomic.Int32
	gone := make(chan struct{}, 100)
	server := &http.Server{Addr: args[0], Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/stream":
		case kind == "ends" || kind == "cuts":
			_, _ = io.WriteString(w, "data: hello\n\n")
			_ = http.NewResponseController(w).Flush()
			if <-ending; kind == "cuts" {
				select {}
			}
		default:
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello")
			hijacked.Add(1)
			go func() {
				if <-ending; kind == "says goodbye" {
					_, _ = conn.Write([]byte{0x88, 2, 0x03, 0xe9}) // 1001
					_, _ = conn.Read(make([]byte, 64))
				}
				conn.Close()
				gone <- struct{}{}
			}()
		}
	})}
	go server.ListenAndServe()
	<-stop
	close(ending)
	if kind == "cuts" {
		return
	}
	for range hijacked.Load() { // Shutdown does not wait for them
		<-gone
	}
	_ = server.Shutdown(context.Background())
}

// How streams end at the stop, and that a URL which turns out to be one is neither asked for readiness nor put under load.
func TestStream(t *testing.T) {
	onLinux(t)
	t.Parallel()
	for _, test := range []struct {
		kind   string
		scheme string
		want   Verdict
		says   string
	}{
		{"ends", "http", Pass, "ended all of 4 streams (the answer is whole)"},
		{"cuts", "http", Warn, "4 of 4 streams were cut in the middle"},
		{"says goodbye", "ws", Pass, "ended all of 4 streams (closed with code 1001)"},
		{"hangs up", "ws", Warn, "4 of 4 streams were closed without a close frame"},
	} {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t)
			c := lifeOf("streams", addr, test.kind)
			c.Stream, c.Only = test.scheme+"://"+addr+"/stream", []string{"stream"}
			report := run(t, c)
			if v := report.result(t, "stream"); v.Verdict != test.want || !strings.Contains(v.Summary, test.says) {
				t.Errorf("%s: %s; want %s: %s", v.Verdict, v.Summary, test.want, test.says)
			}
			if report.Stream != c.Stream || report.URL != "http://"+addr+"/" {
				t.Errorf("streams from %q, requests to %q", report.Stream, report.URL)
			}
		})
	}
	t.Run("found out", func(t *testing.T) {
		t.Parallel()
		addr := freePort(t)
		c := lifeOf("streams", addr, "ends")
		c.URL, c.Only = "http://"+addr+"/stream", []string{"stream", "inflight"}
		report := run(t, c)
		if v := report.result(t, "stream"); v.Verdict != Pass {
			t.Errorf("%s: %s", v.Verdict, v.Summary)
		}
		if report.Stream != c.URL || report.URL != "http://"+addr+"/" {
			t.Errorf("streams from %q, requests to %q", report.Stream, report.URL)
		}
	})
}

// slowly answers /slow after args[1] and everything else at once.
func slowly(args []string) {
	stop := stopSignal()
	server := &http.Server{Addr: args[0], Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(must(time.ParseDuration(args[1])))
		}
	})}
	go server.ListenAndServe()
	<-stop
	_ = server.Shutdown(context.Background())
}

// A slow --url is what is under way at the stop; readiness and load go to the root.
func TestSlowURL(t *testing.T) {
	onLinux(t)
	t.Parallel()
	addr := freePort(t)
	c := lifeOf("slowly", addr, "1s")
	c.URL, c.Only = "http://"+addr+"/slow", []string{"inflight"}
	report := run(t, c)
	if v := report.result(t, "inflight"); v.Verdict != Pass || !strings.Contains(v.Summary, "requests to "+c.URL) {
		t.Errorf("%s: %s", v.Verdict, v.Summary)
	}
	if report.Slow != c.URL || report.URL != "http://"+addr+"/" {
		t.Errorf("slow %q, requests to %q", report.Slow, report.URL)
	}
}

// frames is what a server sends, from its parts.
func frames(parts ...[]byte) *webSocket {
	ours, theirs := net.Pipe()
	go func() {
		_, _ = theirs.Write(bytes.Join(parts, nil))
		_, _ = io.Copy(io.Discard, theirs)
	}()
	return &webSocket{ours, bufio.NewReader(ours)}
}

func TestWebSocketFrames(t *testing.T) {
	long := append([]byte{0x82, 126, 0x01, 0x00}, make([]byte, 256)...)
	longest := append(binary.BigEndian.AppendUint64([]byte{0x82, 127}, 70000), make([]byte, 70000)...)
	bye := []byte{0x88, 2, 0x03, 0xf4}
	for name, test := range map[string]struct {
		parts [][]byte
		code  int
		wrong bool
	}{
		"text, then the end":    {[][]byte{[]byte("\x81\x05hello"), bye}, 1012, false},
		"long frames":           {[][]byte{long, longest, bye}, 1012, false},
		"a ping":                {[][]byte{{0x89, 1, 'x'}, bye}, 1012, false},
		"no code":               {[][]byte{{0x88, 0}}, 1005, false},
		"masked":                {[][]byte{{0x81, 0x80 | 1, 0, 0, 0, 0, 'x'}}, 0, true},
		"a frame of 2^60 bytes": {[][]byte{binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<60)}, 0, true},
		"a long control frame":  {[][]byte{{0x88, 126, 1, 0}}, 0, true},
	} {
		code, err := frames(test.parts...).frames()
		if code != test.code || (err != nil) != test.wrong || errors.Is(err, io.EOF) {
			t.Errorf("%s: code %d, %v", name, code, err)
		}
	}
}

// A required scenario is looked at, or fails.
func TestRequire(t *testing.T) {
	c := lifeOf("wait")
	c.Only, c.Require = []string{"term", "stream"}, []string{"term", "stream"}
	report := run(t, c)
	if v := report.result(t, "stream"); v.Verdict != Fail || !strings.HasPrefix(v.Summary, "required, and not looked at: no URL of a stream") {
		t.Errorf("%s: %s", v.Verdict, v.Summary)
	}
	if v := report.result(t, "term"); v.Verdict != Pass {
		t.Errorf("%s: %s", v.Verdict, v.Summary)
	}
	for _, wrong := range []Check{{Require: []string{"streams"}}, {Require: []string{"term"}, Skip: []string{"term"}}, {Require: []string{"term"}, Only: []string{"int"}}} {
		wrong.Command = []string{"true"}
		_, err := wrong.Run(t.Context())
		if e := (*ConfigError)(nil); !errors.As(err, &e) || e.Field != "Require" {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
