//go:build unix

package process

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// registry knows its family.
func (p *Process) registry() *registry {
	if p.on != nil {
		return p.on
	}
	return here
}

// PID is the number of the main process; 0 while there is none.
func (p *Process) PID() int {
	c := p.current.Load()
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.main == nil || c.dead {
		return 0
	}
	return c.main.pid
}

// Signal sends s to the main process. It returns os.ErrProcessDone while there is none. It is no stop: if the process dies
// of it, it has failed.
func (p *Process) Signal(s syscall.Signal) error {
	c := p.current.Load()
	if c == nil {
		return os.ErrProcessDone
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.main == nil || c.dead {
		return os.ErrProcessDone
	}
	err := c.main.signal(s)
	if errors.Is(err, syscall.ESRCH) {
		err = os.ErrProcessDone
	}
	return err
}

// watchMain makes c.exited tell of the end of the main process.
func (c *child) watchMain() error {
	exited := make(chan struct{})
	c.exited, c.sayExited = exited, sync.OnceFunc(func() { close(exited) })
	return c.main.onExit(c.sayExited)
}

// awaitExit returns when the main process has ended, which something has made certain. It looks at it as well: of an end that was noted
// early, or not at all, nothing tells a second time.
func (c *child) awaitExit() {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		timer := time.NewTimer(pause)
		select {
		case <-c.exited:
			timer.Stop()
			return
		case <-timer.C:
			if c.main.over() {
				c.sayExited()
			}
		}
	}
}

func (c *child) hasExited() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// follow makes another member of the family the main process.
func (c *child) follow(pid int) {
	if pid == c.main.pid || c.stop.mainOver {
		return
	}
	for _, k := range c.others() {
		if k.pid != pid {
			continue
		}
		h := c.first
		if pid == h.pid {
			c.family.join(pid)
		} else {
			var err error
			if h, err = c.family.succeed(k); err != nil {
				return
			}
		}
		old := c.main
		old.forget()
		c.mu.Lock()
		c.main = h
		c.mu.Unlock()
		c.tellPID()
		if old != c.first {
			old.close()
		}
		if c.watchMain() != nil {
			c.sayExited()
		}
		return
	}
}
