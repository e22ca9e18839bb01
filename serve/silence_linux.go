package serve

import (
	"math"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// silence makes the kernel refuse connections that begin from now on, while those that have begun complete and enter
// the queue, so that the queue is empty when the listener is closed, which resets what is in it. It binds the socket to
// a network interface that does not exist, which needs no privilege. (A socket filter would work too, but Go's
// listeners are MPTCP sockets, which accept none.) It reports whether it succeeded.
func silence(ln net.Listener) bool {
	socket, ok := ln.(syscall.Conn)
	if _, tcp := ln.Addr().(*net.TCPAddr); !ok || !tcp {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, math.MaxInt32)
	})
	return err == nil && set == nil
}

// roundTrip returns the longest round trip to the clients of some of the open connections.
func (r *run) roundTrip() (longest time.Duration) {
	for _, c := range r.some(32) {
		tcp, ok := c.inner.(*net.TCPConn)
		if !ok {
			continue
		}
		raw, err := tcp.SyscallConn()
		if err != nil {
			continue
		}
		_ = raw.Control(func(fd uintptr) {
			if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
				longest = max(longest, time.Duration(info.Rtt)*time.Microsecond)
			}
		})
	}
	return longest
}
