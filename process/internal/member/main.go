//go:build linux

// Command member is one member of a family of processes that a test of package process makes up. It is small, so that
// thousands of them start in a test, and it writes down what it does.
//
//	member LOG WORKER MAIN ID NODE…
//
// Each NODE is one member of the family, as words name=value; this is the one with the id ID. MAIN is the number of the main
// process, 0 in it. A line of LOG is TIME WORKER MAIN ID PID WHAT…, and each is one write, so that their order is that of
// what happened.
package main

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// node is what one member does.
type node struct {
	id, parent int
	how        string // it is started: plain, pgid (a group of its own), sid (a session of its own), daemon (by one that ends)
	bare       bool   // without environment
	mute       bool   // it lets go of stdout and stderr
	told       string // at a stop signal: dies, exits, ignores, notes, spawns
	takes      time.Duration
	code       int
	end        string // by itself: "" never, exit, die, halt
	after      time.Duration
	sig        syscall.Signal
	ready      string // notify, fd, log
	main       bool   // sends MAINPID
	extend     bool   // sends EXTEND_TIMEOUT_USEC when told
}

func parse(text string) (n node) {
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(word, "=")
		number, _ := strconv.Atoi(value)
		switch name {
		case "id":
			n.id = number
		case "parent":
			n.parent = number
		case "how":
			n.how = value
		case "bare":
			n.bare = true
		case "mute":
			n.mute = true
		case "told":
			n.told = value
		case "takes":
			n.takes = time.Duration(number) * time.Millisecond
		case "code":
			n.code = number
		case "end":
			n.end = value
		case "after":
			n.after = time.Duration(number) * time.Millisecond
		case "sig":
			n.sig = syscall.Signal(number)
		case "ready":
			n.ready = value
		case "main":
			n.main = true
		case "extend":
			n.extend = true
		}
	}
	return n
}

// member is this process.
type member struct {
	node
	log    int
	prefix string
	nodes  []node
}

func main() {
	args := os.Args
	if args[0] == "daemon" { // the one that ends
		_, _ = spawn(args[1:], false, &syscall.SysProcAttr{})
		return
	}
	m := &member{}
	id, _ := strconv.Atoi(args[4])
	for _, text := range args[5:] {
		n := parse(text)
		m.nodes = append(m.nodes, n)
		if n.id == id {
			m.node = n
		}
	}
	told := make(chan os.Signal, 16)
	byDefault(syscall.SIGHUP)
	switch m.told {
	case "dies":
		byDefault(syscall.SIGTERM)
		byDefault(syscall.SIGINT)
	case "ignores":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	default:
		signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	}
	if args[3] == "0" {
		args[3] = strconv.Itoa(os.Getpid())
	}
	m.prefix = strings.Join([]string{args[2], args[3], args[4], strconv.Itoa(os.Getpid())}, " ") + " "
	m.log, _ = syscall.Open(args[1], syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CLOEXEC, 0)
	m.note("born")
	if m.parent < 0 {
		m.say("born")
	}
	if m.mute {
		null, _ := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
		_ = syscall.Dup3(null, 1, 0) // not closed: the next pipe would be there
		_ = syscall.Dup3(null, 2, 0)
	}
	m.spawnAll(false)
	m.becomeReady()
	if m.end != "" {
		time.AfterFunc(m.after, m.endByItself)
	}
	go m.obey(told)
	for { // not select {}, which the runtime takes for a deadlock
		_ = syscall.Pause()
	}
}

// obey does what it is to do when it is told to stop.
func (m *member) obey(told <-chan os.Signal) {
	for s := range told {
		m.note("told " + strconv.Itoa(int(s.(syscall.Signal))))
		if m.told == "notes" {
			continue
		}
		if m.extend {
			notify("EXTEND_TIMEOUT_USEC=20000000")
		}
		if m.told == "spawns" {
			m.spawnAll(true)
		}
		time.Sleep(m.takes)
		m.exit(m.code)
	}
}

func (m *member) note(what string) {
	_, _ = syscall.Write(m.log, []byte(strconv.FormatInt(time.Now().UnixNano(), 10)+" "+m.prefix+what+"\n"))
}

// say writes a line that the test expects in the output.
func (m *member) say(what string) { _, _ = syscall.Write(1, []byte(m.prefix+what+"\n")) }

// spawnAll starts its children, or with late those that come when it is told.
func (m *member) spawnAll(late bool) {
	for _, n := range m.nodes {
		if n.parent != m.id || (m.told == "spawns") != late {
			continue
		}
		args := append([]string{}, os.Args...)
		args[4] = strconv.Itoa(n.id)
		attr := &syscall.SysProcAttr{Setpgid: n.how == "pgid", Setsid: n.how == "sid" || n.how == "daemon"}
		if n.how == "daemon" {
			args = append([]string{"daemon"}, args...)
		}
		pid, err := spawn(args, n.bare, attr)
		m.note("spawned " + strconv.Itoa(n.id) + " " + strconv.Itoa(pid))
		if err != nil {
			m.note("error " + err.Error())
		}
	}
}

func spawn(args []string, bare bool, attr *syscall.SysProcAttr) (int, error) {
	env := os.Environ()
	if bare {
		env = nil
	}
	self, _ := os.Executable()
	return syscall.ForkExec(self, args, &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}, Sys: attr})
}

func (m *member) becomeReady() {
	if m.main {
		m.note("main")
		notify("MAINPID=" + strconv.Itoa(os.Getpid()))
	}
	switch m.ready {
	case "notify":
		m.note("ready")
		notify("READY=1")
	case "fd":
		m.note("ready")
		_, _ = syscall.Write(3, []byte("\n"))
	case "log":
		m.note("ready")
		m.say("ready")
	}
}

// notify speaks the protocol of sd_notify(3).
func notify(text string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	_ = syscall.Sendto(fd, []byte(text), 0, &syscall.SockaddrUnix{Name: name})
	_ = syscall.Close(fd)
}

func (m *member) endByItself() {
	switch m.end {
	case "exit":
		m.exit(m.code)
	case "die":
		if m.parent < 0 {
			m.say("ends")
		}
		m.note("dies " + strconv.Itoa(int(m.sig)))
		die(m.sig)
	case "halt":
		m.note("halts")
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		m.note("goes on")
	}
}

func (m *member) exit(code int) {
	if m.parent < 0 {
		m.say("ends")
	}
	m.note("ends " + strconv.Itoa(code))
	os.Exit(code)
}

// byDefault lets a signal do what it does to other programs: the runtime has handlers for most.
func byDefault(s syscall.Signal) {
	var action [8]uintptr // more than a struct sigaction
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

// die ends this process by a signal, without a core dump.
func die(s syscall.Signal) {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	byDefault(s)
	_ = syscall.Kill(os.Getpid(), s)
	for {
		_ = syscall.Pause()
	}
}
