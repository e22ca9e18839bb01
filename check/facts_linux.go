package check

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const seesProcesses = true

// descendants is everything below a process, the dead that nobody has buried included, parents first.
func descendants(pid int) (all []proc) {
	for _, child := range children(pid) {
		p, ok := lookAt(child)
		if !ok {
			continue
		}
		all = append(append(all, p), descendants(child)...)
	}
	return all
}

// children of all threads of a process, see proc_pid_task_tid_children(5); without that file, by a look at all processes.
func children(pid int) (list []int) {
	dir := procDir(pid) + "/task"
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, task := range tasks {
		text, err := os.ReadFile(dir + "/" + task.Name() + "/children")
		if os.IsNotExist(err) && !childrenShown() {
			return childrenByParent(pid)
		}
		for _, field := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(field); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

func childrenShown() bool {
	_, err := os.Stat("/proc/self/task/" + strconv.Itoa(os.Getpid()) + "/children")
	return err == nil
}

func childrenByParent(pid int) (list []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := lookAt(n); ok && p.Parent == pid {
				list = append(list, n)
			}
		}
	}
	return list
}

// lookAt reads proc_pid_stat(5).
func lookAt(pid int) (proc, bool) {
	name, fields, ok := statFields(procDir(pid) + "/stat")
	if !ok {
		return proc{}, false
	}
	p := proc{PID: pid, Name: name, Zombie: fields[0] == "Z" || fields[0] == "X"}
	p.Parent, _ = strconv.Atoi(fields[1])
	p.Threads, _ = strconv.Atoi(fields[17])
	p.Began, _ = strconv.ParseUint(fields[19], 10, 64)
	return p, true
}

// statFields are the name, and the fields after it.
func statFields(path string) (name string, fields []string, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, false
	}
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return "", nil, false
	}
	fields = strings.Fields(string(text[end+1:]))
	return string(text[open+1 : end]), fields, len(fields) > 19
}

// threadsOf are the threads of processes.
func threadsOf(procs []proc) (all []thread) {
	for _, p := range procs {
		if p.Zombie {
			continue
		}
		dir := procDir(p.PID) + "/task/"
		tasks, _ := os.ReadDir(dir)
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil {
				continue
			}
			name, fields, ok := statFields(dir + task.Name() + "/stat")
			if !ok {
				continue
			}
			t := thread{PID: p.PID, TID: tid, Name: name, Process: p.Name, State: fields[0][0]}
			t.Switches = switches(dir + task.Name() + "/status")
			if text, err := os.ReadFile(dir + task.Name() + "/schedstat"); err == nil {
				first, _, _ := strings.Cut(string(text), " ")
				ns, _ := strconv.ParseInt(first, 10, 64)
				t.CPU = time.Duration(ns)
			}
			all = append(all, t)
		}
	}
	return all
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
	dir := procDir(pid) + "/task/" + strconv.Itoa(tid)
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

// catches reports whether a process has a handler for a signal.
func catches(pid int, s syscall.Signal) bool { return signalBit(pid, "SigCgt", s) }

// ignores reports whether a process ignores a signal.
func ignores(pid int, s syscall.Signal) bool { return signalBit(pid, "SigIgn", s) }

func signalBit(pid int, mask string, s syscall.Signal) bool {
	text, _ := os.ReadFile(procDir(pid) + "/status")
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && name == mask {
			bits, _ := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return bits&(1<<(s-1)) != 0
		}
	}
	return false
}

// commandLine is what a process was started as.
func commandLine(pid int) string {
	text, _ := os.ReadFile(procDir(pid) + "/cmdline")
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
}

// holds are the sockets and the files open for writing that a process has: "socket", or the path of a file.
func holds(pid int) (list []string) {
	dir := procDir(pid) + "/fd"
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		switch {
		case err != nil:
		case strings.HasPrefix(target, "socket:"):
			list = append(list, "socket")
		case !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "/dev/") || strings.HasPrefix(target, "/proc/") || strings.HasPrefix(target, "/sys/"):
		case writable(procDir(pid) + "/fdinfo/" + e.Name()):
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
	owner := map[string]int{} // by inode
	for _, p := range procs {
		entries, _ := os.ReadDir(procDir(p.PID) + "/fd")
		for _, e := range entries {
			target, err := os.Readlink(filepath.Join(procDir(p.PID), "fd", e.Name()))
			if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok {
				owner[strings.TrimSuffix(inode, "]")] = p.PID
			}
		}
	}
	if len(owner) == 0 {
		return nil
	}
	net := procDir(procs[0].PID) + "/net/"
	for _, file := range []string{"tcp", "tcp6"} {
		eachLine(net+file, func(fields []string) { // see proc_pid_net(5)
			if len(fields) < 10 || fields[3] != "0A" {
				return
			}
			if pid, ok := owner[fields[9]]; ok {
				list = append(list, socket{Network: "tcp", Addr: hexAddr(fields[1]), PID: pid})
			}
		})
	}
	eachLine(net+"unix", func(fields []string) {
		const accepts = 1 << 16 // __SO_ACCEPTCON
		if len(fields) < 8 {
			return
		}
		flags, _ := strconv.ParseUint(fields[3], 16, 64)
		if pid, ok := owner[fields[6]]; ok && flags&accepts != 0 {
			list = append(list, socket{Network: "unix", Path: fields[7], PID: pid})
		}
	})
	return list
}

// queued is how many connections to a port the system has made that nobody has accepted yet, see proc_pid_net(5).
func queued(pid int, port uint16) (n int) {
	eachTCP(pid, func(state string, local, _ uint16, received uint64) {
		if state == "0A" && local == port {
			n += int(received)
		}
	})
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

func eachTCP(pid int, fn func(state string, local, remote uint16, received uint64)) {
	for _, file := range []string{"tcp", "tcp6"} {
		eachLine(procDir(pid)+"/net/"+file, func(fields []string) {
			if len(fields) < 10 || fields[0] == "sl" {
				return
			}
			_, queue, _ := strings.Cut(fields[4], ":")
			received, _ := strconv.ParseUint(queue, 16, 64)
			fn(fields[3], hexAddr(fields[1]).Port(), hexAddr(fields[2]).Port(), received)
		})
	}
}

func eachLine(path string, fn func(fields []string)) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fn(strings.Fields(lines.Text()))
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

// everybody is all processes.
func everybody() (all []proc) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := lookAt(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// ignoredHere reports whether this process ignores a signal, as those that it starts then do.
func ignoredHere(s syscall.Signal) bool { return ignores(os.Getpid(), s) }
