//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Notes is what a running child last said of itself on NOTIFY_SOCKET.
type Notes struct {
	Status    string // its STATUS=…
	Reloading bool   // RELOADING=1 without a READY=1 after it
	Stopping  bool   // STOPPING=1
}

// spoken is what a child has said so far, for whoever asks from outside. Guarded by child.mu.
type spoken struct {
	Notes
	reloads int           // how many times RELOADING=1
	more    chan struct{} // closed at the next change; nil while nobody waits
}

// Notes is what the child last said of itself; the zero value while none runs, or where it has no NOTIFY_SOCKET.
func (p *Process) Notes() Notes {
	c := p.current.Load()
	if c == nil {
		return Notes{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spoken.Notes
}

// Reload sends s to the main process. If the child has a NOTIFY_SOCKET it then waits for RELOADING=1 and, after that, READY=1,
// as systemd does with Type=notify-reload; a child that says neither is waited for until ctx ends, whose cause is in
// the error. It returns os.ErrProcessDone while there is no main process, and if the run ends meanwhile.
func (p *Process) Reload(ctx context.Context, s syscall.Signal) error {
	c := p.current.Load()
	if c == nil {
		return os.ErrProcessDone
	}
	c.mu.Lock()
	before := c.spoken.reloads
	c.mu.Unlock()
	if err := p.Signal(s); err != nil || !p.served() {
		return err
	}
	var last <-chan time.Time
	for {
		c.mu.Lock()
		began, done := c.spoken.reloads > before, !c.spoken.Reloading
		over := c.main == nil
		if c.spoken.more == nil {
			c.spoken.more = make(chan struct{})
		}
		more := c.spoken.more
		c.mu.Unlock()
		switch {
		case over:
			return os.ErrProcessDone
		case began && done:
			return nil
		}
		select {
		case <-more:
			continue
		case <-ctx.Done():
		}
		select {
		case <-more: // it has come at the same time, or while this process was held up
		case <-lastMoment(ctx, &last):
			missing := "RELOADING=1"
			if began {
				missing = "READY=1"
			}
			return fmt.Errorf("%s: no %s after %s: %w", p.name(), missing, SignalName(s), context.Cause(ctx))
		}
	}
}

// lastMoment tells when to wait no more for a child's word after the end of ctx: a little later if that is a time that is over, since the
// child's goroutine may be about to hear it; once, in last.
func lastMoment(ctx context.Context, last *<-chan time.Time) <-chan time.Time {
	if *last == nil {
		more := time.Duration(0)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			more = heldUp
		}
		*last = time.After(more)
	}
	return *last
}

// hear keeps what a note says, and wakes who waits for it. With nil the child is over.
func (c *child) hear(n *note) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n != nil {
		if n.status != nil {
			c.spoken.Status = *n.status
		}
		if n.reloading {
			c.spoken.reloads++
			c.spoken.Reloading = true
		}
		if n.ready {
			c.spoken.Reloading = false
		}
		c.spoken.Stopping = c.spoken.Stopping || n.stopping
	}
	if c.spoken.more != nil {
		close(c.spoken.more)
		c.spoken.more = nil
	}
}
