//go:build unix

package process

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// mostNotes is how many notes wait for the child's goroutine. Further messages stay in the socket, whose queue the kernel bounds:
	// a sender then waits, as with any socket that is full.
	mostNotes = 64
	// noteWindow is the time in which no more than mostNotes messages are read, so that a flood costs little.
	noteWindow = 10 * time.Millisecond
	// passWithin is how long the end of a child waits for OnNote to return.
	passWithin = time.Second
)

// notifySocket is one child's NOTIFY_SOCKET. Its goroutine reads the messages, leaves out those of strangers, and keeps a bounded
// number of notes for the child's goroutine. Nothing is thrown away for want of room.
type notifySocket struct {
	conn   *net.UnixConn
	fd     syscall.RawConn
	name   string
	remove func()  // removes the name; may be nil
	family *family // whose messages count

	some   chan struct{} // there are notes
	taken  chan struct{} // there is room again
	over   chan struct{} // closed at the end of the child
	served chan struct{} // closed when serve has returned; nil if it was not called

	raw    func(text string) // called with each message, by a goroutine of its own; may be nil
	said   chan struct{}     // there are texts for it
	passed chan struct{}     // closed when it has seen all

	mu      sync.Mutex // held while a note is on its way from the socket to the list, so that none is in between
	list    []note
	texts   []string // for raw, which is called without the lock
	refused error    // why the last message that was left out was
}

func newNotifySocket(conn *net.UnixConn, name string, remove func()) (*notifySocket, error) {
	fd, err := conn.SyscallConn()
	return &notifySocket{
		conn: conn, fd: fd, name: name, remove: remove,
		some: make(chan struct{}, 1), taken: make(chan struct{}, 1), over: make(chan struct{}),
	}, err
}

// begin serves the socket from now on.
func (s *notifySocket) begin() {
	s.served, s.said, s.passed = make(chan struct{}), make(chan struct{}, 1), make(chan struct{})
	if s.raw != nil {
		go s.passOn()
	}
	go s.serve()
}

// serve collects notes until the socket is closed.
func (s *notifySocket) serve() {
	defer close(s.served)
	var began time.Time // of the window
	var count int       // of messages in it
	for s.fd.Read(readable) == nil {
		if time.Since(began) >= noteWindow {
			began, count = time.Now(), 0
		}
		n, full := s.collect(mostNotes)
		tellOf(s.some)
		if full {
			select {
			case <-s.taken:
			case <-s.over:
				return
			}
		}
		if count += n; count >= mostNotes {
			time.Sleep(time.Until(began.Add(noteWindow)))
		}
	}
}

// tellOf never blocks: one word is enough.
func tellOf(some chan<- struct{}) {
	select {
	case some <- struct{}{}:
	default:
	}
}

// passOn calls raw with the messages, one at a time and in order.
func (s *notifySocket) passOn() {
	defer close(s.passed)
	for more := true; more; {
		_, more = <-s.said
		s.mu.Lock()
		texts := s.texts
		s.texts = nil
		s.mu.Unlock()
		tellOf(s.taken)
		for _, text := range texts {
			s.raw(text)
		}
	}
}

// readable reports whether there is something to read, an error included.
func readable(fd uintptr) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		if !errors.Is(err, unix.EINTR) {
			return n != 0
		}
	}
}

// collect reads what has come, as long as the list has less than most notes. It returns how many messages it read, and whether the
// list is full.
func (s *notifySocket) collect(most int) (read int, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	buf := buffers.Get().(*[8 << 10]byte)
	defer buffers.Put(buf)
	for ; read < most; read++ {
		if len(s.list) >= most || len(s.texts) >= most {
			return read, true
		}
		n, from, flags, err := s.receive(buf[:])
		if err != nil {
			return read, false
		}
		if flags&syscall.MSG_TRUNC != 0 {
			continue
		}
		if err := s.admit(from); err != nil {
			s.refused = err
			continue
		}
		text := string(buf[:n])
		s.list = append(s.list, parseNote(text))
		if s.raw != nil {
			s.texts = append(s.texts, text)
			tellOf(s.said)
		}
	}
	return read, false
}

// receive reads one message without waiting.
func (s *notifySocket) receive(buf []byte) (n int, from []byte, flags int, err error) {
	extra := make([]byte, credentialsSpace)
	failed := s.fd.Control(func(fd uintptr) {
		for {
			var extraN int
			n, extraN, flags, _, err = syscall.Recvmsg(int(fd), buf, extra, syscall.MSG_DONTWAIT)
			if !errors.Is(err, syscall.EINTR) {
				from = extra[:max(extraN, 0)]
				return
			}
		}
	})
	if failed != nil {
		err = failed
	}
	return n, from, flags, err
}

// take returns the notes in order, once.
func (s *notifySocket) take() []note {
	s.mu.Lock()
	list := s.list
	s.list = nil
	s.mu.Unlock()
	tellOf(s.taken)
	return coalesce(list)
}

// mostWaiting is more than a socket holds by default, and far more than a child sends while this process is held up.
const mostWaiting = 1024

// drain is take with all that has been sent by now.
func (s *notifySocket) drain() []note {
	s.collect(mostWaiting)
	return s.take()
}

// refusal is why the last message that was left out was; nil if there was none.
func (s *notifySocket) refusal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// close ends serve and gives back everything. OnNote has then seen all messages, unless it is stuck.
func (s *notifySocket) close() {
	close(s.over)
	s.conn.Close()
	if s.remove != nil {
		s.remove()
	}
	if s.served == nil || s.raw == nil {
		return
	}
	<-s.served
	close(s.said)
	timer := time.NewTimer(passWithin)
	defer timer.Stop()
	select {
	case <-s.passed:
	case <-timer.C:
	}
}
