//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
)

// stop is the clock of one child's stop, and what was done. It belongs to that child alone.
type stop struct {
	began     time.Time
	end       time.Time      // then the last of the family is killed
	limit     time.Time      // to which end may be extended
	cutAt     time.Time      // when the group's hard stop comes, which is told by a channel; zero if none is known
	extended  time.Time      // what the child asked for last
	whole     bool           // nothing is kept back for later stages, since there is nobody
	soft      syscall.Signal // the first that the main process was sent, which is what the others are sent
	sent      []syscall.Signal
	killed    time.Time // when the main process was, by this package
	found     []Relative
	round     int          // of looks at who is there
	mainOver  bool         // the main process has ended, and nobody takes its place any more
	deathSaid bool         // what it left behind has been said
	cut       bool         // the hard stop has come
	told      map[who]bool // who was told together with the main process
}

// Stages of a stop; each but the last keeps back some time for those after it.
const (
	stageMain = iota
	stageGroup
	stageLeft
)

// stages is how many there are.
func (m Mode) stages() int {
	return [...]int{KillFamily: 3, KillGroup: 2, KillProcess: 1, KillAll: 2}[m]
}

// whole reports whether the stop reaches every member of the family.
func (m Mode) whole() bool { return m == KillFamily || m == KillAll }

func (s *stop) extend(at time.Time) {
	if s.began.IsZero() {
		return
	}
	if s.limit.Before(at) {
		at = s.limit
	}
	s.extended = at
}

// until is when a stage ends. Of L stages, each after the first has at least the 2L-th part of the time.
func (s *stop) until(stage int, mode Mode) time.Time {
	end := s.end
	if end.Before(s.extended) {
		end = s.extended
	}
	stages := mode.stages()
	if later := stages - 1 - stage; later > 0 && !s.whole {
		end = end.Add(-end.Sub(s.began) / time.Duration(2*stages) * time.Duration(later))
	}
	return end
}

// grace is the time that the child will have for its stop, as far as that is known before it; 0 if nobody says.
func (c *child) grace() time.Duration {
	give := lastcall.GracePeriod(c.ctx)
	if own := c.p.Grace; own > 0 && (give == 0 || own < give) {
		give = own
	}
	return give
}

// plan starts the clock. If the soft stop has not come, which is when the child ended or failed by itself, it has the time
// that it would have then.
func (c *child) plan() {
	s := &c.stop
	s.began = time.Now()
	give := c.p.Grace
	if !c.told {
		give = c.grace()
	}
	orDefault(&give, lastcall.DefaultGrace)
	s.end = s.began.Add(give)
	s.limit = s.end.Add(c.p.extend())
	s.whole = c.p.Kill == KillAll
	c.bound()
}

// bound shortens the clock to what the group gives, once that is known.
func (c *child) bound() {
	if !c.told || c.hard == nil {
		return
	}
	s := &c.stop
	at, ok := lastcall.Grace(c.ctx).Deadline()
	if !ok {
		return
	}
	if c.p.Grace == 0 || at.Before(s.end) {
		s.end = at
	}
	if at.Before(s.limit) {
		s.limit = at
	}
	s.cutAt = at
}

// outcome is how a wait ended.
type outcome uint8

const (
	ended   outcome = iota // what was awaited came
	expired                // the time ran out
	cut                    // the hard stop came
)

// await waits for done, which may change by a note, until a time, which may be extended by one. A time that is not before
// the group's hard stop leaves the end to that, which is also when the group says so.
func (c *child) await(done func() <-chan struct{}, until func() time.Time) outcome {
	var notes <-chan struct{}
	if c.notify != nil {
		notes = c.notify.some
	}
	var timer *time.Timer // as a rule it is the hard stop that ends the wait
	defer func() {
		if timer != nil {
			timer.Stop()
		}
	}()
	for {
		hard, soft, times := c.hard, c.ctx.Done(), (<-chan time.Time)(nil)
		if c.told {
			soft = nil
		}
		if at := until(); c.stop.cutAt.IsZero() || at.Before(c.stop.cutAt) {
			if timer == nil {
				timer = time.NewTimer(time.Until(at))
			} else {
				timer.Reset(time.Until(at))
			}
			times = timer.C
		}
		select {
		case <-done():
			return ended
		case <-hard:
			if c.isOver(done) {
				return ended
			}
			c.stop.cut = true
			return cut
		case <-soft:
			c.told = true
			c.bound()
		case <-notes:
			_ = c.heedAll(c.notify.take())
		case <-times:
			_ = c.hearAll() // it may have asked for more time, or named its successor
			if c.isOver(done) {
				return ended
			}
			if !time.Now().Before(until()) {
				return expired
			}
		}
	}
}

// isOver reports whether what was awaited has come, when its time is up: of two events that are there at once, the end of what was to
// end counts, also if it has not been told yet.
func (c *child) isOver(done func() <-chan struct{}) bool {
	select {
	case <-done():
		return true
	default:
	}
	if done() != c.exited || !c.main.over() {
		return false
	}
	c.sayExited() // the note is on its way
	return true
}

// end stops what there is of the family, waits for the last, and says how it went. failure is why, if the child failed
// in another way than by ending.
func (c *child) end(failure error) error {
	c.endWatch()
	c.controls.stop()
	c.plan()
	c.family.beginStop()
	if c.hard != nil && c.hard == lastcall.Grace(c.ctx).Done() && c.p.Kill != KillProcess {
		// Where a family uses up the processors or a limit, a look at it takes its time: this does not wait for one.
		defer context.AfterFunc(lastcall.Grace(c.ctx), c.killAtOnce)()
	}
	s := &c.stop
	if !c.hasExited() {
		c.stopMain(failure)
	}
	s.mainOver = true
	c.noteDeath()
	var exit Exit
	first := c.family.find().reapFirst()
	if first {
		exit = c.reap()
	}
	rest := c.stopOthers()
	c.controls.await(c.hard)
	if !first {
		exit = c.reap()
	}
	if s.killed.IsZero() { // it may have died of what the hard stop did before this goroutine heard of that
		c.mu.Lock()
		s.killed = c.killedAt
		c.mu.Unlock()
	}
	c.p.last.Store(&exit)
	c.p.left.Store(&s.found)
	if c.p.Kill != KillProcess {
		for _, o := range c.outputs {
			o.finish(time.Second)
		}
	}
	text := exit.String()
	if len(s.found) > 0 {
		text += "; it left behind " + relatives(s.found)
	}
	reached := c.limitsReached()
	if reached != "" {
		text += "; " + reached
	}
	lastcall.Status(c.ctx, text)

	var err error
	switch clean := c.p.clean(exit, s.sent); {
	case failure != nil:
		return failure
	case !s.killed.IsZero() && exit.Signal == syscall.SIGKILL:
		err = &ExitError{Exit: exit, Name: c.p.name(), Killed: true, After: s.killed.Sub(s.began), Limit: reached}
	case !clean:
		err = &ExitError{Exit: exit, Name: c.p.name(), Limit: reached}
	case c.ctx.Err() == nil && !c.wasReady():
		return &ReadyError{Name: c.p.name(), Err: fmt.Errorf("its main process ended first: %v", exit)}
	}
	if len(rest) > 0 {
		family := &FamilyError{Name: c.p.name(), Rest: rest}
		errors.As(err, &family.Main)
		return family
	}
	return err
}

// stopMain stops the main process, and returns when it has ended.
func (c *child) stopMain(failure error) {
	s, steps := &c.stop, c.p.stepsFor(c.ctx)
	s.soft = steps[0].Signal
	if sick := (*SickError)(nil); errors.As(failure, &sick) && c.p.Watchdog > 0 {
		// As systemd does, so that there is a core dump to look at.
		steps = append([]Step{{Signal: syscall.SIGABRT, Within: time.Until(s.end) / 4}}, steps...)
	}
	main := c.main
	handedOver := make(chan struct{})
	close(handedOver)
	gone := func() <-chan struct{} { // or another has taken its place, which is to be told
		if c.main != main {
			return handedOver
		}
		return c.exited
	}
	for _, step := range steps {
		s.sent = append(s.sent, step.Signal)
		main = c.main
		c.send(step.Signal)
		c.saySent(step.Signal)
		sent := time.Now()
		until := func() time.Time {
			at := s.until(stageMain, c.p.Kill)
			if own := sent.Add(step.Within); step.Within > 0 && own.Before(at) {
				if own.Before(s.extended) {
					own = s.extended
				}
				if own.Before(at) {
					return own
				}
			}
			return at
		}
		for again := true; again; {
			again = false
			switch c.await(gone, until) {
			case ended:
				if c.hearRest(); c.hasExited() {
					return
				}
				again = true
			case cut:
				c.kill()
				return
			case expired:
				if !s.whole && !time.Now().Before(s.until(stageMain, c.p.Kill)) && len(c.later(stageMain)) == 0 {
					s.whole, again = true, true
				}
			}
			if again && c.main != main {
				main = c.main
				c.send(step.Signal)
			}
		}
	}
	c.kill()
}

// send sends a signal of the stop to the main process, or to all that it is for at the same time, and lets a halted process go on, so
// that it hears it. Before the first it is noted who descends from the main process.
func (c *child) send(sig syscall.Signal) {
	system(func() {
		if len(c.stop.sent) == 1 && c.p.Kill.whole() {
			c.family.find().remember(c.family)
		}
		if c.tellTogether(sig) {
			return
		}
		_ = c.main.signal(sig)
		_ = c.main.signal(syscall.SIGCONT)
	})
}

// saySent says what the main process was sent.
func (c *child) saySent(sig syscall.Signal) {
	lastcall.Status(c.ctx, "sent "+SignalName(sig))
}
