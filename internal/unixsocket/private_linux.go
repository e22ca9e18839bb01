package unixsocket

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// ListenPrivate listens at path with a socket that only this user may connect to, from the first moment. The mode is set on the socket
// before it has a name, so that nothing that takes the place of the name is touched.
func ListenPrivate(path string) (*net.UnixListener, error) {
	config := net.ListenConfig{Control: func(_, _ string, conn syscall.RawConn) error {
		var err error
		if failed := conn.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }); failed != nil {
			return failed
		}
		return err
	}}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	return l.(*net.UnixListener), nil
}
