//go:build unix && !linux

package unixsocket

import (
	"net"
	"syscall"
)

// ListenPrivate listens at path with a socket that only this user may connect to, from the first moment. These systems take no mode for
// a socket without a name, so the mask of this process is another for a moment; what it makes meanwhile gets a stricter mode.
func ListenPrivate(path string) (*net.UnixListener, error) {
	defer syscall.Umask(syscall.Umask(0o177))
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}
