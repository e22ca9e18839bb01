//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
)

// clock is when a process with a schedule runs. It never runs twice at once, and a time that comes while it runs is missed.
type clock struct {
	ask chan chan error // somebody wants it to run now, and to hear how that went

	mu      sync.Mutex
	next    time.Time     // its next run; zero if there is none
	since   time.Time     // when the present run began; zero while it sleeps
	failure error         // how the last run failed
	gone    chan struct{} // closed when the worker ends; nil while it does not run
}

func newClock() *clock { return &clock{ask: make(chan chan error)} }

// onSchedule runs the process whenever it is due, until ctx ends. A run that fails is told, and is in ps; the next comes all the
// same.
func (i *instance) onSchedule(ctx context.Context) error {
	lastcall.Ready(ctx)
	return i.clock.run(ctx, i.def.NextRun, i.s.touch, func() error {
		i.s.tell("%s: runs", i.name)
		return i.once(ctx)
	}, func(began, ended time.Time, err error) {
		if err != nil {
			i.s.say("%s: its run failed: %v", i.name, err)
		}
		if n := i.missed(began, ended); n > 0 {
			i.s.say("%s: left out %s, since it ran for %v", i.name, text.Count(n, "run"), ended.Sub(began).Round(time.Second))
		}
	})
}

// run calls once at the times that plan finds, until ctx ends, and over after each. A time that comes while once runs is left out. touch
// is called when describe has something else to say.
func (c *clock) run(ctx context.Context, plan func(time.Time) time.Time, touch func(), once func() error, over func(began, ended time.Time, err error)) error {
	gone := make(chan struct{})
	c.set(func() { c.gone = gone })
	defer func() {
		c.set(func() { c.gone, c.next = nil, time.Time{} })
		close(gone)
	}()
	next := plan(time.Now())
	for {
		c.set(func() { c.next = next })
		touch()
		reply, due := c.wait(ctx, next)
		if !due {
			return nil
		}
		began := time.Now()
		c.set(func() { c.since = began })
		touch()
		err := once()
		c.set(func() { c.since, c.failure = time.Time{}, err })
		if reply != nil {
			reply <- err
		}
		if ctx.Err() != nil {
			return err
		}
		ended := time.Now()
		over(began, ended, err)
		next = plan(ended)
	}
}

// mostMissed is how far missed runs are counted.
const mostMissed = 1000

// missed is how many runs were due between two times.
func (i *instance) missed(from, to time.Time) (n int) {
	for next := i.def.NextRun(from); !next.IsZero() && !next.After(to) && n < mostMissed; next = i.def.NextRun(next) {
		n++
	}
	return n
}

// wait returns true when it is time, or somebody wants it to be, and false when ctx ends.
func (c *clock) wait(ctx context.Context, next time.Time) (reply chan error, due bool) {
	for {
		var at <-chan time.Time
		if !next.IsZero() {
			timer := time.NewTimer(time.Until(next))
			defer timer.Stop()
			at = timer.C
		}
		select {
		case <-ctx.Done():
			return nil, false
		case reply := <-c.ask:
			return reply, true
		case <-at:
			if !time.Now().Before(next) { // else the system's clock has been set back
				return nil, true
			}
		}
	}
}

func (c *clock) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// runs reports whether the worker runs, so that the process can be asked to run now.
func (c *clock) runs() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone != nil
}

// runNow has it run now, and returns how that went.
func (c *clock) runNow(ctx context.Context) error {
	c.mu.Lock()
	since, gone := c.since, c.gone
	c.mu.Unlock()
	if !since.IsZero() {
		return fmt.Errorf("it has been running since %s, and never runs twice at once", since.Format(time.TimeOnly))
	}
	reply := make(chan error, 1)
	select {
	case c.ask <- reply:
	case <-gone:
		return errors.New("it was stopped")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// describe is for ps.
func (c *clock) describe() (next time.Time, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		detail = fmt.Sprintf("its last run failed: %v", c.failure)
	}
	if !c.since.IsZero() {
		detail = "runs since " + c.since.Format(time.TimeOnly)
	}
	return c.next, detail
}
