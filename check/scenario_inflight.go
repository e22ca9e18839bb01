//go:build unix

package check

import (
	"fmt"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// inflightTries is how often it is tried to have all requests under way when the signal comes. On a machine that is busy with
// something else the first may have ended before.
const inflightTries = 5

var inflightScenario = Scenario{
	Name:  "inflight",
	Means: "requests under way at the stop are served to the end",
	Does:  "sends SIGTERM while slow requests are under way",
	Fails: "a request is reset, cut short, or answered with 5xx, or the status is bad where that of an idle stop is not",
	Needs: "a URL, and one that is slow or takes uploads",
	play:  playInflight,
}

// playInflight stops the daemon while slow requests are under way.
func playInflight(r *runner) {
	if r.url == nil {
		r.skip("nothing is known to speak HTTP: give a URL with --url")
		return
	}
	if r.canStop() {
		return
	}
	for i := range inflightTries {
		r.say("life %d of %d at the most", i+1, inflightTries)
		if r.stopInflight() || r.ctx.Err() != nil {
			return
		}
	}
	r.skip("this machine is too busy for a signal while all requests are under way: give a URL that takes longer with --slow")
}

// requestStop is a life that was stopped with requests under way.
type requestStop struct {
	l    *life
	u    *underway // nil if none can be brought under way
	why  string    // not
	late bool      // they may have ended before the signal arrived
	o    outcome
}

// stopWithRequests is such a life. ok is false if it did not start.
func (r *runner) stopWithRequests(s syscall.Signal) (_ *requestStop, ok bool) {
	l, ok := r.begin()
	if !ok {
		return nil, false
	}
	stop := &requestStop{l: l}
	u, why := l.slowRequests()
	if u == nil {
		stop.why, stop.o = why, l.stop(s)
		return stop, true
	}
	stop.u = u
	u.tell(time.Now())
	l.signal(s)
	l.awaitArrival(s)
	stop.late = !u.until.IsZero() && time.Now().After(u.until)
	finish := time.AfterFunc(heldFor, u.finish)
	stop.o = l.awaitEnd()
	finish.Stop()
	u.finish()
	u.await()
	u.note(l)
	return stop, true
}

// stopInflight is one life. It reports whether there is a verdict.
func (r *runner) stopInflight() bool {
	stop, ok := r.stopWithRequests(r.Signal)
	if !ok {
		return true
	}
	u, o := stop.u, stop.o
	if u == nil {
		r.skip("%s", stop.why)
		return true
	}
	if (u.before > 0 || u.early > 0 || stop.late) && u.sum() == 0 && u.fivexx == 0 {
		return false
	}
	r.requestFacts(&u.tally)
	r.stopTimes([]time.Duration{o.Took})
	name := process.SignalName(r.Signal)
	const advice = "Let go of the listener and keep the connections: answer what is under way, then return. In Go: requests on a context that outlives the signal, and http.Server.Shutdown."
	switch lost := u.sum(); {
	case u.broken != "" && u.answered+lost == 0:
		r.skip("no request could be brought under way: %s", u.broken)
	case lost > 0:
		r.fail(codeCutsRequests, fmt.Sprintf("%d of %d %s: %s", lost, u.answered+lost, u.what, u.ways()), advice)
	case u.fivexx > 0:
		r.fail(codeFailsRequests, fmt.Sprintf("%d of %d %s were answered with 5xx", u.fivexx, u.answered, u.what), advice)
	case o.Hung:
		r.fail(codeHangsAnswered, fmt.Sprintf("answered all of %d, and was still there %v after %s", u.answered, r.Grace, name), "It waits for something that no longer comes. Set a limit to what it waits for.")
	default:
		r.judgeBusy(o, u.what)
		r.pass("answered all of %d %s; gone %v after %s", u.answered, u.what, text.Round(o.Took), name)
	}
	return true
}
