//go:build unix

package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/process"
)

// life is one life of the daemon.
type life struct {
	r       *runner
	k       *keeper
	out     *output
	notes   *notes
	how     string    // it was known to be ready
	readied time.Time //
	told    time.Time // when the first signal was sent
	moments []event
	ended   bool
	done    outcome // of the stop
}

// event is a moment whose distance from the signal is not yet known.
type event struct {
	at   time.Time
	kind Kind
	text string
}

// outcome is how a life ended.
type outcome struct {
	Hung   bool // it had not ended when its time was over, and was killed
	Status syscall.WaitStatus
	Caught bool          // there was a handler for the signal when that was sent
	Took   time.Duration // from the signal to the end
	Left   []string      // command lines of descendants that outlived it
}

// leftOver is a descendant that outlived the daemon.
type leftOver struct{ scenario, command string }

const (
	// leftWithin is how long descendants that go with the daemon may take for it. It is far more than a process needs that was
	// told to end; those of a daemon that leaves them behind stay for ever.
	leftWithin = 3 * time.Second
	// threadsEvery is how often it is looked which threads and descendants are still there, while the daemon stops.
	threadsEvery = 20 * time.Millisecond
)

// start begins a life, as PID 1 of a namespace of its own if first.
func (r *runner) start(first bool) (*life, error) {
	l := &life{r: r}
	env := r.Env
	if env == nil {
		env = os.Environ()
	}
	env = slices.DeleteFunc(slices.Clone(env), func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		return slices.Contains([]string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}, name)
	})
	var err error
	if r.ready.notify {
		if l.notes, err = listenForNotes(); err != nil {
			return nil, err
		}
		env = append(env, "NOTIFY_SOCKET="+l.notes.name)
	}
	var write *os.File
	if l.out, write, err = newOutput(r.ready.line); err != nil {
		l.notes.close()
		return nil, err
	}
	l.k, err = keep(r.Command, r.Dir, env, write, first)
	write.Close()
	if err != nil {
		l.out.close()
		l.notes.close()
		e := &StartError{Program: r.Command[0], Err: err, Reason: err.Error()}
		if inner := errors.Unwrap(err); inner != nil {
			e.Reason = inner.Error() // without the program, which is named anyway
		}
		return nil, e
	}
	r.report.Lives++
	if r.result != nil {
		r.result.Lives++
	}
	l.note(l.k.started, KindStart, strings.Join(r.Command, " "))
	return l, nil
}

// begin is start and awaitReady. What goes wrong is the scenario's failure, and it reports false.
func (r *runner) begin() (*life, bool) {
	l, err := r.start(false)
	if err == nil {
		if err = l.awaitReady(); err == nil {
			return l, true
		}
		l.end()
	}
	if r.ctx.Err() != nil {
		return nil, false
	}
	r.failed(err)
	return nil, false
}

// failed is the verdict of a scenario whose daemon did not start, though it had started before.
func (r *runner) failed(err error) {
	var e *StartError
	text := err.Error()
	if errors.As(err, &e) {
		text = e.Reason
		if e.Output != "" {
			text += "; its output: " + shorten(e.Output, 300)
		}
	}
	r.fail("it could not be started again: "+text,
		"Something of an earlier life was in its way: a port, a socket, a pid file, a lock. Give it back at the stop, or take it over at the start.")
}

// note remembers a moment.
func (l *life) note(at time.Time, kind Kind, text string) {
	l.moments = append(l.moments, event{at, kind, text})
}

// signal sends a signal to the daemon. The first is moment zero of its timeline.
func (l *life) signal(s syscall.Signal) {
	now := time.Now()
	if l.told.IsZero() {
		l.told = now
		l.done.Caught = catches(l.k.daemon, s)
	}
	l.note(now, KindSignal, process.SignalName(s))
	l.send(s)
}

// send sends a signal, unless the daemon has ended.
func (l *life) send(s syscall.Signal) {
	select {
	case <-l.k.exited: // its number may be somebody else's by now
	default:
		_ = syscall.Kill(l.k.daemon, s)
	}
}

// stop sends a signal, and is the outcome, which comes after the grace period at the latest.
func (l *life) stop(s syscall.Signal) outcome {
	l.signal(s)
	return l.awaitEnd()
}

// awaitEnd waits for the end of a daemon that has been told to stop, kills it after the grace period, and ends everything.
func (l *life) awaitEnd() outcome {
	stop := l.watch()
	l.done.Hung = !l.exits(l.r.Grace)
	stop()
	if l.done.Hung {
		if l.r.ctx.Err() == nil {
			l.note(time.Now(), KindKill, "")
		}
		l.end()
		l.done.Took = l.r.Grace
		return l.done
	}
	l.done.Status = l.k.status
	l.done.Took = l.k.ended.Sub(l.told)
	l.note(l.k.ended, KindExit, statusText(l.k.status))
	l.done.Left = l.outlived()
	for _, command := range l.done.Left {
		l.note(time.Now(), KindLeft, command)
	}
	l.end()
	return l.done
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

// watch looks at threads and descendants until the function that it returns is called, and notes those that end.
func (l *life) watch() (stop func()) {
	if !seesProcesses {
		return func() {}
	}
	ctx, cancel := context.WithCancel(l.r.ctx)
	var ends []event
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(threadsEvery)
		defer ticker.Stop()
		procs, threads := l.present()
		for {
			select {
			case <-ctx.Done():
				return
			case <-l.k.exited:
				return
			case <-ticker.C:
			}
			now := time.Now()
			procsNow, threadsNow := l.present()
			for pid, name := range procs {
				if _, there := procsNow[pid]; !there && pid != l.k.daemon {
					ends = append(ends, event{now, KindChild, fmt.Sprintf("%s[%d]", name, pid)})
				}
			}
			for tid, name := range threads {
				if _, there := threadsNow[tid]; !there && tid != l.k.daemon {
					ends = append(ends, event{now, KindThread, fmt.Sprintf("%s[%d]", name, tid)})
				}
			}
			procs, threads = procsNow, threadsNow
		}
	}()
	return func() {
		cancel()
		<-done
		l.moments = append(l.moments, ends...)
	}
}

// present are the names of the daemon's processes and of the daemon's own threads.
func (l *life) present() (procs, threads map[int]string) {
	procs, threads = map[int]string{}, map[int]string{}
	var main []proc
	for _, p := range descendants(l.k.pid) {
		if p.Zombie {
			continue
		}
		procs[p.PID] = p.Name
		if p.PID == l.k.daemon {
			main = append(main, p)
		}
	}
	for _, t := range threadsOf(main) {
		threads[t.TID] = t.Name
	}
	return procs, threads
}

// outlived are the command lines of descendants that are there after the daemon's end, and do not go.
func (l *life) outlived() (list []string) {
	if !seesProcesses {
		return nil
	}
	for limit := time.Now().Add(leftWithin); ; time.Sleep(threadsEvery) {
		list = nil
		known := true
		for _, p := range descendants(l.k.pid) {
			if p.Zombie {
				continue
			}
			if command := commandLine(p.PID); command != "" { // empty once it is about to end
				list = append(list, command)
				known = known && l.r.knownToStay(command)
			}
		}
		if len(list) == 0 {
			return nil
		}
		if known || time.Now().After(limit) || l.r.ctx.Err() != nil {
			break
		}
	}
	slices.Sort(list)
	scenario := ""
	if l.r.result != nil {
		scenario = l.r.result.Scenario
	}
	for _, command := range list {
		l.r.left = append(l.r.left, leftOver{scenario, command})
	}
	return list
}

// knownToStay reports whether such a descendant has outlived an earlier life.
func (r *runner) knownToStay(command string) bool {
	return slices.ContainsFunc(r.left, func(l leftOver) bool { return l.command == command })
}

// end kills what is left, and returns when everything is gone. The life may become the scenario's worst.
func (l *life) end() {
	if l.ended {
		return
	}
	l.ended = true
	l.k.end()
	l.out.close()
	l.notes.close()
	r := l.r
	if !l.told.IsZero() && r.result != nil && (r.worst == nil || l.done.Took > r.worst.done.Took) {
		r.worst = l
	}
}

// isWorst makes this life the one whose timeline the scenario shows.
func (l *life) isWorst() { l.r.worst = l }

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
