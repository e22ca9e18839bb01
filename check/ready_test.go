//go:build unix

package check

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseReady(t *testing.T) {
	for text, want := range map[string]readiness{
		"":                   {},
		"notify":             {notify: true},
		"tcp:127.0.0.1:80":   {addr: "127.0.0.1:80"},
		"tcp:[::1]:80":       {addr: "[::1]:80"},
		"tcp::80":            {addr: ":80"},
		"2s":                 {delay: 2 * time.Second},
		"1m30s":              {delay: 90 * time.Second},
		"log:^up: [0-9]+$":   {line: regexp.MustCompile("^up: [0-9]+$")},
		"http://127.0.0.1:1": {url: &target{text: "http://127.0.0.1:1"}},
	} {
		got, err := parseReady(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got.notify != want.notify || got.addr != want.addr || got.delay != want.delay || (got.line == nil) != (want.line == nil) || (got.url == nil) != (want.url == nil) {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
		if got.line != nil && got.line.String() != want.line.String() || got.url != nil && got.url.text != want.url.text {
			t.Errorf("%q: %v, %v", text, got.line, got.url)
		}
	}
	for _, text := range []string{"tcp:80", "log:", "log:(", "http://", "-1s", "5", "soon", "ftp://x", "http:/x", "notify:"} {
		if got, err := parseReady(text); err == nil {
			t.Errorf("%q is %+v, want an error", text, got)
		}
	}
}

func TestParseURL(t *testing.T) {
	for _, test := range []struct {
		text, addr, host, path, name string
		tls                          bool
	}{
		{"http://127.0.0.1:8080/", "127.0.0.1:8080", "127.0.0.1:8080", "/", "", false},
		{"http://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/", "", false},
		{"https://127.0.0.1/a?b=c#d", "127.0.0.1:443", "127.0.0.1", "/a?b=c", "127.0.0.1", true},
		{"unix:/run/app.sock:/a?b=c", "/run/app.sock", "localhost", "/a?b=c", "", false},
		{"unix:/run/app.sock", "/run/app.sock", "localhost", "/", "", false},
		{"https://[::1]:8443/x%20y", "[::1]:8443", "[::1]:8443", "/x%20y", "::1", true},
	} {
		got, err := parseURL(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got.Addr != test.addr || got.Host != test.host || got.Path != test.path || (got.TLS != nil) != test.tls || test.tls && got.TLS.ServerName != test.name {
			t.Errorf("%q: %+v", test.text, got)
		}
	}
	if got, err := parseURL("http://localhost:1/"); err != nil || got.Addr != "127.0.0.1:1" && got.Addr != "[::1]:1" || got.Host != "localhost:1" {
		t.Errorf("localhost: %+v, %v", got, err)
	}
	for _, text := range []string{"", "127.0.0.1:80", "http://", "http:///x", "unix:", "unix:app.sock", "unix:/run/app.sock:x", "gopher://127.0.0.1/", "http://127.0.0.1:x/", "http://nobody.invalid/"} {
		if got, err := parseURL(text); err == nil {
			t.Errorf("%q is %+v, want an error", text, got)
		}
	}
}

// Each kind of readiness, and what the report says of it.
func TestReady(t *testing.T) {
	t.Parallel()
	addr := freePort(t)
	for name, test := range map[string]struct {
		check *Check
		ready string
		want  string
	}{
		"URL":      {lifeOf("late", addr, "3"), "http://" + addr + "/ready", "GET http://" + addr + "/ready answered 200"},
		"tcp":      {lifeOf("slow", freePort(t), "100ms"), "", "accepts connections"},
		"log":      {lifeOf("tell", "it is up now"), "log:is up now$", `its output matched "is up now$"`},
		"notify":   {lifeOf("tell", "hello"), "notify", "it sent READY=1"},
		"delay":    {lifeOf("wait"), "150ms", "it ran for 150ms"},
		"flooding": {lifeOf("flood", freePort(t)), "log:^up$", "its output matched"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.check.Ready = test.ready
			if name == "tcp" {
				test.check.Ready = "tcp:" + test.check.Command[1]
			}
			report := run(t, test.check)
			contains(t, "how it was known to be ready", report.Ready, test.want)
			// After a mere delay it may not be as far as to have a handler.
			if v := report.result(t, "term"); v.Verdict != Pass && name != "delay" {
				t.Errorf("%s: %s", v.Verdict, v.Summary)
			}
			if name == "delay" && report.Startup.Min < 150*time.Millisecond {
				t.Errorf("ready after %v", report.Startup.Min)
			}
		})
	}
}

// Without a word of how one knows that it is ready.
func TestReadyUntold(t *testing.T) {
	onLinux(t)
	t.Parallel()
	var v6 string
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		v6 = l.Addr().String()
		l.Close()
	}
	one, two, wild := freePort(t), freePort(t), freePort(t)
	_, port, _ := net.SplitHostPort(wild)
	unix := filepath.Join(t.TempDir(), "s")
	for name, test := range map[string]struct {
		check      *Check
		ready, url string
	}{
		"listens":              {lifeOf("serve", one), "it listens on " + one, "http://" + one + "/"},
		"listens late":         {lifeOf("slow", two, "500ms"), "it listens on " + two, "http://" + two + "/"},
		"wildcard":             {lifeOf("serve", "tcp=:"+port), "it listens on [::]:" + port, "http://127.0.0.1:" + port + "/"},
		"no HTTP":              {lifeOf("listen", "tcp="+freePort(t)), "it listens on 127.0.0.1:", ""},
		"unix":                 {lifeOf("serve", "unix="+unix), "it listens on " + unix, ""},
		"quiet":                {lifeOf("wait"), "it was quiet for 1s", ""},
		"never quiet":          {lifeOf("busy"), "it ran for ", ""},
		"IPv6 only":            {lifeOf("serve", "tcp6="+v6), "it listens on " + v6, "http://" + v6 + "/"},
		"TLS":                  {lifeOf("https", freePort(t)), "it listens on 127.0.0.1:", "https://127.0.0.1:"},
		"socket of a child":    {&Check{Command: []string{"/bin/sh", "-c", `trap 'kill $!; wait' TERM; "$0" "$@" & wait`, os.Args[0], freePort(t)}, Env: lifeEnv("serve")}, "it listens on 127.0.0.1:", "http://127.0.0.1:"},
		"a port without HTTP":  {lifeOf("serve", "unix="+unix+"2", freePort(t)), "it listens on ", "http://127.0.0.1:"},
		"several ports, first": {lifeOf("serve", freePort(t), freePort(t)), "it listens on ", "http://127.0.0.1:"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasSuffix(name, "IPv6 only") && v6 == "" {
				t.Skip("there is no IPv6 here")
			}
			t.Parallel()
			test.check.Only, test.check.Grace = []string{"term"}, eventually
			report := run(t, test.check)
			contains(t, "how it was known to be ready", report.Ready, test.ready)
			if !strings.HasPrefix(report.URL, test.url) || test.url == "" && report.URL != "" || report.Found != (test.url != "") {
				t.Errorf("URL %q, found %v; want %q", report.URL, report.Found, test.url)
			}
			if v := report.result(t, "term"); v.Verdict != Pass && name != "socket of a child" {
				t.Errorf("%s: %s", v.Verdict, v.Summary)
			}
		})
	}
}

// ports serves on several addresses: an admin port whose root is missing, the application, and a helper in a session of its own.
func ports(args []string) {
	stop := stopSignal()
	go http.ListenAndServe(args[0], http.NotFoundHandler())
	go http.ListenAndServe(args[1], http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	helper := spawn("serve", &syscall.SysProcAttr{Setsid: true}, args[2])
	<-stop
	_ = helper.Process.Kill()
	_ = helper.Wait()
}

// Of several ports that speak HTTP the application's is asked, and the others are named.
func TestWhichPortIsTheService(t *testing.T) {
	onLinux(t)
	t.Parallel()
	list := []string{freePort(t), freePort(t), freePort(t)}
	slices.Sort(list)
	helper, admin, app := list[0], list[1], list[2] // the order of the ports is the wrong one
	c := lifeOf("ports", admin, app, helper)
	c.Ready = "tcp:" + helper // the last to listen
	report := run(t, c)
	if report.URL != "http://"+app+"/" || !slices.Equal(report.Others, []string{"http://" + admin + "/", "http://" + helper + "/"}) {
		t.Errorf("requests to %s, others %v; want %s, and %s and %s as others", report.URL, report.Others, app, admin, helper)
	}
}

// Who listens is not ready before it answers where requests go.
func TestReadyIsWhoAnswers(t *testing.T) {
	addr := freePort(t)
	c := lifeOf("opens", addr)
	c.URL, c.Only, c.Grace = "http://"+addr+"/", []string{"term"}, eventually
	report := run(t, c)
	if want := "it listens on " + addr + " and answers"; report.Ready != want {
		t.Errorf("ready: %q, want %q", report.Ready, want)
	}
	if v := report.result(t, "term"); v.Verdict != Pass {
		t.Errorf("%s: %s", v.Verdict, v.Summary)
	}
}

// HTTP/2 is found, by ALPN and by prior knowledge, and only where it is.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	for life, want := range map[string]bool{"serve": false, "https": true, "h2c": true} {
		t.Run(life, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t)
			c := lifeOf(life, addr)
			c.URL = "http://" + addr + "/"
			if life == "https" {
				c.URL = "https://" + addr + "/"
			}
			r := &runner{Check: c}
			if err := r.prepare(); err != nil {
				t.Fatal(err)
			}
			r.report = &Report{}
			r.ctx, r.abort = context.WithCancelCause(t.Context())
			defer r.endGuards()
			if err := r.look(); err != nil {
				t.Fatal(err)
			}
			if r.http2 != want {
				t.Errorf("HTTP/2: %v, want %v", r.http2, want)
			}
		})
	}
}

// A daemon of which nothing is ever seen, one that ends, and one that is in the way.
func TestNeverReady(t *testing.T) {
	t.Parallel()
	t.Run("ends", func(t *testing.T) {
		t.Parallel()
		e := runFails(t, lifeOf("die", "no configuration"))
		contains(t, "the reason", e.Reason, "ended before it was ready: exit code 7")
		contains(t, "the output", e.Output, "no configuration")
	})
	for _, ready := range []string{"notify", "log:never", "tcp:" + freePort(t), "http://" + freePort(t) + "/"} {
		t.Run(ready, func(t *testing.T) {
			t.Parallel()
			c := lifeOf("tell", "still starting")
			if ready == "notify" {
				c = lifeOf("wait")
			}
			c.Ready, c.ReadyWithin = ready, 500*time.Millisecond
			e := runFails(t, c)
			contains(t, "the reason", e.Reason, "was not ready within 500ms")
		})
	}
	t.Run("readiness that gives no answer", func(t *testing.T) {
		t.Parallel()
		addr := freePort(t)
		c := lifeOf("listen", "tcp="+addr)
		c.Ready, c.ReadyWithin = "http://"+addr+"/", time.Second
		began := time.Now()
		contains(t, "the reason", runFails(t, c).Reason, "was not ready within 1s")
		if took := time.Since(began); took > askedWithin {
			t.Errorf("took %v", took)
		}
	})
	t.Run("port in use", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c := lifeOf("serve", l.Addr().String())
		c.URL = "http://" + l.Addr().String() + "/"
		e := runFails(t, c)
		contains(t, "the reason", e.Reason, "is in use by another program, before this one is started")
		if seesProcesses {
			contains(t, "the reason", e.Reason, "(pid "+strconv.Itoa(os.Getpid())+": ")
		}
		c = lifeOf("serve", l.Addr().String())
		e = runFails(t, c)
		contains(t, "the output", e.Output, "address already in use")
	})
}
