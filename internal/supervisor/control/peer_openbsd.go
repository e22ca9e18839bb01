package control

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// peerMeans is what peerOf asks with.
const peerMeans = "SO_PEERCRED"

// peerOf has no call for the struct that the kernel writes, three numbers of which the first is the user, and uses that
// for another one that begins with bytes and is longer.
func peerOf(fd int) (uid int, err error) {
	cred, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(binary.NativeEndian.Uint32(cred.Multiaddr[:])), nil
}
