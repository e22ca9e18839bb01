//go:build unix

package check

import (
	"fmt"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

const (
	// stormSize is how many signals are sent at once: every second one is the stop signal. Of these the system makes one where the
	// daemon is not let run meanwhile.
	stormSize = 1000
	// stormAfter is how many more stop signals are sent while the stop goes on, each stormPause after the one before has reached the
	// daemon: so they meet the handler in all that it does, however fast the machine is.
	stormAfter = 100
	stormPause = 10 * time.Millisecond
)

// harmless are signals whose default action is to do nothing (signal(7)), and to which no daemon gives another meaning.
var harmless = []syscall.Signal{syscall.SIGCONT, syscall.SIGURG, syscall.SIGCHLD}

var stormScenario = Scenario{
	Name:  "storm",
	Means: "many signals do no more than one",
	Does:  "sends a thousand signals at once, SIGTERM and harmless ones, and more as the stop goes on",
	Fails: "it crashes, hangs, or loses requests",
	play:  playStorm,
}

// playStorm sends very many signals at once.
func playStorm(r *runner) {
	if r.canStop() {
		return
	}
	if r.usual.Status.Signaled() && r.usual.Status.Signal() == r.Signal && !r.usual.Caught {
		r.skip("it has no handler for %s, see term", process.SignalName(r.Signal))
		return
	}
	s, ok := r.storm(stormSize)
	if !ok {
		return
	}
	o := s.o
	r.fact("signals", float64(s.sent), "", "before it had ended")
	if s.load != nil {
		r.requestFacts(s.load)
	}
	if s.held != nil {
		r.fact("requests under way that were lost", float64(s.held.sum()), "", s.held.what)
	}
	r.stopTimes([]time.Duration{o.Took})
	crash := s.l.crashed()
	if r.asKnown(o) {
		crash = "" // it ends in this way after one signal as well
	}
	if o.Hung || crash != "" { // under the same load, with one signal
		if one, ok := r.storm(1); !ok {
			return
		} else if o.Hung && one.o.Hung || crash != "" && one.l.crashed() != "" {
			r.pass("%s, and so after one signal under the same load: see load", endText(o, r.Grace))
			return
		}
		s.l.isWorst()
	}
	name := process.SignalName(r.Signal)
	forces := r.forces != nil && *r.forces || o.Status.Signaled() && o.Status.Signal() == r.Signal
	switch {
	case o.Hung:
		r.fail(codeStormHangs, fmt.Sprintf("still there %v after %d signals", r.Grace, s.sent), "Handlers that call what is not async-signal-safe can deadlock when they interrupt each other, see signal-safety(7). Let the handler only note the signal.")
	case crash != "":
		r.fail(codeStormCrashes, fmt.Sprintf("%s in a storm of signals%s", crash, said(o.Said)), "That is a crash: a handler that cannot be entered twice, or a stop that is begun twice.")
	case s.lost() > 0 && (forces || r.forced()):
		r.pass("%s; %d requests were cut, since a second %s ends it at once", statusText(o.Status), s.lost(), name)
	case s.lost() > 0:
		switch one, ok := r.storm(1); {
		case !ok:
		case one.lost() > 0:
			r.pass("lost %d of the requests under way, and %d with one signal: see inflight", s.lost(), one.lost())
		default:
			s.l.isWorst()
			r.fail(codeStormLoses, fmt.Sprintf("lost %d of %d %s: %s; and none with one signal", s.lost(), s.held.answered+s.lost(), s.held.what, s.held.ways()), "A stop that has begun must not begin again.")
		}
	case forces || r.asKnown(o) || !o.Status.Signaled() && r.accepts(o.Status.ExitStatus(), r.Signal) || r.forced():
		r.pass("%s, %v after the first of %d signals", statusText(o.Status), text.Round(o.Took), s.sent)
	default:
		one, ok := r.storm(1)
		switch {
		case !ok:
		case !one.o.Hung && one.o.Status == o.Status:
			r.pass("%s, and so after one signal under the same load: see port and inflight", statusText(o.Status))
		default:
			s.l.isWorst()
			r.judge(o, r.Signal)
		}
	}
}

// storm is a life that ends with very many signals, or with one, under load where there is a URL.
type storm struct {
	l    *life
	o    outcome
	sent int
	load *tally    // steady; what it loses now and then is the matter of the scenario load
	held *underway // under way in the whole of the storm, so that whether they are cut is not a matter of time; nil if none can be
}

// lost is how many requests were lost that were under way.
func (s *storm) lost() int {
	if s.held == nil {
		return 0
	}
	return s.held.sum()
}

func (r *runner) storm(size int) (s *storm, ok bool) {
	l, ok := r.begin()
	if !ok {
		return nil, false
	}
	s = &storm{l: l}
	wait := func() {}
	if r.url != nil {
		s.load = &tally{}
		s.held, _ = l.heldRequests()
		_, wait = l.steady(rawhttp.KeepAliveGET, s.load)
	}
	now := time.Now()
	if s.load != nil {
		s.load.tell(now)
	}
	if s.held != nil {
		s.held.tell(now)
	}
	l.signal(r.Signal)
	for s.sent = 1; s.sent < size && !l.hasExited(); s.sent++ {
		one := r.Signal
		if s.sent%2 == 1 {
			one = harmless[s.sent/2%len(harmless)]
		}
		l.send(one)
	}
	taken := time.Now() // by when the daemon had got the last of them
	for i := 0; size > 1 && i < stormAfter && !l.exits(stormPause) && r.ctx.Err() == nil; {
		if !pending(l.k.daemon, r.Signal) {
			l.send(r.Signal)
			s.sent++
			i++
			taken = time.Now()
		} else if waited := time.Since(taken); waited > r.Grace || waited > heldFor && blocked(l.k.daemon, r.Signal) {
			break // it takes one, and no more
		}
	}
	if size > 1 {
		l.note(time.Now(), KindSignal, fmt.Sprintf("the last of %d", s.sent))
	}
	if s.held != nil {
		if size == 1 {
			l.awaitArrival(r.Signal)
			l.exits(heldFor)
		}
		s.held.finish()
	}
	s.o = l.awaitEnd()
	wait()
	if s.held != nil {
		s.held.await()
		s.held.note(l)
	} else if s.load != nil {
		s.load.note(l)
	}
	return s, r.ctx.Err() == nil
}
