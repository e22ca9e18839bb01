//go:build unix

package supervisor

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/settle"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/text"
)

// say writes a message between the output.
func (s *Supervisor) say(format string, args ...any) { s.out.Message(fmt.Sprintf(format, args...)) }

// observe is the group's listener.
func (s *Supervisor) observe(e lastcall.Event) {
	s.touch()
	switch {
	case e.Kind == lastcall.EventAwaiting && e.State == lastcall.StateStarting:
		if text := s.awaitedText(withoutWaiting(e.Awaited)); text != "" {
			s.say("not ready yet: %s", text)
		}
	case e.Kind == lastcall.EventAwaiting:
		s.say("waiting for %s; %s", s.awaitedText(e.Awaited), s.nextSignal(e.State))
	case e.Kind == lastcall.EventLameDuck:
		s.say("lame duck (%s): serving for another %v; %s", e.Cause.Why(), e.Delay, s.nextSignal(lastcall.StateReady))
	case e.Kind == lastcall.EventReload && e.Err != nil:
		s.say("%v", e.Err)
	case e.Kind == lastcall.EventReadiness && e.Reason != "":
		s.say("%s: not ready: %s", e.Name, e.Reason)
	case e.Kind == lastcall.EventReadiness:
		s.tell("%s: ready again", e.Name)
	case e.Kind != lastcall.EventState:
		if e.Err != nil {
			s.say("%s: %v", e.Name, e.Err)
		}
	case e.Name == "":
		s.observeGroup(e)
	default:
		s.observeWorker(e)
	}
}

// tell is say for what goes as it should.
func (s *Supervisor) tell(format string, args ...any) {
	if !s.opts.Quiet {
		s.say(format, args...)
	}
}

func (s *Supervisor) observeGroup(e lastcall.Event) {
	switch e.State {
	case lastcall.StateReady:
		ready, missing := s.census()
		if missing == "" {
			s.tell("all %d ready", ready)
			s.manager.isReady(text.Count(ready, "process") + " ready")
		} else {
			s.say("%d ready, but not %s", ready, missing)
			s.manager.isReady(text.Count(ready, "process") + " ready, but not " + missing)
		}
		go settle.Now()
	case lastcall.StateStopping:
		s.noteEssential(e.Cause)
		s.say("stopping: %s; %s", e.Cause.Why(), s.nextSignal(e.State))
		s.manager.stops(cmp.Or(s.group.Grace, lastcall.DefaultGrace), e.Cause.Why())
	}
}

func (s *Supervisor) observeWorker(e lastcall.Event) {
	i := s.instance(e.Name)
	if i != nil {
		s.entered(i, e.State)
	}
	switch e.State {
	case lastcall.StateStopping:
		if e.Cause.Reason == lastcall.StopReplaced {
			s.tookOver(e.Name)
		} else if i != nil {
			i.stopping.Store(true)
		}
	case lastcall.StateReady:
		if i == nil || i.idle.Load() {
			return
		}
		if pid := s.readyPID(i); pid != 0 {
			s.tell("%s: ready, pid %d", e.Name, pid)
			return
		}
		s.tell("%s: ready", e.Name)
	case lastcall.StateWaiting:
		if i != nil && i.stopping.Swap(false) && i.exit() != "" {
			s.tell("%s: stopped, %s", e.Name, i.exit())
		}
	case lastcall.StateFailed:
		if e.Err != nil {
			s.say("%s: failed: %v", e.Name, e.Err)
		}
	case lastcall.StateRestarting:
		why := "it ended"
		if e.Err != nil {
			why = e.Err.Error()
		}
		when := "now"
		if e.Delay > 0 {
			when = "in " + e.Delay.Round(time.Millisecond).String()
		}
		s.say("%s: %s; restart %d %s", e.Name, why, e.Attempt, when)
	case lastcall.StateCut:
		s.say("%s: cut: %s", e.Name, e.Cause.Why())
	case lastcall.StateStopped:
		if i != nil && i.exit() != "" {
			i.stopping.Store(false)
			s.tell("%s: stopped, %s", e.Name, i.exit())
		}
	}
}

// noteEssential keeps the status of an essential process if its end is the cause of the stop.
func (s *Supervisor) noteEssential(stop *lastcall.StopCause) {
	if stop.Worker == "" {
		return
	}
	i := s.instance(stop.Worker)
	if i == nil || i.def.OnExit != config.OnExitEssential {
		return
	}
	status := statusOf(stop.Err)
	s.mu.Lock()
	s.essential = &status
	s.mu.Unlock()
}

// nextSignal is what the next signal will do.
func (s *Supervisor) nextSignal(state lastcall.State) string {
	switch state {
	case lastcall.StateCut:
		return s.opts.Interrupt + " to exit at once"
	case lastcall.StateStopping:
		return s.opts.Interrupt + " again to cut it short"
	}
	return s.opts.Interrupt + " to stop now"
}

// mostAwaited are so many names in one message.
const mostAwaited = 8

// awaitedText says of each who it is, how long it has been stopping, and what it last said of itself.
func (s *Supervisor) awaitedText(list []lastcall.Awaited) string {
	var texts []string
	for _, a := range list[:min(len(list), mostAwaited)] {
		texts = append(texts, s.awaitedOne(a))
	}
	if more := len(list) - mostAwaited; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}

// withoutWaiting are those that do not only wait for others.
func withoutWaiting(list []lastcall.Awaited) (starting []lastcall.Awaited) {
	for _, a := range list {
		if a.State != lastcall.StateWaiting {
			starting = append(starting, a)
		}
	}
	return starting
}

func (s *Supervisor) awaitedOne(a lastcall.Awaited) string {
	text, status := a.Name+" (", a.Status
	if a.PID != 0 {
		text += fmt.Sprintf("pid %d, ", a.PID)
	}
	if i := s.instance(a.Name); i != nil {
		if notes := i.proc.Notes(); notes.Status != "" {
			status = notes.Status
		}
	}
	text += a.For.Round(time.Second).String()
	if a.State == lastcall.StateCut {
		text += ", cut"
	}
	if status != "" {
		text += ", " + status
	}
	return text + ")"
}

// touch wakes who waits for a change.
func (s *Supervisor) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// census is how many instances are ready or have done their work, and which are neither; "" if all are.
func (s *Supervisor) census() (ready int, missing string) {
	var others []string
	for _, w := range s.group.Report().Workers {
		switch {
		case w.State == lastcall.StateReady, w.State == lastcall.StateStopped && !w.Started.IsZero():
			ready++
		case w.Started.IsZero():
			others = append(others, w.Name+" (never started)")
		default:
			others = append(others, fmt.Sprintf("%s (%v)", w.Name, w.State))
		}
	}
	if more := len(others) - mostAwaited; more > 0 {
		others = append(others[:mostAwaited], fmt.Sprintf("%d more", more))
	}
	return ready, strings.Join(others, ", ")
}

// readyPID is the number of the process that has become ready by that name: of two, one of which is to take the place of the other, the
// one that was ready last.
func (s *Supervisor) readyPID(i *instance) (pid int) {
	s.mu.Lock()
	next := i.next
	s.mu.Unlock()
	if next == nil {
		return i.proc.PID()
	}
	var last time.Time
	for _, w := range s.group.Report().Workers {
		if w.Name == i.name && w.Ready.After(last) {
			last, pid = w.Ready, w.PID
		}
	}
	return pid
}
