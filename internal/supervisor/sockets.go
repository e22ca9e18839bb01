//go:build unix

package supervisor

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/internal/listenfds"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/unixsocket"
	"github.com/lastcall-go/lastcall/process"
)

// sockets are those that are held for the processes. They outlive every instance, so that nothing that connects is refused
// while one takes the place of another.
//
// Its methods may be called from any goroutine, except that open and keep are called by one at a time: the one that changes what is
// to run, see Supervisor.withFile. A lookup of a name may take long, so nothing is opened under the lock.
type sockets struct {
	passed map[string]*os.File // by the program that started this one; not changed

	mu   sync.Mutex
	held map[config.Listener]*held
}

type held struct {
	file *os.File
	path string      // to be removed in the end; "" where nothing is
	lock *os.File    // of the path
	info os.FileInfo // of the file at the path; nil before there is one
	runs int         // so many instances that serve it run; guarded by sockets.mu
}

// newSockets takes over what whoever started this process passed on, with the protocol of sd_listen_fds(3).
func newSockets() *sockets {
	s := &sockets{held: map[config.Listener]*held{}, passed: map[string]*os.File{}}
	for i, name := range listenfds.Names(os.Getenv, os.Getpid()) {
		fd := listenfds.First + i
		name = cmp.Or(name, "unknown")
		syscall.CloseOnExec(fd)
		if s.passed[name] == nil {
			s.passed[name] = os.NewFile(uintptr(fd), name)
		}
	}
	return s
}

// open opens the sockets of a process that are not held already. What it opened before an error stays, for keep to close.
func (s *sockets) open(process string, listeners []config.Listener) error {
	for _, l := range listeners {
		if s.find(l) != nil {
			continue
		}
		h := &held{file: s.passed[l.Name]}
		if h.file == nil {
			var err error
			if h, err = listen(l); err != nil {
				return fmt.Errorf("%s: listen %s: %s %s: %w", process, l.Name, l.Network, l.Address, err)
			}
		}
		s.mu.Lock()
		s.held[l] = h
		s.mu.Unlock()
	}
	return nil
}

// find is the one that is held for a listener; nil if none is.
func (s *sockets) find(l config.Listener) *held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[l]
}

// of are the sockets of these listeners, which must be open.
func (s *sockets) of(listeners []config.Listener) (list []process.Socket, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range listeners {
		h := s.held[l]
		if h == nil {
			return nil, fmt.Errorf("listen %s: %s %s is not open", l.Name, l.Network, l.Address)
		}
		list = append(list, process.Socket{Name: l.Name, File: h.file})
	}
	return list, nil
}

// runs counts an instance that serves these, which begins to run.
func (s *sockets) runs(listeners []config.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range listeners {
		if h := s.held[l]; h != nil {
			h.runs++
		}
	}
}

// letGo tells those that serve these that nothing takes their place: what waits in the queue is theirs to answer. It sets a
// flag that all copies of a descriptor share and that means nothing for a socket, for package serve to see; others take no
// notice. What was passed to this process is not its own to let go of.
func (s *sockets) letGo(listeners []config.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range listeners {
		h := s.held[l]
		if h == nil || !s.ownsLocked(l, h) {
			continue
		}
		if flags, err := unix.FcntlInt(h.file.Fd(), unix.F_GETFL, 0); err == nil {
			_, _ = unix.FcntlInt(h.file.Fd(), unix.F_SETFL, flags|unix.O_APPEND)
		}
	}
}

// ended counts an instance that ran. With the last for good (nothing takes its place), clients are refused from now on, and do
// not wait for the end of everything else to be reset then. On the BSDs and macOS a socket that has been shut down goes on to listen until
// its last descriptor is closed; on Linux it does not, whatever has a copy of the descriptor.
func (s *sockets) ended(listeners []config.Listener, forGood bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range listeners {
		h := s.held[l]
		if h == nil {
			continue
		}
		if h.runs--; h.runs == 0 && forGood && s.ownsLocked(l, h) {
			_ = syscall.Shutdown(int(h.file.Fd()), syscall.SHUT_RDWR)
			h.file.Close()
		}
	}
}

// ownsLocked reports whether a socket was opened here, and not passed on by the program that started this one.
func (s *sockets) ownsLocked(l config.Listener, h *held) bool { return s.passed[l.Name] != h.file }

// keep closes what is none of these.
func (s *sockets) keep(wanted map[config.Listener]bool) {
	var closing []*held
	s.mu.Lock()
	for l, h := range s.held {
		if wanted[l] {
			continue
		}
		delete(s.held, l)
		if s.ownsLocked(l, h) {
			closing = append(closing, h)
		}
	}
	s.mu.Unlock()
	for _, h := range closing {
		h.drop()
	}
}

// listen opens a socket. This process only holds it: so that the runtime does not look at it, which would wake this process
// whenever somebody connects, the socket is a descriptor that blocks.
func listen(l config.Listener) (h *held, err error) {
	h = new(held)
	defer func() {
		if err != nil {
			h.drop()
			h = nil
		}
	}()
	if unixsocket.InFileSystem(l.Network, l.Address) {
		if err := h.claim(l.Network, l.Address); err != nil {
			return h, err
		}
	}
	var conn syscall.Conn
	switch l.Network {
	case "tcp", "tcp4", "tcp6", "unix", "unixpacket":
		ln, err := net.Listen(l.Network, l.Address)
		if err != nil {
			return h, reason(err)
		}
		if u, ok := ln.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		defer ln.Close()
		conn = ln.(syscall.Conn)
	default:
		pc, err := net.ListenPacket(l.Network, l.Address)
		if err != nil {
			return h, reason(err)
		}
		defer pc.Close()
		conn = pc.(syscall.Conn)
	}
	h.made()
	raw, err := conn.SyscallConn()
	if err != nil {
		return h, err
	}
	fd := -1
	if controlErr := raw.Control(func(original uintptr) { fd, err = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 3) }); controlErr != nil {
		return h, controlErr
	}
	if err == nil {
		err = syscall.SetNonblock(fd, false)
	}
	if err != nil {
		return h, err
	}
	h.file = os.NewFile(uintptr(fd), l.Name)
	return h, nil
}

// claim takes the lock of the path of a socket, and removes what is left there of a process that is dead. It is not enough that
// connections are refused: on the BSDs they are also where the queue of a live server is full.
func (h *held) claim(network, path string) error {
	if len(path) > unixsocket.MaxPath {
		return fmt.Errorf("its path has %d bytes, and this system takes %d", len(path), unixsocket.MaxPath)
	}
	lock, err := unixsocket.Lock(path + ".lock")
	if live := (*unixsocket.HeldError)(nil); errors.As(err, &live) {
		return fmt.Errorf("%w: another lastcall up holds it", syscall.EADDRINUSE)
	}
	if err != nil {
		return reason(err)
	}
	if err = unixsocket.RemoveStale(network, path); err == nil {
		err = unixsocket.Sign(lock, strconv.Itoa(os.Getpid())+"\n")
	}
	if err != nil {
		unixsocket.Unlock(lock)
		return err
	}
	h.path, h.lock = path, lock
	return nil
}

// made notes which file the socket is.
func (h *held) made() {
	if h.path != "" {
		h.info, _ = os.Lstat(h.path)
	}
}

// drop gives a socket back, and removes its file, unless another has taken its place.
func (h *held) drop() {
	if h.file != nil {
		h.file.Close()
	}
	// Numbers of files are used again, hence the time of its making.
	if there, err := os.Lstat(h.path); err == nil && h.info != nil && os.SameFile(there, h.info) && there.ModTime().Equal(h.info.ModTime()) {
		os.Remove(h.path)
	}
	if h.lock != nil {
		unixsocket.Unlock(h.lock)
	}
}

// reason is the innermost of an error of package net, which repeats the address around it.
func reason(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
