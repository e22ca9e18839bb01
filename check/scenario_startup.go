//go:build unix

package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

const (
	// startupInstants are spread over the time from exec to ready, one at random in each of so many parts of it.
	startupInstants = 16
	// startupListens is how often the signal comes as soon as there is a listening socket: the handler is often set up just after.
	startupListens = 4
)

var startupScenario = Scenario{
	Name:  "startup",
	Means: "a deploy that is cancelled at once leaves nothing hanging",
	Does:  "sends SIGTERM at many instants between exec and ready",
	Fails: "it hangs, crashes, ends by itself, or leaves something behind; warn: it died of the signal with sockets or files open, or ends with a bad status",
	play:  playStartup,
}

// playStartup sends the signal at many instants between exec and ready.
func playStartup(r *runner) {
	if r.canStop() {
		return
	}
	starts := spread(r.starts)
	n := r.times(startupInstants)
	listens := 0
	if seesProcesses && (r.listens || r.url != nil) {
		listens = r.times(startupListens)
	}
	died := 0
	var stops []time.Duration
	for i := range n + listens {
		r.say("life %d of %d", i+1, n+listens)
		l, err := r.start(false)
		if err != nil {
			r.failed(err)
			return
		}
		when := "as soon as it listened"
		if i < n {
			at := time.Duration((float64(i) + r.rand.Float64()) / float64(n) * float64(starts.Median))
			when = fmt.Sprintf("%v after exec", text.Round(at))
			l.exits(time.Until(l.k.started.Add(at)))
		} else {
			l.awaitSocket(r.ReadyWithin)
		}
		if l.hasExited() { // of itself, before there was anything to stop
			l.end()
			r.fact("ended by itself after", ms(l.k.ended.Sub(l.k.started)), "ms", "from exec")
			r.fail(codeStartEnds, "ended by itself while it started: "+statusText(l.k.status)+said(l.out.last(300)), "It starts only sometimes.")
			break
		}
		open := holds(l.k.daemon)
		o := l.stop(r.Signal)
		if r.ctx.Err() != nil {
			return
		}
		stops = append(stops, o.Took)
		name := process.SignalName(r.Signal)
		switch {
		case o.Hung:
			l.isWorst()
			r.fail(codeStartForgets, fmt.Sprintf("still there %v after %s, which came %s", r.Grace, name, when),
				"The signal was lost or forgotten while it started. Set the handler up before anything else, and look after each step of the start whether it was called.")
		case len(o.Left) > 0:
			l.isWorst()
			r.fail(codeStartLeaves, fmt.Sprintf("left %s behind, when %s came %s", text.Short(strings.Join(o.Left, ", "), 100), name, when),
				"A child that is started must be known to the handler from its first moment.")
		case r.asKnown(o) && o.Status.Signal() != r.Signal:
		case l.crashed() != "":
			l.isWorst()
			r.fail(codeStartCrashes, fmt.Sprintf("%s, when %s came %s%s", l.crashed(), name, when, said(o.Said)),
				"The stop meets what is not there yet. Let it look at what it stops, or begin after the start.")
		case !o.Status.Signaled() && !r.accepts(o.Status.ExitStatus(), r.Signal):
			l.isWorst()
			r.warn(codeStartStatus, fmt.Sprintf("exit code %d, when %s came %s", o.Status.ExitStatus(), name, when),
				"Service managers count that as a failure. A start that was called off is none: exit with 0.")
		case o.Status.Signaled():
			died++
			if len(open) > 0 && !o.Caught {
				r.warn(codeStartOpen, fmt.Sprintf("died of %s, which came %s, with %s open", name, when, text.Short(strings.Join(open, ", "), 100)),
					"Set the handler up before anything that somebody could miss is opened.")
			}
		}
		if o.Hung {
			break
		}
	}
	r.fact("signals", float64(len(stops)), "", "between exec and ready")
	r.fact("start", ms(starts.Median), "ms", "median")
	r.fact("died of it before there was a handler", float64(died), "", "which is well as long as nothing was open")
	if len(stops) > 0 {
		r.stopTimes(stops)
	}
	r.pass("stopped each of %d times, at instants over %v", n+listens, text.Round(starts.Median))
}

// awaitSocket waits until the daemon listens.
func (l *life) awaitSocket(within time.Duration) {
	for limit := time.Now().Add(within); time.Now().Before(limit) && !l.hasExited() && l.r.ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if len(listening(descendants(l.k.pid))) > 0 {
			return
		}
	}
}
