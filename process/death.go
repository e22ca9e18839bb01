//go:build unix

package process

import (
	"time"

	"github.com/lastcall-go/lastcall"
)

// noteDeath notes that the main process has ended for good: its number is no longer the child's.
func (c *child) noteDeath() {
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	c.tellPID()
}

// sayDeath tells the group that a child whose main process ended by itself is no longer ready, while the rest of its family is being
// stopped, which may take as long as a stop.
func (c *child) sayDeath(rest string) {
	if c.told || c.stop.deathSaid {
		return
	}
	c.stop.deathSaid = true
	text := "its main process has ended"
	if exit, ok := c.main.peek(); ok {
		text += ", " + exit.String()
	}
	lastcall.Unready(c.ctx, text+"; "+rest)
}

// lastWord is how long a word of readiness may take that was written before the main process ended.
const lastWord = 100 * time.Millisecond

// wasReady reports whether the child became ready before its main process ended. A newline on its descriptor, or a line of its output,
// may still be on its way.
func (c *child) wasReady() bool {
	if c.ready || c.p.Ready.ways() == 0 || c.p.Ready.Exit {
		return true
	}
	var wait time.Duration
	if c.readyPipe != nil || c.p.Ready.Log != nil && c.p.Kill == KillProcess { // else the output is read to its end by now
		wait = lastWord
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case err := <-c.becameReady:
		return err == nil
	case <-timer.C:
	}
	select {
	case err := <-c.becameReady:
		return err == nil
	default:
		return false
	}
}
