//go:build unix && !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package process

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// exits tells of ends by SIGCHLD: one goroutine asks after each child that is known, and after no other. The status is taken
// then and kept.
var exits struct {
	once  sync.Once
	mu    sync.Mutex
	calls map[*handle]func()
}

// onExit calls fn once, from the watcher's goroutine, when the process has ended; fn must not block.
func (h *handle) onExit(fn func()) error {
	exits.once.Do(func() {
		exits.calls = map[*handle]func(){}
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGCHLD)
		service(func() {
			for range ended {
				lookForExits()
			}
		})
	})
	exits.mu.Lock()
	exits.calls[h] = fn
	exits.mu.Unlock()
	lookForExits() // it may have ended before
	return nil
}

func lookForExits() {
	var ready []func()
	exits.mu.Lock()
	for h, fn := range exits.calls {
		s, err := waitFor(h.pid, syscall.WNOHANG)
		if errors.Is(err, syscall.EAGAIN) {
			continue
		}
		h.ended = status{known: err == nil, wait: s}
		delete(exits.calls, h)
		ready = append(ready, fn)
	}
	exits.mu.Unlock()
	for _, fn := range ready {
		fn()
	}
}

// forget ends what onExit began; fn is not called after it, unless it is being called.
func (h *handle) forget() {
	exits.mu.Lock()
	delete(exits.calls, h)
	exits.mu.Unlock()
}

// openHandle cannot watch what is not a child.
func openHandle(int) (*handle, error) { return nil, errors.ErrUnsupported }

// reap is the status of a child that has ended.
func (h *handle) reap() (syscall.WaitStatus, error) {
	if !h.ended.known {
		return 0, syscall.ECHILD
	}
	return h.ended.wait, nil
}
