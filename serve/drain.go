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
	// firstLinger is how many times as long a new connection may be silent before its first request: it was just made
	// to send one, and on a machine without time to spare a handshake takes long.
	firstLinger = 10
	// partialLinger is how long a request that has arrived in part may be silent; net/http's Shutdown has the same.
	partialLinger = 5 * time.Second
	// afterGoAway is when an HTTP/2 connection without requests is closed that net/http has not closed, which does it
	// one second after GOAWAY.
	afterGoAway = 1500 * time.Millisecond
	// lastWords is how long after the hard stop a handler can still answer.
	lastWords = 50 * time.Millisecond
	// failedGrace is what requests get when accepting failed while nobody asked for a stop.
	failedGrace = 5 * time.Second
)

// track begins to track a connection that was accepted.
func (r *run) track(nc net.Conn) net.Conn {
	c := &conn{run: r, inner: nc}
	c.enter(phaseFresh)
	r.accepted.Store(c.since.Load())
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

// open is how many connections there are.
func (r *run) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.conns)
}

// some is up to n of the connections.
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

// all is all of the connections.
func (r *run) all() []*conn { return r.some(int(^uint(0) >> 1)) }

// wake makes drain look at the connections again.
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

// tell says to the user that this connection is to end, if it is hijacked.
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

// drain waits until the last connection and the last handler have ended. It closes what has been quiet, and at the hard
// stop, or after limit if that is not 0, everything.
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

// A sweeper ends the connections that have been quiet for long enough.
type sweeper struct {
	run    *run
	began  time.Duration // the stop, in the run's time like all times here
	linger time.Duration
	first  time.Duration // linger of a connection on which there was no request yet
	gone   time.Duration // when GOAWAY was sent
}

// sweep returns in how long to look again; -1 if time alone changes nothing.
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
		since := time.Duration(c.since.Load())
		switch phase(c.phase.Load()) {
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
	// Connections that come due one soon after the other are ended together, so that sweeps stay few.
	return max(next-now, s.linger/16)
}

// hardStop closes everything and waits for the handlers. Meanwhile the worker's status says which requests there are.
func (r *run) hardStop() error {
	hijacked := int(r.hijacked.Load())
	for _, c := range r.all() {
		if !c.answering() {
			c.end()
		}
	}
	// The handlers that mind their context return now, and may still tell their clients; see unanswered for those that
	// do not. Then everything is closed, and who is left is looked up again at growing intervals.
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	for wait := lastWords; ; wait *= 2 {
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

// named is how many requests are named; the rest is counted.
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

// whatWasCut is nil if nothing was. Everything has ended.
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

// underWay is the requests under way, the oldest first.
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

// describe is such as "GET /slow from 192.0.2.7:4711 running 12s".
func (x *exchange) describe(now time.Duration) string {
	precision := time.Millisecond
	if now-x.began >= 10*time.Second {
		precision = time.Second
	}
	return fmt.Sprintf("%s %s from %s running %s", x.method, x.path, x.conn.inner.RemoteAddr(), (now - x.began).Round(precision))
}
