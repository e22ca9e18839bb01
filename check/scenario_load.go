//go:build unix

package check

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

const (
	loadTimes  = 2   // of steady load, for each way to send
	burstTimes = 6   // of bursts, for each way to send: in one, all may be answered before the signal is seen
	burstSize  = 128 // connections at the most: no more than the daemon's accept queue holds
	// burstWithin is how long the system may take to make the connections of a burst and to take their requests.
	burstWithin = 5 * time.Second
)

var loadScenario = Scenario{
	Name:  "load",
	Means: "a deploy under load loses no request that the daemon has taken",
	Does:  "sends SIGTERM in the middle of steady load, and of a burst that arrives together with the signal",
	Fails: "a request on an accepted connection gets no whole answer: read and lost, accepted and not read, or a hang; warn: one is answered with 5xx, or meets a keep-alive connection that is just being closed",
	Needs: "a URL",
	play:  playLoad,
}

// loadStops are the stops under load, which the scenarios load and backlog judge.
type loadStops struct {
	all    tally
	facts  []Fact
	stops  []time.Duration
	bursts int      // requests in them
	where  []string // requests were lost
	skip   string   // why there is nothing to judge, or too little
	early  string   // why nothing can be told from what was lost
	advice string   // about that
	hung   string   // under which load it hung
	worst  *life    // of those that lost requests or hung
	queued *life    // the first that lost connections of its queue
}

// loadStops stops the daemon under load: in the middle of a steady stream of requests, and with a burst of them that is there
// before the signal and that the daemon sees only together with it. For the burst it is frozen a moment, as on a machine that is
// busy with something else: what happens now and then in production happens each time. ok is false if it did not start.
func (r *runner) loadStops() (_ *loadStops, ok bool) {
	if r.loads != nil {
		return r.loads, true
	}
	s := &loadStops{}
	modes := []rawhttp.Mode{rawhttp.NewConn, rawhttp.KeepAliveGET}
	switch {
	case r.url.onlyHTTP2():
		modes = []rawhttp.Mode{rawhttp.HTTP2}
	case r.http2:
		modes = append(modes, rawhttp.HTTP2)
	}
	for _, mode := range modes {
		if ok = r.steadyStops(s, mode) && r.burstStops(s, mode); !ok {
			return nil, false
		}
		if s.skip != "" || s.early != "" {
			break
		}
	}
	if s.bursts == 0 && s.skip == "" && s.early == "" && seesProcesses && r.port() != 0 {
		s.skip = "no connection could be made while it was frozen: there was no burst of requests"
	}
	r.loads = s
	return s, true
}

// add takes the outcome of one stop, and reports whether the same is worth another.
func (s *loadStops) add(l *life, t *tally, o outcome, what string) (again bool) {
	t.witness.end()
	t.note(l)
	s.all.merge(t)
	s.stops = append(s.stops, o.Took)
	if o.Hung && s.hung == "" {
		s.hung, s.worst = what, l
	}
	if t.queued > 0 && s.queued == nil {
		s.queued = l
	}
	if n := t.sum(); n > 0 {
		if s.worst == nil {
			s.worst = l
		}
		s.where = append(s.where, fmt.Sprintf("%d in %s (%s)", n, what, t.ways()))
		s.facts = append(s.facts, Fact{"lost in " + what, float64(n), "", ""})
	}
	return l.r.ctx.Err() == nil && !o.Hung && t.sum() == 0 // once is enough
}

// steadyStops are those in the middle of steady load.
func (r *runner) steadyStops(s *loadStops, mode rawhttp.Mode) (ok bool) {
	for i := range r.times(loadTimes) {
		r.say("%v, steady, %d of %d", mode, i+1, r.times(loadTimes))
		l, ok := r.begin()
		if !ok {
			return false
		}
		var t tally
		flowing, wait := l.steady(mode, &t)
		if !flowing {
			wait()
			l.stop(r.Signal)
			s.skip = fmt.Sprintf("too few requests were answered to call it load (%v)", mode)
			return r.ctx.Err() == nil
		}
		t.signal(l)
		o := l.awaitEnd()
		wait()
		if t.early > 0 {
			t.witness.end()
			s.all.merge(&t)
			s.early = fmt.Sprintf("lost %d requests before the signal (%v, %d clients): what it loses at a stop cannot be told from that", t.early, mode, loadClients)
			s.advice = "It cannot take so many at once, or loses some at all times. Find that out first."
			return true
		}
		if !s.add(l, &t, o, "steady load, "+mode.String()) {
			break
		}
	}
	return r.ctx.Err() == nil
}

// burstStops are those with a burst, each of which has its control: the same burst without a stop.
func (r *runner) burstStops(s *loadStops, mode rawhttp.Mode) (ok bool) {
	if !seesProcesses || r.port() == 0 || s.skip != "" || s.early != "" {
		return r.ctx.Err() == nil
	}
	what := "a burst, " + mode.String()
	for i := range r.times(burstTimes) {
		r.say("%s, %d of %d", what, i+1, r.times(burstTimes))
		l, ok := r.begin()
		if !ok {
			return false
		}
		t, n, o := l.burst(mode, true)
		s.bursts += n
		if t.sum()+t.queued > 0 && !o.Hung {
			r.say("%s, without a stop", what)
			peaceful, ok := r.begin()
			if !ok {
				return false
			}
			if peace, _, _ := peaceful.burst(mode, false); peace.early > 0 {
				t.witness.end()
				s.all.merge(peace)
				s.early = fmt.Sprintf("lost %d of a burst of %d requests without a stop (%v)", peace.early, peace.early+peace.answered, mode)
				s.advice = "It cannot take so many at once. What it loses of them at a stop cannot be told from that."
				return true
			}
		}
		if !s.add(l, t, o, what) {
			break
		}
	}
	return r.ctx.Err() == nil
}

func playLoad(r *runner) {
	if r.url == nil {
		r.skip("nothing is known to speak HTTP: give a URL with --url")
		return
	}
	if r.canStop() {
		return
	}
	s, ok := r.loadStops()
	if !ok {
		return
	}
	all := &s.all
	if s.worst != nil {
		s.worst.isWorst()
	}
	r.result.Evidence = append(r.result.Evidence, s.facts...)
	if s.bursts > 0 {
		r.fact("requests in bursts", float64(s.bursts), "", "")
	}
	r.requestFacts(all)
	r.stopTimes(s.stops)
	if s.hung != "" {
		r.fail(codeHangsLoad, fmt.Sprintf("still there %v after the signal, under load (%s)", r.Grace, s.hung),
			"Connections that go on asking keep it from stopping. Say \"Connection: close\" in the answers of the stop, close what is idle, and set a limit.")
	}
	if len(s.where) > 0 {
		r.fail(codeLosesLoad, fmt.Sprintf("lost %d of %d requests: %s", all.sum(), all.sum()+all.answered, strings.Join(s.where, ", ")),
			"Stop in this order: no longer ready; accept what is in the queue; answer everything that was sent, with \"Connection: close\"; close. A listening socket that a supervisor holds loses nothing at all.")
	}
	if s.early != "" {
		r.warn(codeLosesBefore, s.early, s.advice)
	}
	if all.fivexx > 0 && all.errors == 0 {
		r.warn(codeTurnsAway, fmt.Sprintf("answered %d requests with 5xx after the signal", all.fivexx), "Serve what still comes until nobody sends any more, or refuse the connection: clients and balancers try those again.")
	}
	if all.idle > 0 {
		r.warn(codeClosesIdle, fmt.Sprintf("%d requests met a keep-alive connection that was just being closed", all.idle),
			"A client may send again what is idempotent (RFC 9110, 9.2.2), and not a POST. Say \"Connection: close\" in the last answer, and wait a moment before what is idle is closed.")
	}
	if r.NoRefuse && all.refused > 0 {
		r.warn(codeRefuses, fmt.Sprintf("refused %d connections after the signal", all.refused), "Let a supervisor hold the listening socket, such as `lastcall up` with listen.")
	}
	if s.skip != "" {
		r.skip("%s", s.skip)
	}
	r.pass("answered all of %d requests, %d of them sent after the signal", all.answered, all.after)
}

// burst freezes the daemon, lets n requests come, sends the signal, and thaws it. Without the stop, the signal comes when all have ended.
func (l *life) burst(mode rawhttp.Mode, stop bool) (_ *tally, n int, _ outcome) {
	var t tally
	ctx, cancel := context.WithTimeout(l.r.ctx, answersWithin)
	defer cancel()
	var all sync.WaitGroup
	defer all.Wait()
	sent := make(chan struct{}, burstSize)
	target := l.r.url.with(mode)
	target.OnSent = func() { sent <- struct{}{} }
	var clients []*rawhttp.Client
	if mode != rawhttp.NewConn {
		for range loadClients {
			c := rawhttp.NewClient(target)
			defer c.Close()
			r := c.Exchange(ctx)
			if t.add(r); r.Class == rawhttp.Answered {
				<-sent
				clients = append(clients, c)
			}
		}
	}
	l.freezeAll()
	if mode == rawhttp.NewConn {
		for i := range burstSize {
			c := rawhttp.NewClient(target)
			defer c.Close()
			dial, cancel := context.WithTimeout(ctx, burstWithin)
			r := c.Connect(dial)
			cancel()
			if r.Err != nil || queued(l.k.daemon, l.r.port()) <= i { // the daemon's queue is full
				break
			}
			clients = append(clients, c)
		}
	}
	for _, c := range clients {
		all.Go(func() { t.add(c.Exchange(ctx)) })
	}
	within, enough := context.WithTimeout(ctx, burstWithin)
	defer enough()
	if target.TLS != nil && mode == rawhttp.NewConn { // no request comes before the handshake has been answered
		l.awaitHellos(within, len(clients))
	} else {
		for range clients { // some may have met a connection that the daemon has closed, and send nothing
			select {
			case <-sent:
			case <-within.Done():
			}
		}
	}
	if stop {
		t.signal(l)
	}
	l.thawAll()
	if !stop {
		all.Wait()
		return &t, len(clients), l.stop(l.r.Signal)
	}
	o := l.awaitEnd()
	all.Wait()
	return &t, len(clients), o
}

// awaitHellos waits until so many connections have brought something that the daemon has not read.
func (l *life) awaitHellos(ctx context.Context, n int) {
	for ctx.Err() == nil && !l.hasExited() && unreadFrom(l.k.daemon, l.r.port()) < n {
		time.Sleep(time.Millisecond)
	}
}
