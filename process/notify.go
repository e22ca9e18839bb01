//go:build unix

package process

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A note is what a child says of itself in one datagram of the protocol of sd_notify(3). What it does not say is zero.
type note struct {
	ready, reloading, stopping bool
	status                     *string
	mainPID                    int
	extend                     time.Duration // EXTEND_TIMEOUT_USEC
	beat, trigger              bool          // WATCHDOG=1, WATCHDOG=trigger
	watchdog                   time.Duration // WATCHDOG_USEC
}

// parseNote reads lines of NAME=value, and skips what it does not know.
func parseNote(text string) (n note) {
	usec := func(value string) time.Duration {
		us, err := strconv.ParseInt(value, 10, 64)
		if err != nil || us < 0 || us > int64(time.Duration(1<<63-1)/time.Microsecond) {
			return 0
		}
		return time.Duration(us) * time.Microsecond
	}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, "=")
		switch name {
		case "READY":
			n.ready = n.ready || value == "1"
		case "RELOADING":
			n.reloading = n.reloading || value == "1"
		case "STOPPING":
			n.stopping = n.stopping || value == "1"
		case "STATUS":
			n.status = &value
		case "MAINPID":
			if pid, err := strconv.Atoi(value); err == nil && pid > 1 {
				n.mainPID = pid
			}
		case "EXTEND_TIMEOUT_USEC":
			n.extend = usec(value)
		case "WATCHDOG":
			n.beat = n.beat || value == "1"
			n.trigger = n.trigger || value == "trigger"
		case "WATCHDOG_USEC":
			n.watchdog = usec(value)
		}
	}
	return n
}

// notifySocket is one child's NOTIFY_SOCKET. Its name is random, so what comes in is from the family it was given to; where
// names can be listed, the sender's user is checked as well.
type notifySocket struct {
	conn *net.UnixConn
	name string
	gone func() // removes the name
	uid  uint32 // of the child

	raw  func(text string) // called with each message; may be nil
	some chan struct{}     // there are notes
	mu   sync.Mutex        // held while a note is on its way from the socket to the list, so that none is in between
	list []note
}

// serve collects notes until the socket is closed.
func (s *notifySocket) serve() {
	conn, err := s.conn.SyscallConn()
	if err != nil {
		return
	}
	for conn.Read(s.collect) == nil {
		select {
		case s.some <- struct{}{}:
		default:
		}
	}
}

// collect reads what has come, and reports whether there was anything.
func (s *notifySocket) collect(fd uintptr) (some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	buf := buffers.Get().(*[8 << 10]byte)
	defer buffers.Put(buf)
	extra := make([]byte, credentialsSpace)
	for {
		n, extraN, flags, _, err := syscall.Recvmsg(int(fd), buf[:], extra, syscall.MSG_DONTWAIT)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return some
		case flags&syscall.MSG_TRUNC == 0 && s.allowed(extra[:extraN]):
			text := string(buf[:n])
			s.list = append(s.list, parseNote(text))
			if s.raw != nil {
				s.raw(text)
			}
			some = true
		}
	}
}

// take returns the notes in order, once.
func (s *notifySocket) take() []note {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

// lastWords is take with all that has been sent by now.
func (s *notifySocket) lastWords() []note {
	if conn, err := s.conn.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { s.collect(fd) })
	}
	return s.take()
}

func (s *notifySocket) close() {
	s.conn.Close()
	if s.gone != nil {
		s.gone()
	}
}
