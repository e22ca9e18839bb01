package control

import (
	"net"

	"github.com/lastcall-go/lastcall/process"
)

// Feature is what this system has of what this package uses.
func Feature() process.Feature {
	f := process.Feature{Name: "control", Does: "who connects to the control socket is checked", Has: peerMeans != "", Why: peerMeans}
	if !f.Has {
		f.Why = errNotSupported.Error()
	}
	return f
}

// peer is the user at the other end of a connection.
func peer(conn *net.UnixConn) (uid int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	if failed := raw.Control(func(fd uintptr) { uid, err = peerOf(int(fd)) }); failed != nil {
		return 0, failed
	}
	return uid, err
}
