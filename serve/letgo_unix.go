//go:build unix

package serve

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// letGo reports whether who holds the listening socket has let go of it: nobody will accept after this server what waits
// there. `lastcall up` says so before it stops a server for good, by a flag that all copies of a descriptor share and that
// means nothing for a socket: O_APPEND.
func letGo(ln net.Listener) bool {
	socket, ok := ln.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	flags := 0
	controlErr := raw.Control(func(fd uintptr) { flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0) })
	return controlErr == nil && err == nil && flags&unix.O_APPEND != 0
}
