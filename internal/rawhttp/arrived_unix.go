//go:build unix

package rawhttp

import (
	"net"
	"syscall"
)

// arrived reports whether something has arrived on an idle connection. That can only be its end.
func arrived(nc net.Conn) bool {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	some := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		some = err != syscall.EAGAIN && err != syscall.EINTR
	})
	return some || err != nil
}
