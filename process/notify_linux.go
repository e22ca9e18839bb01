package process

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

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
	s, err := newNotifySocket(conn, name, nil)
	if err == nil {
		control := s.fd.Control(func(fd uintptr) {
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
	return s, nil
}

// admit returns an error unless the sender of a message belongs to the family, whatever its user. A sender that has been reaped
// already cannot be looked up; its message counts if its user is that of this process, which it could end as well.
func (s *notifySocket) admit(credentials []byte) error {
	cred := credentialsIn(credentials)
	if cred == nil || cred.Pid == 0 {
		return errors.New("a message was ignored: its sender is in another pid namespace")
	}
	is, known := s.family.has(int(cred.Pid))
	switch {
	case is, !known && int(cred.Uid) == os.Geteuid():
		return nil
	case !known:
		return fmt.Errorf("a message of process %d, user %d, was ignored: it ended before it could be looked up (sd_notify_barrier(3) waits)", cred.Pid, cred.Uid)
	}
	return fmt.Errorf("a message of process %d, user %d, was ignored: it is no descendant", cred.Pid, cred.Uid)
}

func credentialsIn(extra []byte) *unix.Ucred {
	messages, err := unix.ParseSocketControlMessage(extra)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		if cred, err := unix.ParseUnixCredentials(&m); err == nil {
			return cred
		}
	}
	return nil
}

// markOf is the mark of a process that is not awaited if it is in execve(2).
func markOf(pid int) string {
	env, _ := environOf(pid)
	return markIn(env)
}

// hasMark reports whether one of the marks is id.
func hasMark(marks, id string) bool {
	for one := range strings.SplitSeq(marks, ":") {
		if one == id {
			return true
		}
	}
	return false
}
