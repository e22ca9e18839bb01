//go:build unix

package check

import (
	"fmt"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

var muteScenario = Scenario{
	Name:  "mute",
	Means: "it stops well even if its log is no longer read",
	Does:  "closes the other end of its output, then sends SIGTERM",
	Fails: "it hangs, or ends before the stop; warn: it dies of SIGPIPE while it stops",
	play:  playMute,
}

// playMute lets the reader of the daemon's output go away before the stop.
func playMute(r *runner) {
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	l.out.mute()
	const advice = "A log that nobody reads must not keep it from stopping: ignore SIGPIPE, and failures to write to the log. Go programs die of it on stdout and stderr unless they call signal.Ignore(syscall.SIGPIPE) or signal.Notify for it."
	if l.hasExited() {
		l.end()
		r.fail(codeMuteEnds, "ended before it was told to: "+statusText(l.k.status), advice)
		return
	}
	o := l.stop(r.Signal)
	r.stopTimes([]time.Duration{o.Took})
	name := process.SignalName(r.Signal)
	switch {
	case o.Hung:
		r.fail(codeMuteHangs, fmt.Sprintf("still there %v after %s", r.Grace, name), advice)
	case o.Status.Signaled() && o.Status.Signal() == syscall.SIGPIPE:
		r.warn(codeMuteDies, fmt.Sprintf("died of SIGPIPE %v after %s, in the middle of its stop", text.Round(o.Took), name), advice)
	case !r.asKnown(o) && !r.judge(o, r.Signal):
		r.result.Advice = advice
	default:
		r.pass("%s, %v after %s", statusText(o.Status), text.Round(o.Took), name)
	}
}
