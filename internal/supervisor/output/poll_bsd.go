//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package output

import (
	"os"

	"golang.org/x/sys/unix"
)

// poller tells which of many pipes can be read, by a kqueue. Who waits takes a thread, since not every system lets a kqueue
// be non-blocking, as the runtime's poller wants it. Only one goroutine may wait.
type poller struct {
	queue  int
	events [turns]unix.Kevent_t
}

func newPoller() (*poller, error) {
	queue, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(queue)
	return &poller{queue: queue}, nil
}

func (p *poller) change(fd, flags int) error {
	var e unix.Kevent_t
	unix.SetKevent(&e, fd, unix.EVFILT_READ, flags)
	_, err := unix.Kevent(p.queue, []unix.Kevent_t{e}, nil, nil)
	return os.NewSyscallError("kevent", err)
}

// add begins to look at a pipe.
func (p *poller) add(fd int) error { return p.change(fd, unix.EV_ADD) }

// remove ends that.
func (p *poller) remove(fd int) { _ = p.change(fd, unix.EV_DELETE) }

// wait puts pipes that can be read into fds, each in its turn if there are more. Without any it waits, if it may.
func (p *poller) wait(fds *[turns]int, block bool) int {
	var limit *unix.Timespec
	if !block {
		limit = &unix.Timespec{}
	}
	n, err := unix.Kevent(p.queue, nil, p.events[:], limit)
	if err != nil { // EINTR
		return 0
	}
	for i := range p.events[:n] {
		fds[i] = int(p.events[i].Ident)
	}
	return n
}

func (p *poller) close() { unix.Close(p.queue) }
