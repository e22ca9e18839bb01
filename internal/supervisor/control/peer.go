package control

import "net"

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
