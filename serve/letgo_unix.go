//go:build unix

package serve

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// letGo reports whether the holder of the listening socket has released it, so that no process will accept the waiting
// connections after this server. `lastcall up` signals that before it stops a server for good, with a flag that all
// copies of a descriptor share and that has no effect on a socket: O_APPEND.
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
