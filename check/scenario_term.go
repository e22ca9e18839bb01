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

// patienceWithin bounds how long term watches on after the grace period, to say how much the daemon needs.
const patienceWithin = 30 * time.Second

var termScenario = Scenario{
	Name:  "term",
	Means: "service managers, containers and deploys stop it this way",
	Does:  "sends SIGTERM when it is idle",
	Fails: "it still runs after the grace period, has no handler of its own, or ends with a bad status",
	play:  playTerm,
}

func playTerm(r *runner) {
	l, ok := r.begin()
	if !ok {
		return
	}
	l.patience = min(2*r.Grace, patienceWithin)
	o := l.stop(r.Signal)
	if !r.judgePlain(o, r.Signal) {
		r.known = &o
	}
	if o.Hung {
		r.hangs = process.SignalName(r.Signal) + " does not stop it, see term"
	}
}

// judgePlain is the verdict of the scenarios term and int: what is wrong with the end of an idle daemon. It reports whether nothing is.
func (r *runner) judgePlain(o outcome, s syscall.Signal) bool {
	r.stopTimes([]time.Duration{o.Took})
	if !r.judge(o, s) {
		return false
	}
	end := statusText(o.Status)
	byRuntime := o.Runtime != "" && (o.Status.Signaled() || o.Status.ExitStatus() == 128+int(s))
	switch {
	case byRuntime:
		return r.judgeRuntime(o, s)
	case o.Status.Signaled():
		end += ", which its handler sent itself"
	}
	r.pass("%s, %v after %s", end, text.Round(o.Took), process.SignalName(s))
	return true
}

// judgeRuntime is the verdict of an end that the handler of a language's runtime brings about by itself, whether or not the program has
// a handler of its own. The fate of requests under way tells the two apart.
func (r *runner) judgeRuntime(o outcome, s syscall.Signal) bool {
	name := process.SignalName(s)
	end := fmt.Sprintf("%s, %v after %s, as the handler of %s does by itself", statusText(o.Status), text.Round(o.Took), name, o.Runtime)
	r.say("stopping it with requests under way")
	work, ok := r.stopWithRequests(s)
	switch {
	case !ok:
		return false
	case work.u == nil || work.u.answered+work.u.sum() == 0:
		r.warn(codeRuntimeHandler, end+": whether the program has one of its own cannot be told without requests under way",
			fmt.Sprintf("Handle %s in the program. To have it looked at, give a URL whose answer takes a while with --slow.", name))
	case work.u.sum() > 0:
		work.l.isWorst()
		r.fail(codeRuntimeHandler, fmt.Sprintf("%s; %d of %d %s were lost: it has no handler of its own", end, work.u.sum(), work.u.answered+work.u.sum(), work.u.what),
			fmt.Sprintf("Handle %s in the program: stop taking work, finish what is under way, return.", name))
		return false
	default:
		r.pass("%s, %v after %s; all of %d requests under way were answered", statusText(o.Status), text.Round(o.Took), name, work.u.answered)
	}
	return true
}

// judge finds what is wrong with the end of a daemon that was told to stop with s, and reports whether all is well. What
// outlived it is the scenario orphans' matter.
func (r *runner) judge(o outcome, s syscall.Signal) bool {
	name := process.SignalName(s)
	code, died := o.Status.ExitStatus(), o.Status.Signal()
	switch {
	case o.Hung:
		says, advice := fmt.Sprintf("still there %v after %s", r.Grace, name), "Handle %s: stop taking work, finish what is under way, return."
		if o.Late > 0 {
			says += fmt.Sprintf("; it ended by itself %v after it", text.Round(o.Late))
			advice += fmt.Sprintf(" It does end: give it at least %v (--grace, and in the service manager), or make the stop quicker.", o.Late.Round(time.Second)+time.Second)
		} else if o.Watched > 0 {
			advice += fmt.Sprintf(" It did not end within %v either.", r.Grace+o.Watched)
		}
		r.fail(codeHangs, says, fmt.Sprintf(advice, name))
	case !o.Status.Signaled():
		if r.accepts(code, s) {
			return true
		}
		r.fail(codeBadStatus, fmt.Sprintf("exit code %d after %s%s", code, name, said(o.Said)),
			"Service managers count this stop as a failure, and may start it again. Exit with 0 after a stop that was asked for, or accept the status with --exit.")
	case died == s && o.Caught:
		return true // it has done what it had to, and then died of the signal as its parent can see
	case died == s:
		advice := fmt.Sprintf("Handle %s: the default action ends the process at once, whatever is under way.", name)
		if r.Ready == "" && r.url == nil && !r.listens {
			advice += " If it sets its handler up later than " + quietFirst.String() + " after its start, say with --ready when it is ready."
		}
		r.fail(codeNoHandler, fmt.Sprintf("died of %s: it has no handler for it", name), advice)
	default:
		r.fail(codeCrash, fmt.Sprintf("%s after %s%s", statusText(o.Status), name, said(o.Said)), "That is a crash on the way out. Its core dump, if it left one, says where.")
	}
	return false
}

// accepts reports whether an exit code is that of a good stop.
func (r *runner) accepts(code int, s syscall.Signal) bool {
	return code == 0 || code == 128+int(s) || slices.Contains(r.Exit, code)
}

// asKnown reports whether a life ended as the one that term has failed. No other scenario repeats what term says.
func (r *runner) asKnown(o outcome) bool {
	return r.known != nil && !o.Hung && !r.known.Hung && o.Status == r.known.Status && o.Caught == r.known.Caught
}

// judgeBusy finds an end that is bad, though the daemon ends well, or otherwise, when it is idle.
func (r *runner) judgeBusy(o outcome, with string) {
	if o.Hung || r.asKnown(o) || !o.Status.Signaled() && r.accepts(o.Status.ExitStatus(), r.Signal) || o.Status.Signaled() && o.Status == r.usual.Status {
		return
	}
	idle := ""
	if !r.usual.Hung && o.Status != r.usual.Status {
		idle = fmt.Sprintf("; when it is idle: %s", statusText(r.usual.Status))
	}
	r.fail(codeBadStatusBusy, fmt.Sprintf("%s after %s with %s%s%s", statusText(o.Status), process.SignalName(r.Signal), with, idle, said(o.Said)),
		"Service managers count this stop as a failure, and may start it again. Exit with 0 after a stop that was asked for, or accept the status with --exit.")
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
