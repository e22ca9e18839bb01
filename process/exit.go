//go:build unix

package process

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

// A handle is a process that is known. On Linux it is a pidfd, which means one process whatever becomes of its number; elsewhere, and where
// there is no pidfd, its number, which does so while the process is a child that this package has not reaped.
type handle struct {
	kernel kernel
	pid    int
	fd     int    // the pidfd, or -1
	watch  uint64 // what the exit watcher knows it by; 0 if it does not
	child  bool   // this package reaps it

	mu     sync.Mutex
	ended  bool // it has been reaped, and this is how it ended
	status syscall.WaitStatus
}

// Pauses between looks at a process whose end was noted early, or that was killed.
const (
	firstLook = time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// onExit calls fn once, from any goroutine, when the process has ended; fn must not block. A child that cannot be watched is waited
// for, on a thread of its own: NetBSD watches no set-user-ID program, and a kernel without pidfds none at all.
func (h *handle) onExit(fn func()) error {
	err := h.kernel.watch(h, func(certain bool) {
		if certain {
			fn()
		} else {
			h.confirm(fn, firstLook)
		}
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ESRCH):
		h.confirm(fn, firstLook)
		return nil
	case h.child && !lacking(err):
		service(func() {
			h.kernel.await(h)
			h.confirm(fn, firstLook)
		})
		return nil
	}
	return err
}

// confirm calls fn when the process has ended. A process whose end was noted early has still to close its files and to give back its
// memory, and the note is not repeated: see filt_procattach in FreeBSD's kern_event.c.
func (h *handle) confirm(fn func(), pause time.Duration) {
	if h.over() {
		fn()
		return
	}
	time.AfterFunc(pause, func() { h.confirm(fn, min(2*pause, lastLook)) })
}

// over reports whether the process has ended, also before onExit has been told.
func (h *handle) over() bool { return h.kernel.ended(h) }

// peek is how a child has ended, if that is known.
func (h *handle) peek() (Exit, bool) {
	h.mu.Lock()
	ended, status := h.ended, h.status
	h.mu.Unlock()
	if ended {
		return exitOf(h.pid, status), true
	}
	return h.kernel.peek(h)
}

// forget ends what onExit began; fn may still be called of an end that has been noted.
func (h *handle) forget() { h.kernel.forget(h) }

func (h *handle) signal(s syscall.Signal) error { return h.kernel.signal(h, s) }

func (h *handle) close() { h.kernel.close(h) }

// reap takes the status of a child that has ended or is about to, and of no other. A debugger may have it first.
func (h *handle) reap() (syscall.WaitStatus, error) {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		if err := h.take(); !errors.Is(err, syscall.EAGAIN) {
			return h.status, err
		}
		time.Sleep(pause)
	}
}

// take is reap of a child that may not have ended; then it is EAGAIN. Once it has ended its number may be another's.
func (h *handle) take() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil
	}
	status, err := h.kernel.wait(h.pid, syscall.WNOHANG)
	if err == nil {
		h.ended, h.status = true, status
	}
	return err
}

// byNumber sends s to the number of the process, unless it has been reaped.
func (h *handle) byNumber(s syscall.Signal) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return syscall.ESRCH
	}
	return h.kernel.kill(h.pid, s)
}

// endedByNumber takes the status of a child. Of other processes it looks for the group, which zombies have no more.
func (h *handle) endedByNumber() bool {
	if h.child {
		if err := h.take(); err == nil || errors.Is(err, syscall.EAGAIN) {
			return err == nil
		}
	}
	_, _, err := h.kernel.place(h.pid)
	return errors.Is(err, syscall.ESRCH)
}

// awaitByNumber takes the status of a child when it has ended.
func (h *handle) awaitByNumber() {
	status, err := h.kernel.wait(h.pid, 0)
	if err == nil {
		h.mu.Lock()
		h.ended, h.status = true, status
		h.mu.Unlock()
	}
}
