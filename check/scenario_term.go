//go:build unix

package check

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

var termScenario = Scenario{
	Name:  "term",
	Means: "service managers, containers and deploys stop it this way",
	Does:  "sends SIGTERM when it is idle",
	Fails: "it still runs after the grace period, has no handler, or ends with a bad status",
	play:  playTerm,
}

func playTerm(r *runner) { playSignal(r, r.Signal) }

// playSignal is the scenarios term and int.
func playSignal(r *runner, s syscall.Signal) {
	l, ok := r.begin()
	if !ok {
		return
	}
	o := l.stop(s)
	r.stopTimes([]time.Duration{o.Took})
	if r.judge(o, s) {
		end := statusText(o.Status)
		if o.Status.Signaled() {
			end += ", which its handler sent itself"
		}
		r.pass("%s, %v after %s", end, text.Round(o.Took), process.SignalName(s))
	}
	if s == r.Signal && o.Hung {
		r.hangs = process.SignalName(s) + " does not stop it, see term"
	}
}

var intScenario = Scenario{
	Name:  "int",
	Means: "Ctrl-C stops it as well",
	Does:  "sends SIGINT when it is idle",
	Fails: "as for term",
	play:  playInt,
}

// playInt does so where SIGINT is ignored as well: the daemon has the default action all the same, see becomeParent.
func playInt(r *runner) { playSignal(r, syscall.SIGINT) }

// judge finds what is wrong with the end of a daemon that was told to stop with s, and reports whether all is well. What
// outlived it is the scenario orphans' matter.
func (r *runner) judge(o outcome, s syscall.Signal) bool {
	name := process.SignalName(s)
	code, died := o.Status.ExitStatus(), o.Status.Signal()
	switch {
	case o.Hung:
		r.fail(fmt.Sprintf("still there %v after %s", r.Grace, name),
			fmt.Sprintf("Handle %s: stop taking work, finish what is under way, return. If it does that and needs longer, give it more with --grace.", name))
	case !o.Status.Signaled():
		if r.accepts(code, s) {
			return true
		}
		r.fail(fmt.Sprintf("exit code %d after %s%s", code, name, said(o.Said)),
			"Service managers count this stop as a failure, and may start it again. Exit with 0 after a stop that was asked for, or accept the status with --exit.")
	case died == s && o.Caught:
		return true // it has done what it had to, and then died of the signal as its parent can see
	case died == s:
		advice := fmt.Sprintf("Handle %s: the default action ends the process at once, whatever is under way.", name)
		if r.Ready == "" && r.url == nil && !r.listens {
			advice += " If it sets its handler up later than " + quietFirst.String() + " after its start, say with --ready when it is ready."
		}
		r.fail(fmt.Sprintf("died of %s: it has no handler for it", name), advice)
	default:
		r.fail(fmt.Sprintf("%s after %s%s", statusText(o.Status), name, said(o.Said)), "That is a crash on the way out. Its core dump, if it left one, says where.")
	}
	return false
}

// accepts reports whether an exit code is that of a good stop.
func (r *runner) accepts(code int, s syscall.Signal) bool {
	return code == 0 || code == 128+int(s) || slices.Contains(r.Exit, code)
}

// asUsual reports whether a life that was told to stop with the usual signal ended as the first one did, when nothing was the matter.
// What is wrong with such an end is what term says, and no other scenario says it again.
func (r *runner) asUsual(o outcome) bool {
	return !o.Hung && !r.usual.Hung && o.Status == r.usual.Status && o.Caught == r.usual.Caught
}

// crashed is the sign of a crash in an end: a signal that nobody sent, or what a runtime writes when it gives up. It is "" if
// there is none.
func (l *life) crashed() string {
	s := l.done.Status
	switch {
	case l.done.Hung:
	case s.Signaled() && s.Signal() != l.r.Signal && s.Signal() != syscall.SIGKILL: // that is a will, such as that of `lastcall run`
		return statusText(s)
	case !s.Signaled() && s.ExitStatus() != 0:
		for line := range strings.Lines(l.out.text()) {
			for _, sign := range []string{"panic: ", "fatal error: ", "Traceback (most recent call last)"} {
				if strings.HasPrefix(line, sign) {
					return statusText(s) + ", " + text.Short(line, 100)
				}
			}
		}
	}
	return ""
}

// canStop skips a scenario that cannot say more than that the daemon does not stop.
func (r *runner) canStop() (skipped bool) {
	if r.hangs != "" {
		r.skip("%s", r.hangs)
		return true
	}
	return false
}
