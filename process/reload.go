//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"syscall"
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
		case <-ctx.Done():
			missing := "RELOADING=1"
			if began {
				missing = "READY=1"
			}
			return fmt.Errorf("%s: no %s after %s: %w", p.name(), missing, SignalName(s), context.Cause(ctx))
		}
	}
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
