//go:build unix

package check

import (
	"fmt"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/process"
)

// stormSize is how many signals are sent at once: every second one is the stop signal.
const stormSize = 1000

// harmless are signals whose default action is to do nothing (signal(7)), and to which no daemon gives another meaning.
var harmless = []syscall.Signal{syscall.SIGCONT, syscall.SIGURG, syscall.SIGCHLD}

// playStorm sends very many signals at once, under load where there is a URL.
func playStorm(r *runner) {
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	var t tally
	wait := func() {}
	if r.url != nil {
		_, wait = l.steady(rawhttp.KeepAliveGET, &t)
	}
	t.signal(l)
	sent := 1
	for ; sent < stormSize && !l.hasExited(); sent++ {
		s := r.Signal
		if sent%2 == 1 {
			s = harmless[sent/2%len(harmless)]
		}
		_ = syscall.Kill(l.k.daemon, s)
	}
	l.note(time.Now(), KindSignal, fmt.Sprintf("the last of %d", sent))
	o := l.awaitEnd()
	wait()
	t.note(l)
	r.fact("signals", float64(sent), "", "before it had ended")
	if r.url != nil {
		r.requestFacts(&t)
	}
	r.stopTimes([]time.Duration{o.Took})
	name := process.SignalName(r.Signal)
	switch {
	case o.Hung:
		r.fail(fmt.Sprintf("still there %v after %d signals", r.Grace, sent), "Handlers that call what is not async-signal-safe can deadlock when they interrupt each other, see signal-safety(7). Let the handler only note the signal.")
	case o.Status.Signaled() && o.Status.Signal() != r.Signal:
		r.fail(fmt.Sprintf("%s in a storm of signals", statusText(o.Status)), "That is a crash: a handler that cannot be entered twice, or a stop that is begun twice.")
	case t.sum() > 0 && r.forces:
		r.pass("%s; %d requests were cut, since a second %s ends it at once", statusText(o.Status), t.sum(), name)
	case t.sum() > 0:
		r.fail(fmt.Sprintf("lost %d requests: %s", t.sum(), t.most()), "A stop that has begun must not begin again.")
	case r.forces || r.judge(o, r.Signal):
		r.pass("%s, %v after the first of %d signals", statusText(o.Status), round(o.Took), sent)
	}
}
