//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package process

import (
	"errors"
	"os"
	"slices"
	"sync"

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
	calls map[int][]call // by pid
}

type call struct {
	id uint64
	fn func(certain bool)
}

func startExits() error {
	exits.once.Do(func() {
		exits.calls = map[int][]call{}
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
	list := exits.calls[pid]
	delete(exits.calls, pid)
	exits.mu.Unlock()
	for _, c := range list {
		c.fn(false)
	}
}

// watch asks for NOTE_EXIT, which comes once, and early: a process in exit has it at once.
func (native) watch(h *handle, fn func(certain bool)) error {
	if err := startExits(); err != nil {
		return err
	}
	exits.mu.Lock()
	exits.last++
	h.watch = exits.last
	exits.calls[h.pid] = append(exits.calls[h.pid], call{h.watch, fn})
	exits.mu.Unlock()
	var e unix.Kevent_t
	unix.SetKevent(&e, h.pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	e.Fflags = unix.NOTE_EXIT
	if _, err := unix.Kevent(exits.queue, []unix.Kevent_t{e}, nil, nil); err != nil {
		h.forget()
		return os.NewSyscallError("kevent", err)
	}
	return nil
}

func (native) forget(h *handle) {
	exits.mu.Lock()
	defer exits.mu.Unlock()
	if h.watch == 0 {
		return
	}
	list := slices.DeleteFunc(exits.calls[h.pid], func(c call) bool { return c.id == h.watch })
	if exits.calls[h.pid] = list; len(list) == 0 {
		delete(exits.calls, h.pid)
	}
	h.watch = 0
}
