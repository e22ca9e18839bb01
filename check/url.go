//go:build unix

package check

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

// answersWithin is how long an answer may take at the most: more than a daemon may take for its stop is not needed.
const answersWithin = time.Minute

// target is a URL as the raw client has it.
type target struct {
	rawhttp.Target
	text string
}

func (t *target) String() string { return t.text }

// with is the target for another way to send.
func (t *target) with(mode rawhttp.Mode) rawhttp.Target {
	own := t.Target
	own.Mode = mode
	return own
}

// parseURL resolves the name of the host: the client is to meet one address.
func parseURL(text string) (*target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	port, ok := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if !ok || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not a URL such as http://127.0.0.1:8080/", text)
	}
	ips, err := net.LookupIP(u.Hostname())
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(ips, func(a, b net.IP) int { return cmp.Compare(len(a.To4()), len(b.To4())) * -1 })
	t := &target{text: text, Target: rawhttp.Target{
		Addr: net.JoinHostPort(ips[0].String(), cmp.Or(u.Port(), port)), Host: u.Host, Path: u.RequestURI(), Timeout: answersWithin,
	}}
	if u.Scheme == "https" {
		t.TLS = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true} // whose it is, is not the question
	}
	return t, nil
}

// findURL is the first port that the daemon listens on and that speaks HTTP, nil if none does.
func (l *life) findURL() *target {
	sockets := listening(descendants(l.k.pid))
	slices.SortFunc(sockets, func(a, b socket) int { return cmp.Compare(a.Addr.Port(), b.Addr.Port()) })
	for _, s := range sockets {
		if s.Network != "tcp" {
			continue
		}
		ip := s.Addr.Addr()
		switch {
		case ip == netip.IPv6Unspecified() && canReach("127.0.0.1", s.Addr.Port()), ip == netip.IPv4Unspecified():
			ip = netip.MustParseAddr("127.0.0.1")
		case ip == netip.IPv6Unspecified():
			ip = netip.IPv6Loopback()
		}
		for _, scheme := range []string{"http", "https"} {
			t, err := parseURL(scheme + "://" + netip.AddrPortFrom(ip, s.Addr.Port()).String() + "/")
			if err != nil {
				continue
			}
			quick := t.Target
			quick.Timeout = 5 * time.Second
			c := rawhttp.NewClient(quick)
			answer := c.Exchange(l.r.ctx)
			c.Close()
			if answer.Class == rawhttp.Answered && (scheme == "https" || answer.Status != 400) { // what a TLS port says to plain HTTP
				return t
			}
		}
	}
	return nil
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
		c := rawhttp.NewClient(t.Target)
		var answer rawhttp.Result
		for limit := time.Now().Add(l.r.ReadyWithin); ; time.Sleep(readyEvery) { // it may be ready a little later
			if answer = c.Exchange(l.r.ctx); answer.Class == rawhttp.Answered || time.Now().After(limit) || l.hasExited() || l.r.ctx.Err() != nil {
				break
			}
		}
		c.Close()
		if answer.Class != rawhttp.Answered {
			return l.neverReady(fmt.Sprintf("gives no answer at %v: %v", t, answer.Err))
		}
	}
	second := l.r.url.with(rawhttp.HTTP2)
	second.Timeout = 5 * time.Second
	c := rawhttp.NewClient(second)
	defer c.Close()
	ctx, cancel := context.WithTimeout(l.r.ctx, second.Timeout)
	defer cancel()
	l.r.http2 = c.Exchange(ctx).Class == rawhttp.Answered
	return nil
}
