//go:build unix

package check

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

// answersWithin is how long an answer may take at the most: more than a daemon may take for its stop is not needed.
const answersWithin = time.Minute

// target is a URL as the raw client has it.
type target struct {
	rawhttp.Target
	text   string
	socket bool // a WebSocket
}

func (t *target) String() string {
	if t == nil {
		return ""
	}
	return t.text
}

// with is the target for another way to send. Where nothing but HTTP/2 is spoken, there is none.
func (t *target) with(mode rawhttp.Mode) rawhttp.Target {
	own := t.Target
	if !t.onlyHTTP2() {
		own.Mode = mode
	}
	return own
}

// onlyHTTP2 reports whether HTTP/1.1 is not spoken there, see ask.
func (t *target) onlyHTTP2() bool { return t.Mode == rawhttp.HTTP2 }

// parseURL resolves the name of the host: the client is to meet one address.
func parseURL(text string) (*target, error) {
	if rest, ok := strings.CutPrefix(text, "unix:"); ok {
		return parseUnixURL(text, rest)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	port, ok := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if !ok || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not a URL such as http://127.0.0.1:8080/", text)
	}
	port = cmp.Or(u.Port(), port)
	if err := goodPort(port); err != nil {
		return nil, err
	}
	ips, err := net.LookupIP(u.Hostname())
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(ips, func(a, b net.IP) int { return cmp.Compare(len(a.To4()), len(b.To4())) * -1 })
	t := &target{text: text, Target: rawhttp.Target{
		Addr: net.JoinHostPort(ips[0].String(), port), Host: u.Host, Path: u.RequestURI(), Timeout: answersWithin,
	}}
	if u.Scheme == "https" {
		t.TLS = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true} // whose it is, is not the question
	}
	return t, nil
}

// parseUnixURL reads unix:SOCKET:PATH, the form of nginx and HAProxy; without a path it is the root.
func parseUnixURL(text, rest string) (*target, error) {
	socket, path, found := strings.Cut(rest, ":")
	if !found {
		path = "/"
	}
	if rawhttp.Network(socket) != "unix" || !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%q is not a URL such as unix:/run/app.sock:/path", text)
	}
	return &target{text: text, Target: rawhttp.Target{Addr: socket, Host: "localhost", Path: path, Timeout: answersWithin}}, nil
}

// parseStream is parseURL for streams: ws and wss are WebSockets.
func parseStream(text string) (*target, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	plain, socket := map[string]string{"ws": "http", "wss": "https"}[scheme]
	if !socket {
		return parseURL(text)
	}
	t, err := parseURL(plain + "://" + rest)
	if err == nil {
		t.text, t.socket = text, true
	}
	return t, err
}

// goodPort is what is wrong with a port, that something listens on, as a number or a name.
func goodPort(port string) error {
	n, err := net.LookupPort("tcp", port)
	if err == nil && n == 0 {
		err = errors.New("port 0 is none that something listens on")
	}
	return err
}

// findWithin is how long a port may take to answer the request that shows whether it speaks HTTP. One that waits for something else
// takes for ever.
const findWithin = 5 * time.Second

// findURL is the URL of the daemon's service, and those of its other ports that speak HTTP; nil if none does. A port whose root
// answers with a status below 400 comes before one that has nothing there, as an admin port often does; a process of the daemon's own
// session before a helper that has left it, such as epmd; then the lower port.
func (l *life) findURL() (service *target, others []*target) {
	type found struct {
		*target
		status int
		strays bool
		port   uint16
	}
	sockets := l.ports()
	list := make([]found, len(sockets))
	var all sync.WaitGroup
	for i, s := range sockets {
		all.Go(func() {
			t, status := s.speaksHTTP(l.r.ctx)
			list[i] = found{t, status, l.strays(s.PID), s.Addr.Port()}
		})
	}
	all.Wait()
	list = slices.DeleteFunc(list, func(f found) bool { return f.target == nil })
	rank := func(wrong bool) int {
		if wrong {
			return 1
		}
		return 0
	}
	slices.SortFunc(list, func(a, b found) int {
		return cmp.Or(rank(a.strays)-rank(b.strays), rank(a.status >= 400)-rank(b.status >= 400), cmp.Compare(a.port, b.port))
	})
	for i, f := range list {
		if i > 0 {
			others = append(others, f.target)
		} else {
			service = f.target
		}
	}
	return service, others
}

// strays reports whether a process has left the daemon's session.
func (l *life) strays(pid int) bool { return sessionOf(pid) != sessionOf(l.k.daemon) }

// findsURL finds the URL of this life, when as many ports are open as were in the first.
func (l *life) findsURL() bool {
	if len(l.ports()) < l.r.ports {
		return false
	}
	t, _ := l.findURL()
	if t != nil {
		l.r.url = t
	}
	return t != nil
}

// ports are the TCP sockets that the daemon listens on.
func (l *life) ports() []socket {
	return slices.DeleteFunc(listening(descendants(l.k.pid)), func(s socket) bool { return s.Network != "tcp" })
}

// speaksHTTP is the URL of a port that does, with the status of its root; nil of one that does not.
func (s socket) speaksHTTP(ctx context.Context) (*target, int) {
	at := netip.AddrPortFrom(s.reachable(), s.Addr.Port()).String()
	var plain, secure rawhttp.Result
	one, err1 := parseURL("http://" + at + "/")
	two, err2 := parseURL("https://" + at + "/")
	if err1 != nil || err2 != nil {
		return nil, 0
	}
	plain, secure = one.ask(ctx, findWithin), rawhttp.Result{Class: rawhttp.Broken}
	if plain.Class != rawhttp.Answered || plain.Status == 400 { // what a TLS port says to one that speaks plainly
		secure = two.ask(ctx, findWithin)
	}
	switch rawhttp.Answered {
	case secure.Class:
		return two, secure.Status
	case plain.Class:
		return one, plain.Status
	}
	return nil, 0
}

// ask sends one request, over HTTP/2 where HTTP/1.1 is not understood: from then on that is what is spoken.
func (t *target) ask(ctx context.Context, within time.Duration) rawhttp.Result {
	first := t.askIn(ctx, within, rawhttp.NewConn)
	switch first.Class {
	case rawhttp.Answered, rawhttp.Refused, rawhttp.Timeout:
		return first
	}

	if second := t.askIn(ctx, within, rawhttp.HTTP2); second.Class == rawhttp.Answered {
		t.Mode = rawhttp.HTTP2
		return second
	}
	return first
}

func (t *target) askIn(ctx context.Context, within time.Duration, mode rawhttp.Mode) rawhttp.Result {
	r, _ := t.exchange(ctx, mode, within, bodyWithin)
	return r
}

// reachable is the address by which a listening socket is reached from here.
func (s socket) reachable() netip.Addr {
	switch ip := s.Addr.Addr(); {
	case ip == netip.IPv4Unspecified(), ip == netip.IPv6Unspecified() && canReach("127.0.0.1", s.Addr.Port()):
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case ip == netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	default:
		return ip
	}
}

func canReach(host string, port uint16) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, fmt.Sprint(port)), time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// tryURL makes sure that requests are answered at all, and finds out whether HTTP/2 is spoken.
func (l *life) tryURL() error {
	for _, t := range []*target{l.r.url, l.r.slow} {
		if t == nil {
			continue
		}
		var last rawhttp.Result
		answered := false
		for limit := time.Now().Add(l.r.ReadyWithin); !answered && time.Now().Before(limit) && !l.hasExited() && l.r.ctx.Err() == nil; l.exits(readyEvery) { // it may be ready a little later
			last = t.ask(l.r.ctx, askedWithin)
			answered = last.Class == rawhttp.Answered
		}
		if !answered {
			return l.neverReady(fmt.Sprintf("gives no answer at %v: %v", t, last.Err))
		}
	}
	l.r.http2 = l.r.url.askIn(l.r.ctx, findWithin, rawhttp.HTTP2).Class == rawhttp.Answered
	return nil
}
