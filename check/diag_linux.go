package check

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// diagnose asks the kernel for the TCP sockets of this process's network namespace in some states, see sock_diag(7). /proc/net/tcp has
// the same, and costs a line for every connection that ended in the last minute. ok is false where the kernel does not answer.
func diagnose(in states) (list []tcpSocket, ok bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5})
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if list, err = diagnoseFamily(fd, family, in, list); err != nil {
			return nil, false
		}
	}
	return list, true
}

const (
	diagRequest = 56 // the size of struct inet_diag_req_v2
	diagAnswer  = 72 // that of struct inet_diag_msg
)

func diagnoseFamily(fd int, family byte, in states, list []tcpSocket) ([]tcpSocket, error) {
	request := make([]byte, unix.NLMSG_HDRLEN+diagRequest)
	binary.NativeEndian.PutUint32(request, uint32(len(request)))
	binary.NativeEndian.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := request[unix.NLMSG_HDRLEN:]
	body[0], body[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], uint32(in))
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			switch m.Header.Type {
			case unix.NLMSG_DONE:
				return list, nil
			case unix.NLMSG_ERROR:
				return nil, unix.EPROTO
			}
			if l, ok := parseDiag(m.Data); ok {
				list = append(list, l)
			}
		}
	}
}

// parseDiag reads struct inet_diag_msg.
func parseDiag(b []byte) (s tcpSocket, ok bool) {
	if len(b) < diagAnswer || b[1] > 31 {
		return s, false
	}
	var local, remote netip.Addr
	switch b[0] {
	case unix.AF_INET:
		local, remote = netip.AddrFrom4([4]byte(b[8:12])), netip.AddrFrom4([4]byte(b[24:28]))
	case unix.AF_INET6:
		local, remote = netip.AddrFrom16([16]byte(b[8:24])).Unmap(), netip.AddrFrom16([16]byte(b[24:40])).Unmap()
	default:
		return s, false
	}
	return tcpSocket{
		state:  1 << b[1],
		local:  netip.AddrPortFrom(local, binary.BigEndian.Uint16(b[4:])),
		remote: netip.AddrPortFrom(remote, binary.BigEndian.Uint16(b[6:])),
		unread: binary.NativeEndian.Uint32(b[56:]),
		inode:  strconv.FormatUint(uint64(binary.NativeEndian.Uint32(b[68:])), 10),
	}, true
}

// sameNetwork reports whether a process is in this process's network namespace, as far as that is shown.
func sameNetwork(pid int) bool {
	theirs, err := os.Readlink(procDir(pid) + "/ns/net")
	return err != nil || theirs == ownNetwork()
}

var ownNetwork = sync.OnceValue(func() string {
	name, _ := os.Readlink("/proc/self/ns/net")
	return name
})
