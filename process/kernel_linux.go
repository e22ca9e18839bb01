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
	calls map[uint64]func(certain bool)
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
	exits.began, exits.set, exits.calls = true, set, map[uint64]func(certain bool){}
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
					fn(true)
				}
			}
		}
	})
	return nil
}

// watch calls fn from the watcher's goroutine.
func (native) watch(h *handle, fn func(certain bool)) error {
	if h.fd < 0 {
		return errors.ErrUnsupported
	}
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
		native{}.forget(h)
		if errors.Is(err, unix.EPERM) { // Linux 5.2 has pidfds that tell of no end
			native{}.close(h)
		}
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

func (native) forget(h *handle) {
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

// opened are the pidfds that open made. The lock is held while one comes or goes, so that what is open and not in here
// is somebody else's.
var opened struct {
	mu  sync.Mutex
	fds map[int]bool
}

// open opens a pidfd.
func (native) open(pid int) (*handle, error) {
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
	return &handle{kernel: native{}, pid: pid, fd: fd}, nil
}

// signal goes by the pidfd. Where the kernel refuses that, since it is old or has a filter, it goes by the number, unless the process
// has ended. The runtime is not told of the system calls here, nor of that in wait: none of them waits, and where a thousand children
// are signalled or end at once, giving the processor away and back for each costs more than the call.
func (native) signal(h *handle, s syscall.Signal) error {
	if h.fd < 0 {
		return h.byNumber(s)
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_PIDFD_SEND_SIGNAL, uintptr(h.fd), uintptr(s), 0, 0, 0, 0)
	switch errno {
	case 0:
		return nil
	case unix.EPERM, unix.ENOSYS:
		if !h.child && h.over() { // then its number may be another's
			return syscall.ESRCH
		}
		return h.byNumber(s)
	}
	return errno
}

// ended asks the pidfd. Without one it asks for the status of a child and leaves it there.
func (native) ended(h *handle) bool {
	if h.fd < 0 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.ended || awaitEnd(unix.P_PID, h.pid, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG).pid != 0
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

// await leaves the status where it is, so that the number stays the child's.
func (native) await(h *handle) { awaitEnd(unix.P_PID, h.pid, unix.WEXITED|unix.WNOWAIT) }

func (native) close(h *handle) {
	h.forget()
	if h.fd >= 0 {
		opened.mu.Lock()
		defer opened.mu.Unlock()
		unix.Close(h.fd)
		delete(opened.fds, h.fd)
		h.fd = -1
	}
}

// peek leaves the status where it is.
func (native) peek(h *handle) (Exit, bool) {
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

// wait takes the status at once where it is there.
func (native) wait(pid, options int) (syscall.WaitStatus, error) {
	var s uint32
	got, _, errno := unix.RawSyscall6(unix.SYS_WAIT4, uintptr(pid), uintptr(unsafe.Pointer(&s)), unix.WNOHANG, 0, 0, 0)
	if errno == 0 && int(got) == pid {
		return syscall.WaitStatus(s), nil
	}
	return waitFor(pid, options)
}

// killTree is for control groups to do.
func (native) killTree(int) error { return errors.ErrUnsupported }

// adopt sets PR_SET_CHILD_SUBREAPER, see prctl(2).
func (native) adopt() error {
	keepSpares()
	openOrphans()
	if self == 1 {
		return nil
	}
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

// finder goes by /proc, where that is mounted.
func (native) finder(r *registry) finder {
	if hasNoProc() {
		return &groupFinder{registry: r, list: listNothing}
	}
	return newProcFinder(r, procfs{})
}
