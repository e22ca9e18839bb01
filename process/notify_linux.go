package process

import (
	"crypto/rand"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// credentialsSpace has room for the sender's credentials and nothing else: the kernel closes descriptors that are sent
// along, which is also what ends an sd_notify_barrier(3).
var credentialsSpace = unix.CmsgSpace(unix.SizeofUcred)

// serveNotify makes the socket in the abstract namespace: it needs no directory, and nothing is left of it.
func serveNotify() (*notifySocket, error) {
	name := "@lastcall/" + rand.Text()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		control := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
		})
		if err == nil {
			err = control
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &notifySocket{conn: conn, some: make(chan struct{}, 1), name: name}, nil
}

// allowed reports whether the sender is root, this user, or the child's.
func (s *notifySocket) allowed(extra []byte) bool {
	messages, err := unix.ParseSocketControlMessage(extra)
	if err != nil {
		return false
	}
	for _, m := range messages {
		if cred, err := unix.ParseUnixCredentials(&m); err == nil {
			return cred.Uid == 0 || cred.Uid == uint32(os.Geteuid()) || cred.Uid == s.uid
		}
	}
	return false
}
