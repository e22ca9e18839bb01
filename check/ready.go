//go:build unix

package check

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	// readyEvery is the pause between two looks at a daemon that is starting, see also pace.
	readyEvery = 10 * time.Millisecond
	// settledAfter is when a daemon that listens on nothing counts as ready although it is never quiet (see quietness), when one whose
	// socket is not seen is asked whether it has one, and when one that answers with 5xx counts as ready.
	settledAfter = 3 * time.Second
	// knockEvery is the pause between two attempts to connect to such a one.
	knockEvery = 100 * time.Millisecond
	// askedWithin is how long one request to the readiness URL may take at the most. Another one may fare better.
	askedWithin = 10 * time.Second
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
		var port string
		if _, port, err = net.SplitHostPort(rest); err == nil {
			r.addr, err = rest, goodPort(port)
		}
	case kind == "log":
		if r.line, err = regexp.Compile(rest); rest == "" {
			err = errors.New("log: needs a regular expression")
		}
	case kind == "http" || kind == "https" || kind == "unix":
		r.url, err = parseURL(text)
	default:
		if r.delay, err = time.ParseDuration(text); err == nil && r.delay <= 0 {
			err = fmt.Errorf("must be positive, not %v", r.delay)
		} else if err != nil {
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
	limit := r.ReadyWithin
	come := make(<-chan struct{}) // closed when it is ready
	awaited := ""                 // what does not come, if it never is
	var look func() string        // how one knows that it is ready, "" if it is not
	switch {
	case r.ready.url != nil:
		look = func() (how string) { how, awaited = r.ready.url.ready(ctx); return how }
	case r.ready.addr != "":
		look = func() string { return accepts(ctx, r.ready.addr) }
		awaited = "nobody accepts connections at " + r.ready.addr
	case r.ready.line != nil:
		come, l.how = l.out.matched, fmt.Sprintf("its output matched %q", r.ready.line)
		awaited = fmt.Sprintf("no line of its output matched %q", r.ready.line)
	case r.ready.notify:
		come, l.how = l.notes.ready, "it sent READY=1"
		awaited = "it did not send READY=1 to NOTIFY_SOCKET"
	case r.ready.delay > 0:
		ran, stop := later(r.ready.delay)
		defer stop()
		come, l.how = ran, "it ran for "+r.ready.delay.String()
		limit = r.ready.delay + time.Minute
	case r.url != nil:
		answers, seen := l.listensForRequests(ctx)
		look = func() string { how := answers(); awaited = seen(); return how }
	case !seesProcesses:
		ran, stop := later(time.Second)
		defer stop()
		come, l.how = ran, "it ran for 1s: this system does not show what it does"
	default:
		look = l.listensOrIsQuiet()
	}
	expired := time.NewTimer(limit)
	defer expired.Stop()
	rate := pace{every: readyEvery}
	for l.how == "" || !closed(come) {
		var tick <-chan time.Time
		if look != nil {
			if rate.do(func() { l.how = look() }); l.how != "" {
				break
			}
			tick = rate.next()
		}
		select {
		case <-tick:
		case <-come:
		case <-l.k.exited:
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			why := "ended before it was ready: " + statusText(l.k.status)
			if goesOn := l.outlived(); len(goesOn) > 0 {
				why += fmt.Sprintf(", and what it started goes on (%s): have it stay in the foreground", text.Short(strings.Join(goesOn, ", "), 100))
			}
			return l.neverReady(why)
		case <-expired.C:
			why := fmt.Sprintf("was not ready within %v", limit)
			if awaited != "" {
				why += ": " + awaited
			}
			err := l.neverReady(why)
			err.Slow = true
			return err
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
	if l.hasExited() {
		return l.neverReady("ended as soon as it was ready: " + statusText(l.k.status))
	}
	now := time.Now()
	l.note(now, KindReady, l.how)
	r.starts = append(r.starts, now.Sub(l.k.started))
	return nil
}

// later is closed after a time.
func later(d time.Duration) (c chan struct{}, stop func() bool) {
	c = make(chan struct{})
	return c, time.AfterFunc(d, func() { close(c) }).Stop
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// ready asks a readiness URL once. It says how one knows that the daemon is ready, "", if it is not, and what was seen.
func (t *target) ready(ctx context.Context) (how, seen string) {
	switch status := t.status(ctx, askedWithin); {
	case status == 0:
		return "", fmt.Sprintf("GET %v got no answer", t)
	case status >= 200 && status < 400:
		how = fmt.Sprintf("GET %v answered %d", t, status)
		return how, how
	default:
		return "", fmt.Sprintf("GET %v answered %d", t, status)
	}
}

// accepts tries to connect once.
func accepts(ctx context.Context, addr string) string {
	conn, err := (&net.Dialer{}).DialContext(ctx, rawhttp.Network(addr), addr)
	if err != nil {
		return ""
	}
	conn.Close()
	return addr + " accepts connections"
}

// neverReady is the error with the output until now. Of what a daemon that has ended wrote, all is here.
func (l *life) neverReady(reason string) *StartError {
	l.k.end()
	l.out.awaitEnd()
	return &StartError{Program: l.r.Command[0], Reason: reason, Output: l.out.text()}
}

// listensForRequests returns the look at a daemon that takes requests: it is ready as soon as it listens there and answers one. Many
// listen first, and set their workers and handlers up afterwards. Answers with 5xx count after settledAfter: some daemons have no
// others, and that is not a matter of readiness.
func (l *life) listensForRequests(ctx context.Context) (look func() string, awaited func() string) {
	listens := l.listensThere(ctx)
	var heard string
	var answered time.Time // first, with whatever status
	seen := "nothing listens at " + l.r.url.Addr
	look = func() string {
		if heard == "" {
			if heard = listens(); heard == "" {
				return ""
			}
		}
		switch status := l.r.url.status(ctx, askedWithin); {
		case status == 0:
			seen = fmt.Sprintf("%s, and GET %v got no answer", heard, l.r.url)
			return ""
		case status >= 500:
			seen = fmt.Sprintf("GET %v answered %d", l.r.url, status)
			if answered.IsZero() {
				answered = time.Now()
			}
			if time.Since(answered) < settledAfter {
				return ""
			}
		}
		return heard + " and answers"
	}
	return look, func() string { return seen }
}

// listensThere returns the look whether somebody listens where the requests go. Nobody did before the daemon was started, so it is the
// daemon, also where its descriptors are not shown: it has changed its user, or has somebody else listen. One whose URL was found may
// have another port in each life.
func (l *life) listensThere(ctx context.Context) func() string {
	knock := l.k.started // when to connect
	if seesProcesses && rawhttp.Network(l.r.url.Addr) == "tcp" {
		knock = knock.Add(settledAfter)
	}
	return func() string {
		addr, err := netip.ParseAddrPort(l.r.url.Addr)
		if err == nil && seesProcesses {
			if s, ok := listens(l.k.daemon, addr); ok {
				l.listens = true
				return "it listens on " + s.String()
			}
			if l.r.report.Found && l.findsURL() {
				l.listens = true
				return "it listens on " + l.r.url.Addr
			}
		}
		if time.Now().Before(knock) {
			return ""
		}
		knock = time.Now().Add(knockEvery)
		return accepts(ctx, l.r.url.Addr) // it is in a network of its own
	}
}

// listensOrIsQuiet returns the look at a daemon of which nothing is known: it is ready as soon as it has a listening socket, or has
// been quiet for a while, see quietness. One that listened in its first life is ready when it does.
func (l *life) listensOrIsQuiet() func() string {
	q := quietness{long: quietFor}
	if l.r.report.Ready == "" {
		q.long = quietFirst
	}
	return func() string {
		if sockets := listening(descendants(l.k.pid)); len(sockets) > 0 {
			l.listens = true
			return "it listens on " + sockets[0].String()
		}
		if l.r.listens {
			return ""
		}
		return q.saw(time.Since(l.k.started), l.threads())
	}
}

// reconsider looks once more at a daemon that was taken for ready since it was quiet. Where it listens by now, it was not: that is waited
// for from now on.
func (l *life) reconsider() (late bool, err error) {
	r := l.r
	if r.Ready != "" || r.url != nil || r.listens || l.hasExited() {
		return false, nil
	}
	sockets := listening(descendants(l.k.pid))
	if len(sockets) == 0 {
		return false, nil
	}
	r.report.Ready = fmt.Sprintf("it listens on %s, which it did not yet when it was first taken for ready: %s", sockets[0], r.report.Ready)
	r.listens, r.starts = true, nil
	return true, r.whereRequestsGo(l)
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
	return r.url.port()
}

func (t *target) port() uint16 {
	addr, err := netip.ParseAddrPort(t.Addr)
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
	ctx, cancel := context.WithTimeout(r.ctx, time.Second)
	defer cancel()
	for _, addr := range addrs {
		if addr != "" && accepts(ctx, addr) != "" {
			return addr + " is in use by another program, before this one is started" + whoListens(addr)
		}
	}
	return ""
}
