//go:build unix

package check

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/process"
)

// life is one life of the daemon.
type life struct {
	r        *runner
	k        *keeper
	out      *output
	notes    *notes
	how      string    // it was known to be ready
	listens  bool      // because it has a listening socket
	told     time.Time // when the first signal was sent
	moments  []event
	ended    bool
	done     outcome       // of the stop
	uncut    func() bool   // from now on the end of the context does not kill it
	worst    bool          // of the scenario, as far as is known
	patience time.Duration // to see when it ends after the grace period
	maybe    bool          // it may have had a handler for the first signal
	wrote    int           // bytes until then
}

// event is a moment whose distance from the signal is not yet known.
type event struct {
	at   time.Time
	kind Kind
	text string
}

// outcome is how a life ended.
type outcome struct {
	Hung    bool // it had not ended when its time was over, and was killed
	Status  syscall.WaitStatus
	Caught  bool          // there was a handler for the signal when that was sent
	Runtime string        // whose runtime has a handler for the signal by itself, such as "Node.js"; "" if none is known to
	Took    time.Duration // from the signal to the end
	Watched time.Duration // after the grace period
	Late    time.Duration // the same of one that hung and ended by itself in the time of patience; 0: it did not
	Left    []string      // command lines of descendants that outlived it
	Said    string        // what it wrote last after the signal
}

// leftOver is a descendant that outlived the daemon.
type leftOver struct{ scenario, command string }

const (
	// leftWithin is how long descendants that go with the daemon may take for it. It is far more than a process needs that was
	// told to end; those of a daemon that leaves them behind stay for ever.
	leftWithin = 3 * time.Second
	// busyWithin is the same for those that are busy: on a machine with more to do than it can, who is told to end wants to run for it.
	busyWithin = 3 * leftWithin
	// threadsEvery is how often it is looked which threads and descendants are still there, while the daemon stops, see also pace.
	threadsEvery = 20 * time.Millisecond
)

// factTraced is the evidence of a daemon that had its parent trace it.
const factTraced = "asked its parent to trace it"

// mostEnds is how many ends of threads and descendants one timeline has.
const mostEnds = 500

// begin starts a life and waits until it is ready and has settled. A failure is the scenario's, and ok is false.
func (r *runner) begin() (_ *life, ok bool) {
	l, err := r.start(false)
	if err == nil {
		if err = l.awaitReady(); err == nil {
			l.settle(settledFor)
			return l, true
		}
		l.end()
	}
	r.failed(err)
	return nil, false
}

// failed is the verdict of a scenario whose daemon did not start, though it had started before. An error that is not the daemon's
// aborts the check.
func (r *runner) failed(err error) {
	if r.ctx.Err() != nil {
		return
	}
	var e *StartError
	if !errors.As(err, &e) {
		r.abort(err)
		return
	}
	text := "it could not be started again: " + e.Reason + said(lastOf(e.Output, 300))
	if who := r.inTheWay(); who != "" {
		text += "; " + who
	}
	if r.killed != "" {
		text += "; it had to be killed in " + r.killed + ", which may be why"
	}
	advice := "Something of an earlier life was in its way: a port, a socket, a pid file, a lock. Give it back at the stop, or take it over at the start."
	if e.Slow {
		advice = fmt.Sprintf("Earlier starts took %s. On a busy machine give it more time (--ready-within); otherwise see what it waits for.", offsetText(spread(r.starts).Median))
	}
	r.fail(codeStartsOnce, text, advice)
}

// note remembers a moment.
func (l *life) note(at time.Time, kind Kind, text string) {
	l.moments = append(l.moments, event{at, kind, text})
}

// signal sends a signal to the daemon. The first is moment zero of its timeline.
func (l *life) signal(s syscall.Signal) {
	l.mark(s)
	l.send(s)
}

// mark notes that a signal is sent now.
func (l *life) mark(s syscall.Signal) {
	first := l.told.IsZero()
	if first {
		l.done.Caught, l.maybe = catches(l.k.daemon, s)
		l.done.Runtime = runtimeOf(l.k.daemon)
		if l.r.hint == "" {
			l.r.hint = hint(l.k.daemon, l.r.Signal)
		}
		l.wrote = l.out.came()
	}
	now := time.Now()
	if first {
		l.told = now
	}
	l.note(now, KindSignal, process.SignalName(s))
}

// send sends a signal, unless the daemon has ended.
func (l *life) send(s syscall.Signal) { l.k.signal(s) }

// interrupt is Ctrl-C: as a terminal does, it sends SIGINT to the foreground group, which is the daemon's and whatever has not left it.
func (l *life) interrupt() outcome {
	l.mark(syscall.SIGINT)
	l.k.signalGroup(syscall.SIGINT)
	return l.awaitEnd()
}

// stop sends a signal, and is the outcome, which comes after the grace period at the latest.
func (l *life) stop(s syscall.Signal) outcome {
	l.signal(s)
	return l.awaitEnd()
}

// awaitEnd waits for the end of a daemon that has been told to stop, kills it after the grace period, and ends everything.
func (l *life) awaitEnd() outcome {
	l.awaitExit()
	l.bury()
	return l.done
}

// awaitExit waits for the end of the daemon's main process, and kills it after the grace period. Its descendants stay until bury.
func (l *life) awaitExit() {
	stop := l.watch()
	l.done.Hung = !l.exits(l.r.Grace)
	if l.done.Hung && l.patience > 0 {
		if l.done.Watched = l.patience; l.exits(l.patience) {
			l.done.Late = l.k.ended.Sub(l.told)
		}
	}
	stop()
	if l.done.Hung {
		if l.r.ctx.Err() == nil {
			l.note(time.Now(), KindKill, "")
			l.r.killed = cmp.Or(l.r.playing(), "its first life")
		}
		l.done.Took = l.r.Grace
		l.end()
		return
	}
	l.done.Status = l.k.status
	l.done.Took = l.k.ended.Sub(l.told)
	l.note(l.k.ended, KindExit, statusText(l.k.status))
}

// bury sees which descendants outlived the daemon, and ends them.
func (l *life) bury() {
	if l.ended {
		return
	}
	l.done.Left = l.outlived()
	for _, command := range l.done.Left {
		l.note(time.Now(), KindLeft, command)
	}
	l.end()
	wrote := l.out.came() - l.wrote
	if wrote > 0 {
		l.done.Said = l.out.last(min(wrote, 300))
	}
	if l.maybe && (wrote > 0 || l.out.mutes && l.r.usual.Caught) { // the runtime alone writes nothing, and where nobody reads it writes as ever
		l.done.Caught = true
	}
}

// exits waits until the daemon has ended, for a limited time.
func (l *life) exits(within time.Duration) bool {
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-l.k.exited:
		return true
	case <-limit.C:
	case <-l.r.ctx.Done():
	}
	return false
}

// hasExited reports whether the daemon has ended.
func (l *life) hasExited() bool {
	select {
	case <-l.k.exited:
		return true
	default:
		return false
	}
}

// end kills what is left, and returns when everything is gone. The life may become the scenario's worst.
func (l *life) end() {
	if l.ended {
		return
	}
	l.ended = true
	l.uncut()
	r := l.r
	if l.k.traced.Load() && r.result != nil && !slices.ContainsFunc(r.result.Evidence, func(f Fact) bool { return f.Name == factTraced }) {
		r.fact(factTraced, 1, "", "PTRACE_TRACEME: it was let go at each stop")
	}
	if l.k.end() {
		r.guards = append(r.guards, l.k.g)
	} else {
		for _, pid := range l.k.left {
			r.left = append(r.left, leftOver{r.playing(), fmt.Sprintf("%s (pid %d, which this check may not kill)", commandLine(pid), pid)})
		}
		l.k.g.close()
	}
	l.out.awaitEnd() // whether it crashed is in what it wrote last
	l.out.close()
	l.notes.close()
	if !l.told.IsZero() && r.result != nil && (r.worst == nil || !r.worst.worst && l.done.Took > r.worst.done.Took) {
		r.worst = l
	}
}

// isWorst makes this life the one whose timeline the scenario shows, and no longer one after it.
func (l *life) isWorst() { l.worst, l.r.worst = true, l }

// timeline is the life as the report has it.
func (l *life) timeline(scenario string) *Timeline {
	t := &Timeline{Scenario: scenario, Signal: l.told}
	slices.SortStableFunc(l.moments, func(a, b event) int { return a.at.Compare(b.at) })
	for _, e := range l.moments {
		t.Moments = append(t.Moments, Moment{At: e.at.Sub(l.told), Kind: e.kind, Text: e.text})
	}
	return t
}

// statusText is such as "exit code 1" or "died of SIGTERM".
func statusText(s syscall.WaitStatus) string {
	if s.Signaled() {
		text := "died of " + process.SignalName(s.Signal())
		if s.CoreDump() {
			text += " (core dumped)"
		}
		return text
	}
	return fmt.Sprintf("exit code %d", s.ExitStatus())
}

// endText is statusText, or says that there was no end within the grace period.
func endText(o outcome, grace time.Duration) string {
	if o.Hung {
		return fmt.Sprintf("still there after %v", grace)
	}
	return statusText(o.Status)
}
