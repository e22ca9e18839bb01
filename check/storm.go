//go:build unix

package check

import (
	"fmt"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
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
	// stormTimes is how often requests must have been lost in a storm, and never with one signal, for that to be the storm's doing: what is
	// lost now and then is lost with one signal as well, which the scenario load is for.
	stormTimes = 3
)

// harmless are signals whose default action is to do nothing (signal(7)), and to which no daemon gives another meaning.
var harmless = []syscall.Signal{syscall.SIGCONT, syscall.SIGURG, syscall.SIGCHLD}

// playStorm sends very many signals at once.
func playStorm(r *runner) {
	if r.canStop() {
		return
	}
	l, t, o, sent, ok := r.storm(stormSize)
	if !ok {
		return
	}
	r.fact("signals", float64(sent), "", "before it had ended")
	if r.url != nil {
		r.requestFacts(t)
	}
	r.stopTimes([]time.Duration{o.Took})
	crash := l.crashed()
	if r.asUsual(o) || crash != "" && r.forced() && statusText(o.Status) == r.cutEnd {
		crash = "" // it ends in this way after one signal as well, or after two
	}
	name := process.SignalName(r.Signal)
	forces := r.forces != nil && *r.forces || o.Status.Signaled() && o.Status.Signal() == r.Signal
	switch {
	case o.Hung:
		r.fail(fmt.Sprintf("still there %v after %d signals", r.Grace, sent), "Handlers that call what is not async-signal-safe can deadlock when they interrupt each other, see signal-safety(7). Let the handler only note the signal.")
	case crash != "":
		r.fail(fmt.Sprintf("%s in a storm of signals", crash), "That is a crash: a handler that cannot be entered twice, or a stop that is begun twice.")
	case t.sum() > 0 && (forces || r.forced()):
		r.pass("%s; %d requests were cut, since a second %s ends it at once", statusText(o.Status), t.sum(), name)
	case t.sum() > 0:
		r.judgeLosses(l, t)
	case forces || r.asUsual(o) || r.judge(o, r.Signal):
		r.pass("%s, %v after the first of %d signals", statusText(o.Status), round(o.Took), sent)
	}
}

// storm is a life that ends with very many signals, or with one, under load where there is a URL.
func (r *runner) storm(size int) (l *life, t *tally, o outcome, sent int, ok bool) {
	if l, ok = r.begin(); !ok {
		return
	}
	t = &tally{}
	wait := func() {}
	var held *underway // so that something is under way in the whole of the storm, and not only if the daemon is slow
	if r.url != nil {
		held, _ = l.heldRequests()
		_, wait = l.steady(rawhttp.KeepAliveGET, t)
	}
	if held != nil {
		held.tell(time.Now())
	}
	t.signal(l)
	for sent = 1; sent < size && !l.hasExited(); sent++ {
		s := r.Signal
		if sent%2 == 1 {
			s = harmless[sent/2%len(harmless)]
		}
		l.send(s)
	}
	for i := 0; size > 1 && i < stormAfter && !l.exits(stormPause) && r.ctx.Err() == nil; {
		if !pending(l.k.daemon, r.Signal) {
			l.send(r.Signal)
			sent++
			i++
		}
	}
	if size > 1 {
		l.note(time.Now(), KindSignal, fmt.Sprintf("the last of %d", sent))
	} else if held != nil {
		l.awaitArrival(r.Signal)
		l.exits(heldFor)
	}
	if held != nil {
		held.finish()
	}
	o = l.awaitEnd()
	wait()
	if held != nil {
		held.await()
		t.merge(&held.tally)
	}
	t.note(l)
	return l, t, o, sent, r.ctx.Err() == nil
}

// judgeLosses finds out whether requests that were lost in a storm would have been lost with one signal as well.
func (r *runner) judgeLosses(l *life, first *tally) {
	for i := range stormTimes {
		r.say("one signal instead, %d of %d", i+1, stormTimes)
		if _, t, _, _, ok := r.storm(1); !ok || t.sum() > 0 {
			if ok {
				r.pass("lost %d requests, as it does with one signal: see load", first.sum())
			}
			return
		}
		if i == stormTimes-1 {
			break
		}
		r.say("once more, %d of %d", i+2, stormTimes)
		if _, t, _, _, ok := r.storm(stormSize); !ok || t.sum() == 0 {
			if ok {
				r.pass("lost %d requests, and none in another storm: see load", first.sum())
			}
			return
		}
	}
	l.isWorst()
	r.fail(fmt.Sprintf("lost %d requests: %s; and none with one signal", first.sum(), first.most()), "A stop that has begun must not begin again.")
}
