//go:build unix

package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

const (
	// readyEvery is the pause between two looks at a daemon that is starting.
	readyEvery = 10 * time.Millisecond
	// quietFor is how long no thread may have run, nor want to, for a daemon to be quiet.
	quietFor = 300 * time.Millisecond
	// settledAfter is when a daemon that listens on nothing counts as ready although it is never quiet.
	settledAfter = 3 * time.Second
)

// readiness is how one knows that a daemon is ready. The zero value: it listens, or is quiet.
type readiness struct {
	url    *target
	addr   string // something accepts connections there
	line   *regexp.Regexp
	notify bool
	delay  time.Duration
}

func parseReady(text string) (r readiness, err error) {
	switch kind, rest, _ := strings.Cut(text, ":"); {
	case text == "":
	case text == "notify":
		r.notify = true
	case kind == "tcp":
		if _, _, err = net.SplitHostPort(rest); err == nil {
			r.addr = rest
		}
	case kind == "log":
		if r.line, err = regexp.Compile(rest); rest == "" {
			err = errors.New("log: needs a regular expression")
		}
	case kind == "http" || kind == "https":
		r.url, err = parseURL(text)
	default:
		if r.delay, err = time.ParseDuration(text); err != nil || r.delay < 0 {
			err = fmt.Errorf("%q is none of a URL, tcp:HOST:PORT, log:REGEXP, notify, and a time such as 2s", text)
		}
	}
	return r, err
}

// awaitReady waits until the daemon is ready. The error is a *StartError, or that of the context.
func (l *life) awaitReady() error {
	r := l.r
	ctx, cancel := context.WithTimeout(r.ctx, r.ReadyWithin)
	defer cancel()
	var come <-chan struct{} // closed when it is ready
	var look func() string   // how one knows that it is ready, "" if it is not
	limit := r.ReadyWithin
	switch {
	case r.ready.url != nil:
		c := rawhttp.NewClient(r.ready.url.Target)
		defer c.Close()
		look = func() string {
			if a := c.Exchange(ctx); a.Class == rawhttp.Answered && a.Status >= 200 && a.Status < 400 {
				return fmt.Sprintf("GET %v answered %d", r.ready.url, a.Status)
			}
			return ""
		}
	case r.ready.addr != "":
		look = func() string {
			if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.ready.addr); err == nil {
				conn.Close()
				return r.ready.addr + " accepts connections"
			}
			return ""
		}
	case r.ready.line != nil:
		come, l.how = l.out.matched, fmt.Sprintf("its output matched %q", r.ready.line)
	case r.ready.notify:
		come, l.how = l.notes.ready, "it sent READY=1"
	case r.ready.delay > 0:
		after := make(chan struct{})
		defer time.AfterFunc(r.ready.delay, func() { close(after) }).Stop()
		come, l.how = after, "it ran for "+r.ready.delay.String()
		limit = r.ready.delay + time.Minute
	case !seesProcesses:
		after := make(chan struct{})
		defer time.AfterFunc(time.Second, func() { close(after) }).Stop()
		come, l.how = after, "it ran for 1s: this system does not show what it does"
	default:
		look = l.listensOrIsQuiet()
	}
	expired := time.NewTimer(limit)
	defer expired.Stop()
	ticker := time.NewTicker(readyEvery)
	defer ticker.Stop()
	for {
		if look != nil {
			if how := look(); how != "" {
				l.how = how
				break
			}
		}
		var tick <-chan time.Time
		if look != nil {
			tick = ticker.C
		}
		select {
		case <-tick:
			continue
		case <-come:
		case <-l.k.exited:
			return l.neverReady("ended before it was ready: " + statusText(l.k.status))
		case <-expired.C:
			return l.neverReady(fmt.Sprintf("was not ready within %v", limit))
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
		break
	}
	if l.hasExited() {
		return l.neverReady("ended as soon as it was ready: " + statusText(l.k.status))
	}
	l.readied = time.Now()
	l.note(l.readied, KindReady, l.how)
	r.starts = append(r.starts, l.readied.Sub(l.k.started))
	return nil
}

// neverReady is the error with the output until now. Of what a daemon that has ended wrote, all is here.
func (l *life) neverReady(reason string) error {
	l.k.end()
	l.out.awaitEnd()
	tail, _ := l.out.text()
	return &StartError{Program: l.r.Command[0], Reason: reason, Output: tail}
}

// listensOrIsQuiet returns the look at a daemon of which nothing is known: it is ready as soon as it has a listening socket (the
// one for the requests, if one knows which), or no thread of it has run, or wanted to, for quietFor, or after settledAfter.
func (l *life) listensOrIsQuiet() func() string {
	var before []uint64
	since := time.Now()
	return func() string {
		procs := descendants(l.k.pid)
		for _, s := range listening(procs) {
			if port := l.r.port(); port == 0 || s.Addr.Port() == port {
				return "it listens on " + s.String()
			}
		}
		var now []uint64
		busy := false
		for _, t := range threadsOf(procs) {
			now = append(now, uint64(t.TID), t.Switches)
			busy = busy || t.State == 'R' || t.State == 'D'
		}
		if busy || !slices.Equal(before, now) {
			before, since = now, time.Now()
		}
		switch {
		case l.r.port() != 0:
		case time.Since(since) >= quietFor:
			return "it was quiet for " + quietFor.String()
		case time.Since(l.k.started) >= settledAfter:
			return "it ran for " + settledAfter.String()
		}
		return ""
	}
}

// String is the address.
func (s socket) String() string {
	if s.Network == "unix" {
		return s.Path
	}
	return s.Addr.String()
}

// port is that of the daemon's own requests, 0 if it is not known, or not on this machine.
func (r *runner) port() uint16 {
	if r.url == nil {
		return 0
	}
	addr, err := netip.ParseAddrPort(r.url.Addr)
	if err != nil {
		return 0
	}
	return addr.Port()
}

// inTheWay says who accepts connections where the daemon is to, before it is started.
func (r *runner) inTheWay() string {
	addrs := []string{r.ready.addr}
	for _, t := range []*target{r.url, r.slow, r.ready.url} {
		if t != nil {
			addrs = append(addrs, t.Addr)
		}
	}
	for _, addr := range addrs {
		if addr == "" {
			continue
		}
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			conn.Close()
			return addr + " is in use by another program, before this one is started" + whoListens(addr)
		}
	}
	return ""
}
