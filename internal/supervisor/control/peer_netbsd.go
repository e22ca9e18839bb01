package control

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// peerMeans is what peerOf asks with.
const peerMeans = "LOCAL_PEEREID"

const (
	solLocal     = 0
	localPeerEID = 3
)

// peerOf has no call for the struct that the kernel writes, three numbers of which the second is the user, and uses that
// for another one that begins with bytes and is longer.
func peerOf(fd int) (uid int, err error) {
	cred, err := unix.GetsockoptIPv6Mreq(fd, solLocal, localPeerEID)
	if err != nil {
		return 0, err
	}
	return int(binary.NativeEndian.Uint32(cred.Multiaddr[4:])), nil
}
