package check

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// listening are the listening sockets of processes.
func listening(procs []proc) (list []socket) {
	i := slices.IndexFunc(procs, func(p proc) bool { return !p.Zombie })
	if i < 0 {
		return nil
	}
	all := listeners(procs[i].PID)
	if len(all) == 0 {
		return nil
	}
	owner := map[string]int{} // by inode
	for _, p := range procs {
		dir := procDir(p.PID) + "/fd"
		for _, fd := range names(dir) {
			target, err := os.Readlink(dir + "/" + fd)
			if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok {
				owner[strings.TrimSuffix(inode, "]")] = p.PID
			}
		}
	}
	for _, s := range all {
		if pid, ok := owner[s.inode]; ok {
			s.PID = pid
			list = append(list, s.socket)
		}
	}
	return list
}

// listens reports whether anybody listens at a TCP address, in the network of a process.
func listens(pid int, addr netip.AddrPort) (s socket, ok bool) {
	for _, s := range tcpListeners(pid) {
		if s.Addr.Port() == addr.Port() && (s.Addr.Addr() == addr.Addr().Unmap() || s.Addr.Addr().IsUnspecified()) {
			return s.socket, true
		}
	}
	return socket{}, false
}

// listener is a socket whose owner is not known yet.
type listener struct {
	socket
	queued int // connections that the system has made and nobody has accepted yet
	inode  string
}

// listeners are the listening sockets of the network namespace of a process, see proc_pid_net(5).
func listeners(pid int) (list []listener) {
	list = tcpListeners(pid)
	eachLine(procDir(pid)+"/net/unix", func(fields []string) bool {
		const accepts = 1 << 16 // __SO_ACCEPTCON
		if len(fields) < 8 {
			return true
		}
		if flags, _ := strconv.ParseUint(fields[3], 16, 64); flags&accepts != 0 {
			list = append(list, listener{socket: socket{Network: "unix", Path: strings.Join(fields[7:], " ")}, inode: fields[6]})
		}
		return true
	})
	return list
}

// tcpListeners are those of TCP.
func tcpListeners(pid int) (list []listener) {
	for _, s := range tcpSockets(pid, listenState) {
		list = append(list, listener{socket{Network: "tcp", Addr: s.local}, int(s.unread), s.inode})
	}
	return list
}

// tcpSocket is a TCP socket as sock_diag(7) and proc_pid_net(5) show it.
type tcpSocket struct {
	state         states // one of them
	local, remote netip.AddrPort
	unread        uint32 // bytes that came and were not read; of a listening socket: connections made and not accepted
	inode         string // "0" until the connection is accepted
}

// states is a set of states of TCP sockets, by the kernel's numbers (net/tcp_states.h).
type states uint32

const (
	establishedState states = 1 << 1
	closeWaitState   states = 1 << 8 // the other side has closed
	listenState      states = 1 << 10
	openStates              = establishedState | closeWaitState
)

// tcpSockets are those of the network namespace of a process in some states.
func tcpSockets(pid int, in states) (list []tcpSocket) {
	if sameNetwork(pid) {
		if list, ok := diagnose(in); ok {
			return list
		}
	}
	for _, file := range []string{"tcp", "tcp6"} {
		eachLine(procDir(pid)+"/net/"+file, func(fields []string) bool {
			if len(fields) < 10 || fields[0] == "sl" {
				return true
			}
			number, _ := strconv.ParseUint(fields[3], 16, 8)
			state := states(1) << number
			if state&in != 0 {
				_, queue, _ := strings.Cut(fields[4], ":")
				unread, _ := strconv.ParseUint(queue, 16, 32)
				list = append(list, tcpSocket{state, hexAddr(fields[1]), hexAddr(fields[2]), uint32(unread), fields[9]})
			}
			return in != listenState || state == listenState // listening sockets come first, of connections there may be very many
		})
	}
	return list
}

// connectionsTo are the open connections to a port, on the daemon's side.
func connectionsTo(pid int, port uint16) []tcpSocket {
	return slices.DeleteFunc(tcpSockets(pid, openStates), func(s tcpSocket) bool { return s.local.Port() != port })
}

// acceptedFrom are the clients' ports of the connections to a port that the daemon has accepted.
func acceptedFrom(pid int, port uint16) (list []uint16) {
	for _, s := range connectionsTo(pid, port) {
		if s.inode != "0" {
			list = append(list, s.remote.Port())
		}
	}
	return list
}

// queued is how many connections to a port the system has made that nobody has accepted yet.
func queued(pid int, port uint16) (n int) {
	for _, l := range tcpListeners(pid) {
		if l.Addr.Port() == port {
			n += l.queued
		}
	}
	return n
}

// unread is how many bytes that came from another port a daemon has not yet read.
func unread(pid int, port, from uint16) (n uint64) {
	for _, s := range connectionsTo(pid, port) {
		if s.remote.Port() == from {
			n += uint64(s.unread)
		}
	}
	return n
}

// unreadFrom is how many connections to a port have brought something that the daemon has not read.
func unreadFrom(pid int, port uint16) (n int) {
	for _, s := range connectionsTo(pid, port) {
		if s.unread > 0 {
			n++
		}
	}
	return n
}

// waiting is how much there is at a port that nobody has taken: connections that nobody has accepted, and bytes that nobody has read.
func waiting(pid int, port uint16) (n uint64) {
	for _, s := range tcpSockets(pid, listenState|establishedState) {
		if s.local.Port() == port {
			n += uint64(s.unread)
		}
	}
	return n
}

// connections is how many connections to a port are open on the daemon's side: established, or closed by the other side only.
func connections(pid int, port uint16) int { return len(connectionsTo(pid, port)) }

// eachLine calls fn with the fields of each line, as long as it wants more.
func eachLine(file string, fn func(fields []string) (more bool)) {
	f, err := os.Open(file)
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan() && fn(strings.Fields(lines.Text())); {
	}
}

// hexAddr reads an address as /proc writes it: words in the byte order of the machine, the port in that of the network.
func hexAddr(text string) netip.AddrPort {
	host, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil {
		return netip.AddrPort{}
	}
	for i := 0; i+4 <= len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	ip, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(ip.Unmap(), uint16(n))
}
