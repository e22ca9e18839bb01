//go:build unix

package process

import (
	"context"
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// errShared is a connection that somebody else took.
var errShared = errors.New("another process with the same socket answers")

// triesShared is how often one look connects to a shared socket: who takes a connection is up to the kernel.
const triesShared = 16

// dial connects to what the child is to serve. Where that is a socket that this process holds, a connection proves nothing: the
// kernel completes it, and others with the same socket, such as the one whose place this child is to take, answer as well.
// So there, where the system tells, it is one that the child's family has accepted.
func (c *child) dial(ctx context.Context, network, address string) (net.Conn, error) {
	for try := 1; ; try++ {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil || !c.holds(conn) {
			return conn, err
		}
		if err = accepted(ctx, conn, c.p.PID()); err == nil {
			return conn, nil
		}
		conn.Close()
		if try == triesShared || !errors.Is(err, errShared) {
			return nil, err
		}
	}
}

// holds reports whether a connection goes to one of the sockets that this process passed on.
func (c *child) holds(conn net.Conn) bool {
	to, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	for _, s := range c.p.Listen {
		if raw, err := s.File.SyscallConn(); err == nil && portOf(raw) == to.Port {
			return true
		}
	}
	return false
}

// portOf is the port that a TCP socket is bound to, 0 if it is none.
func portOf(raw syscall.RawConn) (port int) {
	_ = raw.Control(func(fd uintptr) {
		if kind, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_STREAM {
			return
		}
		switch at, _ := unix.Getsockname(int(fd)); at := at.(type) {
		case *unix.SockaddrInet4:
			port = at.Port
		case *unix.SockaddrInet6:
			port = at.Port
		}
	})
	return port
}
