package check

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// seesProcesses: /proc is there, and is that of this PID namespace.
var seesProcesses = func() bool {
	self, _ := os.Readlink("/proc/self")
	return self == strconv.Itoa(os.Getpid())
}()

// descendants is everything below a process, the dead that nobody has buried included, parents first. What comes and goes while this
// looks may be missing.
func descendants(pid int) (all []proc) {
	return below(pid, sync.OnceValue(byParent))
}

func below(pid int, others func() map[int][]int) (all []proc) {
	for _, child := range children(pid, others) {
		if p, ok := lookAt(child); ok {
			all = append(append(all, p), below(child, others)...)
		}
	}
	return all
}

// manyTasks is how many threads a process has of which not every one is asked for its children, but all processes for their parent.
const manyTasks = 200

// children of all threads of a process, see proc_pid_task_tid_children(5); others are all processes' where there is no such file.
func children(pid int, others func() map[int][]int) (list []int) {
	dir := procDir(pid) + "/task"
	tasks := names(dir)
	if len(tasks) > manyTasks {
		return others()[pid]
	}
	for _, task := range tasks {
		text, err := os.ReadFile(dir + "/" + task + "/children")
		if os.IsNotExist(err) && !childrenShown() {
			return others()[pid]
		}
		for field := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(field); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

var childrenShown = sync.OnceValue(func() bool {
	pid := strconv.Itoa(os.Getpid())
	_, err := os.Stat("/proc/" + pid + "/task/" + pid + "/children")
	return err == nil
})

// byParent is who is whose child.
func byParent() map[int][]int {
	all := map[int][]int{}
	for _, p := range everybody() {
		all[p.Parent] = append(all[p.Parent], p.PID)
	}
	return all
}

// names are what a directory has, in no order.
func names(dir string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, _ := f.Readdirnames(-1)
	return list
}

// lookAt reads proc_pid_stat(5).
func lookAt(pid int) (proc, bool) {
	text, err := os.ReadFile(procDir(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	name, fields, ok := statFields(text)
	if !ok {
		return proc{}, false
	}
	return procOf(pid, name, fields), true
}

func procOf(pid int, name string, fields []string) proc {
	p := proc{PID: pid, Name: name}
	p.Parent, _ = strconv.Atoi(fields[1])
	p.Group, _ = strconv.Atoi(fields[2])
	threads, _ := strconv.Atoi(fields[17])
	p.Zombie = (fields[0] == "Z" || fields[0] == "X") && threads <= 1
	return p
}

// statFields are the name, which may have anything in it, and the fields after it.
func statFields(text []byte) (name string, fields []string, ok bool) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return "", nil, false
	}
	fields = strings.Fields(string(text[end+1:]))
	return string(text[open+1 : end]), fields, len(fields) > 17
}

// tasksOf are the numbers of the threads of a process.
func tasksOf(pid int) (list []int) {
	for _, name := range names(procDir(pid) + "/task") {
		if n, err := strconv.Atoi(name); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// taskName is the name of a thread, "" if it is gone.
func taskName(pid, tid int) string {
	text, _ := os.ReadFile(taskDir(pid, tid) + "/comm")
	return strings.TrimSuffix(string(text), "\n")
}

// threadsOf are the threads of processes.
func threadsOf(procs []proc) (all []thread) {
	for _, p := range procs {
		if p.Zombie {
			continue
		}
		for _, tid := range tasksOf(p.PID) {
			t, ok := lookAtTask(p, tid)
			if !ok {
				continue
			}
			t.Switches = switches(taskDir(p.PID, tid) + "/status")
			all = append(all, t)
		}
	}
	return all
}

// lookAtTask is a thread without its switches, which cost as much as all the rest.
func lookAtTask(p proc, tid int) (thread, bool) {
	text, err := os.ReadFile(taskDir(p.PID, tid) + "/stat")
	if err != nil {
		return thread{}, false
	}
	name, fields, ok := statFields(text)
	if !ok {
		return thread{}, false
	}
	t := thread{PID: p.PID, TID: tid, Name: name, Process: p.Name, State: fields[0][0]}
	if text, err := os.ReadFile(taskDir(p.PID, tid) + "/schedstat"); err == nil {
		first, _, _ := strings.Cut(string(text), " ")
		ns, _ := strconv.ParseInt(first, 10, 64)
		t.CPU = time.Duration(ns)
	}
	return t, true
}

// switches reads proc_pid_status(5).
func switches(path string) (n uint64) {
	text, _ := os.ReadFile(path)
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.HasSuffix(name, "ctxt_switches") {
			one, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			n += one
		}
	}
	return n
}

// callOf is the system call that a thread sleeps in, see proc_pid_syscall(5), or else where in the kernel, see proc_pid_wchan(5).
func callOf(pid, tid int) string {
	dir := taskDir(pid, tid)
	if text, err := os.ReadFile(dir + "/syscall"); err == nil {
		first, _, _ := strings.Cut(string(text), " ")
		if n, err := strconv.Atoi(first); err == nil {
			if name := callName(n); name != "" {
				return name
			}
		}
	}
	text, err := os.ReadFile(dir + "/wchan")
	if where := string(text); err == nil && where != "0" {
		return where
	}
	return ""
}

// catches reports whether a process has a handler for a signal. That of Go's runtime is none: it catches all signals from the
// start, also those that nobody else has a use for, and then does what the default is unless the program asked for them: whether it
// did is not to be seen, and maybe says so.
func catches(pid int, s syscall.Signal) (is, maybe bool) {
	caught := signalMask(pid, "SigCgt")
	goAlone := bit(syscall.SIGPWR) | bit(syscall.SIGIO) | bit(syscall.SIGVTALRM) | bit(syscall.SIGTRAP) | bit(syscall.SIGXCPU)
	maybe = caught&bit(s) != 0
	return maybe && caught&goAlone != goAlone, maybe
}

// pending reports whether a signal has not yet reached a process.
func pending(pid int, s syscall.Signal) bool { return signalMask(pid, "ShdPnd")&bit(s) != 0 }

// blocked reports whether the first thread of a process blocks a signal.
func blocked(pid int, s syscall.Signal) bool { return signalMask(pid, "SigBlk")&bit(s) != 0 }

func bit(s syscall.Signal) uint64 { return 1 << (s - 1) }

// signalMask reads proc_pid_status(5).
func signalMask(pid int, mask string) (bits uint64) {
	text, _ := os.ReadFile(procDir(pid) + "/status")
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && name == mask {
			bits, _ = strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		}
	}
	return bits
}

// tracerOf names the process that traces another, see proc_pid_status(5), "" if none does.
func tracerOf(pid int) string {
	status, _ := os.ReadFile(procDir(pid) + "/status")
	for line := range strings.SplitSeq(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, "TracerPid:"); ok {
			if tracer, _ := strconv.Atoi(strings.TrimSpace(value)); tracer > 0 {
				return fmt.Sprintf("pid %d, %q", tracer, taskName(tracer, tracer))
			}
		}
	}
	return ""
}

// longestCommand is how much of a command line is read: a process may have megabytes of it.
const longestCommand = 4 << 10

// commandLine is what a process was started as.
func commandLine(pid int) string {
	line := make([]byte, longestCommand)
	n := 0
	if f, err := os.Open(procDir(pid) + "/cmdline"); err == nil {
		n, _ = io.ReadFull(f, line)
		f.Close()
	}
	return strings.TrimSpace(strings.ReplaceAll(string(line[:n]), "\x00", " "))
}

// holds are the sockets and the files open for writing that a process has: "socket", or the path of a file. A Unix socket without a
// name is not among them: with such pairs many event loops wake themselves up.
func holds(pid int) (list []string) {
	dir := procDir(pid) + "/fd"
	nameless := sync.OnceValue(func() map[string]bool {
		inodes := map[string]bool{}
		eachLine(procDir(pid)+"/net/unix", func(fields []string) bool {
			if len(fields) == 7 { // there is no path
				inodes["socket:["+fields[6]+"]"] = true
			}
			return true
		})
		return inodes
	})
	for _, fd := range names(dir) {
		target, err := os.Readlink(dir + "/" + fd)
		switch {
		case err != nil:
		case strings.HasPrefix(target, "socket:"):
			if !nameless()[target] {
				list = append(list, "socket")
			}
		case !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "/dev/") || strings.HasPrefix(target, "/proc/") || strings.HasPrefix(target, "/sys/"):
		case writable(procDir(pid) + "/fdinfo/" + fd):
			list = append(list, target)
		}
	}
	return list
}

func writable(fdinfo string) bool {
	text, _ := os.ReadFile(fdinfo)
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, _ := strconv.ParseUint(strings.TrimSpace(value), 8, 64)
			return flags&syscall.O_ACCMODE != syscall.O_RDONLY
		}
	}
	return false
}

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

// tcpListeners are those of TCP. The system lists them before all connections, of which there may be very many.
func tcpListeners(pid int) (list []listener) {
	if sameNetwork(pid) {
		if list, ok := diagnose(); ok {
			return list
		}
	}
	for _, file := range []string{"tcp", "tcp6"} {
		eachLine(procDir(pid)+"/net/"+file, func(fields []string) bool {
			if len(fields) < 10 || fields[0] == "sl" {
				return true
			}
			if fields[3] != "0A" {
				return false
			}
			_, queue, _ := strings.Cut(fields[4], ":")
			received, _ := strconv.ParseUint(queue, 16, 64)
			list = append(list, listener{socket{Network: "tcp", Addr: hexAddr(fields[1])}, int(received), fields[9]})
			return true
		})
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
	eachTCP(pid, func(state string, local, remote uint16, received uint64) {
		if state == "01" && local == port && remote == from {
			n += received
		}
	})
	return n
}

// connections is how many connections to a port are open on the daemon's side: established, or closed by the other side only.
func connections(pid int, port uint16) (n int) {
	eachTCP(pid, func(state string, local, _ uint16, _ uint64) {
		if (state == "01" || state == "08") && local == port {
			n++
		}
	})
	return n
}

// unreadFrom is how many connections to a port have brought something that the daemon has not read.
func unreadFrom(pid int, port uint16) (n int) {
	eachTCP(pid, func(state string, local, _ uint16, received uint64) {
		if state == "01" && local == port && received > 0 {
			n++
		}
	})
	return n
}

// waiting is how much there is at a port that nobody has taken: connections that nobody has accepted, and bytes that nobody has read.
func waiting(pid int, port uint16) (n uint64) {
	eachTCP(pid, func(state string, local, _ uint16, received uint64) {
		if (state == "0A" || state == "01") && local == port {
			n += received
		}
	})
	return n
}

// eachTCP calls fn for each TCP socket of the network namespace of a process, see proc_pid_net(5).
func eachTCP(pid int, fn func(state string, local, remote uint16, received uint64)) {
	for _, file := range []string{"tcp", "tcp6"} {
		eachLine(procDir(pid)+"/net/"+file, func(fields []string) bool {
			if len(fields) >= 10 && fields[0] != "sl" {
				_, queue, _ := strings.Cut(fields[4], ":")
				received, _ := strconv.ParseUint(queue, 16, 64)
				fn(fields[3], hexAddr(fields[1]).Port(), hexAddr(fields[2]).Port(), received)
			}
			return true
		})
	}
}

// eachLine calls fn with the fields of each line, as long as it wants more.
func eachLine(path string, fn func(fields []string) (more bool)) {
	f, err := os.Open(path)
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

func procDir(pid int) string { return "/proc/" + strconv.Itoa(pid) }

func taskDir(pid, tid int) string { return procDir(pid) + "/task/" + strconv.Itoa(tid) }

// everybody is all processes.
func everybody() (all []proc) {
	for _, name := range names("/proc") {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, ok := lookAt(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// threadCPU is how long the calling thread has run.
func threadCPU() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}
