package serve

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
)

const (
	// firstLinger is the factor by which a new connection may be silent longer before its first request: it was just
	// opened to send one, and on a busy machine a handshake takes long.
	firstLinger = 10
	// partialLinger is how long a connection with a partial request may be silent; net/http's Shutdown has the same
	// limit.
	partialLinger = 5 * time.Second
	// afterGoAway is when an HTTP/2 connection without requests is closed if net/http has not closed it, which it does
	// one second after GOAWAY.
	afterGoAway = 1500 * time.Millisecond
	// answerWithin is how long after the hard stop a handler can still answer.
	answerWithin = 50 * time.Millisecond
	// failedGrace is the grace period of requests when accepting failed without a stop.
	failedGrace = 5 * time.Second
)

// track starts to track an accepted connection.
func (r *run) track(nc net.Conn) net.Conn {
	c := &conn{run: r, inner: nc}
	c.enter(phaseFresh)
	r.accepted.Store(int64(c.since()))
	r.mu.Lock()
	r.conns[c] = struct{}{}
	r.mu.Unlock()
	if r.stopping.Load() {
		r.wake()
	}
	return c.wrap()
}

// forget is called when a connection and its handlers have ended.
func (r *run) forget(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.conns[c]; !ok {
		return
	}
	delete(r.conns, c)
	switch {
	case len(r.conns) > 0:
	case !r.accepting:
		close(r.empty)
	case r.stopping.Load():
		r.ln.wake()
	}
}

// open returns the number of connections.
func (r *run) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns)
}

// some returns up to n of the connections.
func (r *run) some(n int) []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	conns := make([]*conn, 0, min(n, len(r.conns)))
	for c := range r.conns {
		if len(conns) == n {
			break
		}
		conns = append(conns, c)
	}
	return conns
}

// all returns all connections.
func (r *run) all() []*conn { return r.some(int(^uint(0) >> 1)) }

// wake makes drain sweep the connections again.
func (r *run) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// stop begins the soft stop, and drains while the accept loop empties the queue.
func (r *run) stop(limit time.Duration) error {
	r.stopping.Store(true)
	r.ln.stop()
	return r.drain(limit)
}

// acceptedAll is called when the accept loop has ended.
func (r *run) acceptedAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepting = false
	if len(r.conns) == 0 {
		close(r.empty)
	}
}

// tellAll tells the user, and the users of hijacked connections, that the stop has begun.
func (r *run) tellAll() {
	_ = r.user.Shutdown(ended) // it has no connections, only the functions of RegisterOnShutdown
	for _, c := range r.all() {
		r.tell(c)
	}
}

// tell tells the user that this connection must end, if it is hijacked.
func (r *run) tell(c *conn) {
	if r.opt.tell == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hijacked && !c.closed && !c.told {
		c.told = true
		go r.opt.tell(c.outer)
	}
}

// drain waits until the last connection and the last handler have ended. It closes connections that have been quiet,
// and at the hard stop, or after limit if that is not 0, all of them.
func (r *run) drain(limit time.Duration) error {
	r.tellAll()
	grace := r.grace
	if limit > 0 {
		var cancel context.CancelFunc
		grace, cancel = context.WithTimeout(grace, limit)
		defer cancel()
	}
	s := sweeper{run: r, began: r.now(), linger: r.opt.linger, first: r.opt.linger * firstLinger}
	if hardStop, ok := grace.Deadline(); ok {
		half := max(time.Until(hardStop)/2, 0)
		s.linger, s.first = min(s.linger, half), min(s.first, half)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next := s.sweep(r.now()); next >= 0 {
			timer.Reset(next)
		} else {
			timer.Stop()
		}
		select {
		case <-r.empty:
			return r.whatWasCut(0)
		case <-timer.C:
		case <-r.changed:
		case <-grace.Done():
			return r.hardStop()
		}
	}
}

// A sweeper closes the connections that have been quiet for long enough.
type sweeper struct {
	run    *run
	began  time.Duration // when the stop began; in the run's time, like all times here
	linger time.Duration
	first  time.Duration // linger of a connection before its first request
	gone   time.Duration // when GOAWAY was sent
}

// sweep returns the time until the next sweep; -1 if time alone changes nothing.
func (s *sweeper) sweep(now time.Duration) time.Duration {
	next := time.Duration(-1)
	due := func(at time.Duration) bool {
		if at <= now {
			return true
		}
		if next < 0 || at < next {
			next = at
		}
		return false
	}
	goAway := time.Duration(-1) // when the last HTTP/2 connection will have been quiet
	for _, c := range s.run.all() {
		stage := c.stage.Load()
		since := sinceOf(stage)
		switch phaseOf(stage) {
		case phaseIdle:
			if due(since + s.linger) {
				c.ask()
			}
		case phaseFresh:
			if due(since + s.first) {
				c.ask()
			}
		case phasePartial:
			if due(max(since, s.began) + partialLinger) {
				c.end()
			}
		case phaseActive:
			if !c.http2.Load() {
				continue
			}
			c.mu.Lock()
			busy := c.requests != nil
			c.mu.Unlock()
			switch {
			case s.gone == 0 && busy:
				goAway = max(goAway, s.began+s.linger)
			case s.gone == 0:
				goAway = max(goAway, min(since, s.began)+s.linger)
			case !busy && due(max(since, s.gone)+afterGoAway):
				c.end()
			}
		}
	}
	if goAway >= 0 && due(goAway) {
		s.gone = now
		s.run.goAway()
		due(now + afterGoAway)
	}
	if next < 0 {
		return -1
	}
	// Connections that come due in short succession are closed together, to keep the number of sweeps small.
	return max(next-now, s.linger/16)
}

// hardStop closes everything and waits for the handlers. Meanwhile the worker's status names their requests.
func (r *run) hardStop() error {
	hijacked := int(r.hijacked.Load())
	for _, c := range r.all() {
		if !c.answering() {
			c.end()
		}
	}
	// Handlers that watch their context return now, and may still answer their clients; see unanswered for those that
	// do not. Then everything is closed, and the status is renewed at growing intervals.
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	for wait := answerWithin; ; wait *= 2 {
		lastcall.Status(r.ctx, describe(r.underWay(), r.now()))
		select {
		case <-r.empty:
			lastcall.Status(r.ctx, "")
			return r.whatWasCut(hijacked)
		case <-timer.C:
		}
		for _, c := range r.all() {
			c.end()
		}
		timer.Reset(wait)
	}
}

// named is how many requests are named; the others are counted.
const named = 3

// wasCut notes a request that ended after the hard stop.
func (r *run) wasCut(x *exchange) {
	text := x.describe(r.now())
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cutCount++; r.cutCount <= named {
		r.cutNames = append(r.cutNames, text)
	}
}

// whatWasCut names what the hard stop cut, nil for nothing. Everything has ended by then.
func (r *run) whatWasCut(hijacked int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	what := r.cutNames
	if more := r.cutCount - len(what); more > 0 {
		what = append(what, fmt.Sprintf("%d more", more))
	}
	switch {
	case hijacked == 1:
		what = append(what, "1 hijacked connection")
	case hijacked > 1:
		what = append(what, fmt.Sprintf("%d hijacked connections", hijacked))
	}
	if what == nil {
		return nil
	}
	return fmt.Errorf("cut %s", strings.Join(what, ", "))
}

// underWay returns the requests under way, the oldest first.
func (r *run) underWay() []*exchange {
	var xs []*exchange
	for _, c := range r.all() {
		c.mu.Lock()
		for x := c.requests; x != nil; x = x.next {
			xs = append(xs, x)
		}
		c.mu.Unlock()
	}
	slices.SortFunc(xs, func(a, b *exchange) int { return cmp.Compare(a.began, b.began) })
	return xs
}

// describe names the oldest requests. Queries are left out: they may hold secrets.
func describe(xs []*exchange, now time.Duration) string {
	var texts []string
	for _, x := range xs[:min(named, len(xs))] {
		texts = append(texts, x.describe(now))
	}
	if more := len(xs) - named; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, ", ")
}

// describe is one request as text, such as "GET /slow from 192.0.2.7:4711 running 12s".
func (x *exchange) describe(now time.Duration) string {
	precision := time.Millisecond
	if now-x.began >= 10*time.Second {
		precision = time.Second
	}
	return fmt.Sprintf("%s %s from %s running %s", x.method, x.path, x.conn.inner.RemoteAddr(), (now - x.began).Round(precision))
}
