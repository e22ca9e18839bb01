package output

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller tells which of many pipes can be read. They are in an epoll set that is itself in the runtime's poller: who waits
// for them takes no thread. Only one goroutine may wait.
type poller struct {
	set    *os.File
	fd     int
	conn   syscall.RawConn
	events [turns]unix.EpollEvent
	n      int
	look   func(uintptr) bool // here, since it would be allocated with each wait
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // os.NewFile polls what does not block
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &poller{fd: fd, set: os.NewFile(uintptr(fd), "output")}
	if p.conn, err = p.set.SyscallConn(); err != nil {
		p.close()
		return nil, err
	}
	p.look = func(uintptr) bool {
		for {
			n, err := unix.EpollWait(p.fd, p.events[:], 0)
			if !errors.Is(err, unix.EINTR) {
				p.n = max(n, 0)
				return p.n > 0
			}
		}
	}
	return p, nil
}

// add begins to look at a pipe.
func (p *poller) add(fd int) error {
	e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &e))
}

// remove ends that. It is not left to close: a child between fork and exec holds the pipe too, and would keep it in the set.
func (p *poller) remove(fd int) { _ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil) }

// wait puts pipes that can be read into fds, each in its turn if there are more. Without any it waits, if it may.
func (p *poller) wait(fds *[turns]int, block bool) int {
	if !p.look(0) && block {
		_ = p.conn.Read(p.look)
	}
	for i, e := range p.events[:p.n] {
		fds[i] = int(e.Fd)
	}
	return p.n
}

func (p *poller) close() { p.set.Close() }
