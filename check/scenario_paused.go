//go:build unix

package check

import (
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

var pausedScenario = Scenario{
	Name:  "paused",
	Means: "a daemon that was frozen stops when it thaws",
	Does:  "sends SIGSTOP, SIGTERM, SIGCONT",
	Fails: "it still runs after the grace period",
	play:  playPaused,
}

// playPaused freezes the daemon, sends it the signal, and thaws it.
func playPaused(r *runner) {
	if r.canStop() {
		return
	}
	l, ok := r.begin()
	if !ok {
		return
	}
	l.freezeAll()
	l.signal(r.Signal)
	l.thawAll()
	o := l.awaitEnd()
	r.stopTimes([]time.Duration{o.Took})
	switch {
	case o.Hung:
		r.fail(codeThawHangs, fmt.Sprintf("still there %v after %s and SIGCONT", r.Grace, process.SignalName(r.Signal)),
			"The signal came while it was frozen, as in a paused container or a suspended machine, and was lost. Look for code that starts again at SIGCONT, or that waits without looking at what was asked for.")
	case !r.asKnown(o) && l.crashed() != "":
		r.fail(codeThawCrashes, l.crashed()+" when it thawed"+said(o.Said), "That is a crash. Its core dump, if it left one, says where.")
	default:
		r.pass("%s, %v after it thawed", statusText(o.Status), text.Round(o.Took))
	}
}
