//go:build unix

package check

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// reraise cleans up and then dies of the signal, as a shell does. With args[0] it also serves there, and cuts what is under way.
func reraise(args []string) {
	signal.Ignore(syscall.SIGPIPE)
	stop := stopSignal()
	if len(args) > 0 {
		go http.Serve(must(net.Listen("tcp", args[0])), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
		}))
	}
	s := <-stop
	fmt.Println("cleaned up")
	signal.Reset()
	_ = syscall.Kill(os.Getpid(), s.(syscall.Signal))
	select {}
}

// peculiar serves on args[0], in the way of args[1].
func peculiar(args []string) {
	stop := stopSignal()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if args[1] == "header" {
			w.Header().Set("Content-Security-Policy", strings.Repeat("x", 5000))
		}
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, "ok")
	})}
	l := must(net.Listen("tcp", args[0]))
	switch args[1] {
	case "closes":
		s.SetKeepAlivesEnabled(false)
	case "h2c":
		s.Protocols = new(http.Protocols)
		s.Protocols.SetUnencryptedHTTP2(true)
	case "limit":
		var open atomic.Int32
		s.ConnState = func(c net.Conn, state http.ConnState) {
			switch {
			case state == http.StateClosed:
				open.Add(-1)
			case state == http.StateNew && open.Add(1) > 3:
				c.Close()
			}
		}
	case "tls":
		l = tls.NewListener(l, certificate())
	}
	go s.Serve(l)
	<-stop
	_ = s.Shutdown(context.Background())
}

// A daemon that is unlike most is judged for how it stops all the same.
func TestPeculiar(t *testing.T) {
	t.Parallel()
	onLinux(t)
	for name, test := range map[string]struct {
		check *Check
		want  map[string][]string // by scenario: the verdict, and what is in its summary
	}{
		"dies of the signal itself": {lifeOf("reraise"), map[string][]string{"term": {"pass", "died of SIGTERM, which its handler sent itself"}, "mute": {"pass", "died of SIGTERM"}}},
		"closes each connection":    {lifeOf("peculiar", freePort(t), "closes"), map[string][]string{"inflight": {"pass", "answered all of 4 uploads"}}},
		"a long line in the header": {lifeOf("peculiar", freePort(t), "header"), map[string][]string{"inflight": {"pass", "answered all of 4 uploads"}}},
		"HTTP/2 only":               {lifeOf("peculiar", freePort(t), "h2c"), map[string][]string{"inflight": {"skip", "HTTP/1.1, which is not spoken"}, "port": {"pass", "3 connections open"}}},
		"takes three connections":   {lifeOf("peculiar", freePort(t), "limit"), map[string][]string{"load": {"warn", "before the signal"}}},
		"loses its queue, with TLS": {lifeOf("peculiar", freePort(t), "tls"), map[string][]string{"load": {"fail", "in a burst, new connections"}}},
		"listens when it was quiet": {lifeOf("slow", freePort(t), "2500ms"), map[string][]string{"idle": {"pass", ""}, "term": {"pass", "exit code 0"}, "inflight": {"pass", "answered all of 4 uploads"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check.Only, test.check.Idle = nil, 5*time.Second
			for scenario := range test.want {
				test.check.Only = append(test.check.Only, scenario)
			}
			report := run(t, test.check)
			for scenario, want := range test.want {
				if got := report.result(t, scenario); string(got.Verdict) != want[0] || !strings.Contains(got.Summary, want[1]) {
					t.Errorf("%s: %s: %s; want %s: %s", scenario, got.Verdict, got.Summary, want[0], want[1])
				}
			}
		})
	}
}
