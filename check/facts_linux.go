package check

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
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

// sessionOf is the session of a process, 0 if it is gone.
func sessionOf(pid int) int {
	text, _ := os.ReadFile(procDir(pid) + "/stat")
	_, fields, ok := statFields(text)
	if !ok {
		return 0
	}
	n, _ := strconv.Atoi(fields[3])
	return n
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
	maybe = caught&bit(s) != 0
	return maybe && caught&goRuntime != goRuntime, maybe
}

// goRuntime are signals that only the runtime of Go catches together.
var goRuntime = bit(syscall.SIGPWR) | bit(syscall.SIGIO) | bit(syscall.SIGVTALRM) | bit(syscall.SIGTRAP) | bit(syscall.SIGXCPU)

// runtimes have a handler for SIGTERM and SIGINT that ends the program, by the name of their executable.
var runtimes = map[string]string{"node": "Node.js", "nodejs": "Node.js", "java": "the Java virtual machine", "dotnet": ".NET"}

// runtimeOf is the runtime that a process is a program of, of those that handle SIGTERM by themselves; "" if it is none of them.
func runtimeOf(pid int) string {
	exe, _ := os.Readlink(procDir(pid) + "/exe")
	return runtimes[path.Base(exe)]
}

// ignores reports whether a process ignores a signal.
func ignores(pid int, s syscall.Signal) bool { return signalMask(pid, "SigIgn")&bit(s) != 0 }

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
