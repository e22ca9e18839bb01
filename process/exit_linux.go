package process

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// exits tells of ends by pidfd. All pidfds are in one epoll set, which is itself in the runtime's poller: one goroutine and
// no thread for any number of children, and some hundred bytes for each. See pidfd_open(2): a pidfd is readable when its
// process has ended, also if it is not a child.
var exits struct {
	mu    sync.Mutex
	began bool
	set   int
	last  uint64
	calls map[uint64]func()
}

// startExits begins to watch, unless that has begun. Where no descriptor is left it fails, and the next start tries again.
func startExits() error {
	exits.mu.Lock()
	defer exits.mu.Unlock()
	if exits.began {
		return nil
	}
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(set, true); err != nil { // os.NewFile polls what does not block
		unix.Close(set)
		return os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(set), "exits")
	conn, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return err
	}
	exits.began, exits.set, exits.calls = true, set, map[uint64]func(){}
	service(func() {
		events := make([]unix.EpollEvent, 64)
		for {
			n := 0
			err := conn.Read(func(fd uintptr) bool {
				n, _ = unix.EpollWait(int(fd), events, 0)
				return n > 0
			})
			if err != nil {
				return // the set is never closed
			}
			for _, e := range events[:n] {
				id := uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
				exits.mu.Lock()
				fn := exits.calls[id]
				delete(exits.calls, id)
				exits.mu.Unlock()
				if fn != nil {
					fn()
				}
			}
		}
	})
	return nil
}

// onExit calls fn once, from the watcher's goroutine, when the process has ended; fn must not block.
func (h *handle) onExit(fn func()) error {
	if err := startExits(); err != nil {
		return err
	}
	exits.mu.Lock()
	exits.last++
	h.watch = exits.last
	exits.calls[h.watch] = fn
	exits.mu.Unlock()
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(h.watch), Pad: int32(h.watch >> 32)}
	if err := unix.EpollCtl(exits.set, unix.EPOLL_CTL_ADD, h.fd, &e); err != nil {
		h.forget()
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

// forget ends what onExit began; fn is not called after it, unless it is being called.
func (h *handle) forget() {
	if h.watch == 0 {
		return
	}
	exits.mu.Lock()
	delete(exits.calls, h.watch)
	exits.mu.Unlock()
	// Not left to close: a child between fork and exec holds the descriptor too, and would keep it in the set; and one that is
	// not closed may be watched again.
	_ = unix.EpollCtl(exits.set, unix.EPOLL_CTL_DEL, h.fd, nil)
	h.watch = 0
}

// opened are the pidfds that openHandle made. The lock is held while one comes or goes, so that what is open and not in here
// is somebody else's.
var opened struct {
	mu  sync.Mutex
	fds map[int]bool
}

// openHandle finds a process by its number. The caller makes sure that it is still the one that it means.
func openHandle(pid int) (*handle, error) {
	opened.mu.Lock()
	defer opened.mu.Unlock()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	if opened.fds == nil {
		opened.fds = map[int]bool{}
	}
	opened.fds[fd] = true
	return &handle{pid: pid, fd: fd}, nil
}

// signal sends s to this very process. Where the kernel refuses to do that by a pidfd, it goes by the number, which is the process's as
// long as it has not been reaped. The runtime is not told of the system call, nor of that in reap: neither waits, and
// where a thousand children are told or end at once, giving the processor away and back for each costs more than the call.
func (h *handle) signal(s syscall.Signal) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PIDFD_SEND_SIGNAL, uintptr(h.fd), uintptr(s), 0, 0, 0, 0)
	switch errno {
	case 0:
		return nil
	case unix.EPERM, unix.ENOSYS: // perhaps it is the call that is refused, by a seccomp filter or an old kernel
		return syscall.Kill(h.pid, s)
	}
	return errno
}

// over reports whether the process has ended, also before onExit has been told.
func (h *handle) over() bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

func (h *handle) close() {
	h.forget()
	if h.fd >= 0 {
		opened.mu.Lock()
		defer opened.mu.Unlock()
		unix.Close(h.fd)
		delete(opened.fds, h.fd)
		h.fd = -1
	}
}

// peek is how the process has ended, while it has not been reaped.
func (h *handle) peek() (Exit, bool) {
	info := awaitEnd(unix.P_PID, h.pid, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
	const exited, dumped = 1, 3 // see sigaction(2)
	switch {
	case int(info.pid) != h.pid:
		return Exit{}, false
	case info.code == exited:
		return Exit{PID: h.pid, Code: int(info.status)}, true
	}
	return Exit{PID: h.pid, Code: -1, Signal: syscall.Signal(info.status), Core: info.code == dumped}, true
}

// reap waits for a child that has ended, for it and no other.
func (h *handle) reap() (syscall.WaitStatus, error) {
	var s uint32
	pid, _, errno := unix.RawSyscall6(unix.SYS_WAIT4, uintptr(h.pid), uintptr(unsafe.Pointer(&s)), unix.WNOHANG, 0, 0, 0)
	if errno == 0 && int(pid) == h.pid {
		return syscall.WaitStatus(s), nil
	}
	return waitFor(h.pid, 0) // a debugger has it first
}

// waitFor is wait4 for one child.
func waitFor(pid, options int) (syscall.WaitStatus, error) {
	var s syscall.WaitStatus
	for {
		got, err := syscall.Wait4(pid, &s, options, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil && got == 0 {
			err = syscall.EAGAIN
		}
		return s, err
	}
}
