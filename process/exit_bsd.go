//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package process

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// exits tells of ends by kqueue, see kevent(2), EVFILT_PROC. One goroutine waits for all, on a thread of its own, since not
// every system lets a kqueue be non-blocking, as the runtime's poller wants it.
var exits struct {
	once  sync.Once
	err   error
	queue int
	mu    sync.Mutex
	last  uint64
	calls map[int]call // by pid
}

type call struct {
	id uint64
	fn func()
}

func startExits() error {
	exits.once.Do(func() {
		exits.calls = map[int]call{}
		exits.queue, exits.err = unix.Kqueue()
		if exits.err != nil {
			return
		}
		unix.CloseOnExec(exits.queue)
		service(func() {
			events := make([]unix.Kevent_t, 64)
			for {
				n, err := unix.Kevent(exits.queue, nil, events, nil)
				if err != nil && !errors.Is(err, unix.EINTR) {
					return // the queue is never closed
				}
				for i := range max(n, 0) {
					exited(int(events[i].Ident))
				}
			}
		})
	})
	return exits.err
}

func exited(pid int) {
	exits.mu.Lock()
	c := exits.calls[pid]
	delete(exits.calls, pid)
	exits.mu.Unlock()
	if c.fn != nil {
		c.fn()
	}
}

// onExit calls fn once, from any goroutine, when the process has ended; fn must not block.
func (h *handle) onExit(fn func()) error {
	if err := startExits(); err != nil {
		return err
	}
	exits.mu.Lock()
	exits.last++
	h.watch = exits.last
	exits.calls[h.pid] = call{h.watch, fn}
	exits.mu.Unlock()
	var e unix.Kevent_t
	unix.SetKevent(&e, h.pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	e.Fflags = unix.NOTE_EXIT
	_, err := unix.Kevent(exits.queue, []unix.Kevent_t{e}, nil, nil)
	if errors.Is(err, unix.ESRCH) { // it has ended already
		exited(h.pid)
		return nil
	}
	return os.NewSyscallError("kevent", err)
}

// forget ends what onExit began; fn is not called after it, unless it is being called.
func (h *handle) forget() {
	exits.mu.Lock()
	if h.watch != 0 && exits.calls[h.pid].id == h.watch {
		delete(exits.calls, h.pid)
	}
	exits.mu.Unlock()
	h.watch = 0
}

// openHandle finds a process by its number.
func openHandle(pid int) (*handle, error) {
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return nil, err
	}
	return &handle{pid: pid, fd: -1}, nil
}

// reap waits for a child that has ended, for it and no other.
func (h *handle) reap() (syscall.WaitStatus, error) { return waitFor(h.pid, 0) }
