package check

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostility is what a hostile daemon does: first it changes what it is, then it floods, then it serves, and then, at the start or at
// the stop, it turns on who watches it; last comes how it ends. Each is one of the maps below.
type hostility struct {
	Form, Flood, Attack, End string
	AtStop                   bool // when it attacks
}

func (h hostility) String() string {
	when := "at the start"
	if h.AtStop {
		when = "at the stop"
	}
	return fmt.Sprintf("%s, %s, %s %s, %s", h.Form, h.Flood, h.Attack, when, h.End)
}

// hostileForms are what it becomes before it serves.
var hostileForms = map[string]func(){
	"plain":      func() {},
	"undumpable": func() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) },
	"immortal":   func() { _ = unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) }, // the guard's death is not its own
	"another user": func() {
		if os.Getuid() == 0 {
			must(0, syscall.Setgid(65534))
			must(0, syscall.Setuid(65534))
		}
	},
	"another group": func() { _ = syscall.Setpgid(0, 0) },
	"namespaces": func() {
		runtime.LockOSThread()
		_ = unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC)
	},
	"another name": func() {
		name := []byte("\x1b]0;evil\a) R 1\x00")
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
	},
	"no descriptors": func() {
		for fd := 3; fd < 20; fd++ { // its runtime's poller is among them before it is used
			_ = syscall.Close(fd)
		}
	},
	"no directory": func() {
		dir := must(os.MkdirTemp("", "hostile"))
		must(0, os.Chdir(dir))
		must(0, os.Remove(dir))
	},
	"traced": func() {
		runtime.LockOSThread()
		_, _, _ = unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0, 0, 0, 0)
		_ = syscall.Kill(os.Getpid(), syscall.SIGWINCH)
	},
	// executed once more, without an environment, and with arguments that are no name of anything
	"executed again": nil,
}

// hostileFloods are what it writes.
var hostileFloods = map[string]func(){
	"silent": func() {},
	"a gigabyte": func() {
		text := []byte(strings.Repeat("x", 1<<20)) // no line ever ends
		for range 1 << 10 {
			_, _ = syscall.Write(1, text)
		}
	},
	"escape sequences": func() { fmt.Print("\x1b[2J\x1b]0;evil\a\r::error::evil\n\x00\xff\xfe") },
	"notes": func() {
		if conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET")); err == nil {
			go func() {
				for range 10000 {
					_, _ = conn.Write([]byte(strings.Repeat("STATUS=x\n", 500)))
				}
			}()
		}
	},
}

// hostileAttacks are what it does to the guard and to the guard's watchdog. Each has what
// the check says of it, one of several with a |, if that ends the check.
var hostileAttacks = map[string]struct {
	do   func(guard, watchdog int)
	says string
}{
	"nothing":              {func(int, int) {}, ""},
	"stops its parent":     {func(g, _ int) { _ = syscall.Kill(g, syscall.SIGSTOP) }, "the guard of the daemon was stopped by SIGSTOP"},
	"kills its parent":     {func(g, _ int) { _ = syscall.Kill(g, syscall.SIGKILL) }, "the guard of the daemon died of SIGKILL"},
	"ends its parent":      {func(g, _ int) { _ = syscall.Kill(g, syscall.SIGTERM) }, "the guard of the daemon ended, as after SIGTERM"},
	"aborts its parent":    {func(g, _ int) { _ = syscall.Kill(g, syscall.SIGABRT) }, "the guard of the daemon"},
	"stops the watchdog":   {func(_, w int) { _ = syscall.Kill(w, syscall.SIGSTOP) }, "watchdog that was stopped by SIGSTOP"},
	"kills the watchdog":   {func(_, w int) { _ = syscall.Kill(w, syscall.SIGKILL) }, "the watchdog of the daemon's guard died of SIGKILL"},
	"stops both":           {func(g, w int) { _ = syscall.Kill(w, syscall.SIGSTOP); _ = syscall.Kill(g, syscall.SIGSTOP) }, "stopped by SIGSTOP"},
	"signals them":         {func(g, w int) { signalBoth(g, w) }, ""},
	"traces its parent":    {func(g, _ int) { trace(g) }, "is traced by|stopped by SIGSTOP"}, // and stopped, once the tracer has ended
	"takes the connection": {func(g, _ int) { takeConnection(g) }, "speaks another's language"},
}

func signalBoth(pids ...int) {
	for range 20 {
		for _, pid := range pids {
			for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGCHLD, syscall.SIGWINCH, syscall.SIGCONT} {
				_ = syscall.Kill(pid, s)
			}
		}
	}
}

func trace(guard int) {
	for _, tid := range tasksOf(guard) {
		_, _, _ = unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(tid), 0, 0, 0, 0)
	}
}

func takeConnection(guard int) {
	h, err := unix.PidfdOpen(guard, 0)
	if err != nil {
		return
	}
	fd, err := unix.PidfdGetfd(h, guardConn, 0)
	if err != nil {
		return
	}
	for range 1000 {
		if _, err := unix.Write(fd, []byte("exited 1 2 3\nover over\n"+strings.Repeat("garbage", 100))); err != nil {
			return
		}
	}
}

// hostileEnds are what it does when it is told to stop. Each has what the check says of it, if there is no attack that ends the check.
var hostileEnds = map[string]struct {
	do       func(args []string)
	scenario string
	says     string
}{
	"ends":           {func([]string) {}, "term", "exit code 0"},
	"ignores it":     {func([]string) { select {} }, "term", "still there"},
	"stops itself":   {func([]string) { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP); select {} }, "term", "still there"},
	"fails":          {func([]string) { os.Exit(7) }, "term", "exit code 7"},
	"leaves a child": {func(args []string) { again(&syscall.SysProcAttr{}, "child", args) }, "orphans", "left behind"},
	"leaves a session": {func(args []string) {
		again(&syscall.SysProcAttr{Setsid: true}, "child", args)
	}, "orphans", "left behind"},
	"leaves an orphan": {func(args []string) { again(&syscall.SysProcAttr{Setsid: true}, "orphan", args) }, "orphans", "left behind"},
	"leaves a namespace": {func(args []string) {
		again(&syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWUSER}, "child", args)
	}, "orphans", "left behind"},
	"is a fork bomb": {func(args []string) {
		for range 3 {
			again(&syscall.SysProcAttr{Setsid: true}, "bomb", args)
		}
	}, "orphans", "left behind"},
	"leaves one that writes": {func(args []string) { again(&syscall.SysProcAttr{Setsid: true}, "writer", args) }, "orphans", "left behind"},
}

// again starts this program in another of its roles, with nothing in its environment that tells whose it is.
func again(sys *syscall.SysProcAttr, role string, args []string) {
	_, err := syscall.ForkExec("/proc/self/exe", []string{"\x1b[31m" + role, args[0], role},
		&syscall.ProcAttr{Env: []string{lifeVariable + "=hostile"}, Files: []uintptr{0, 1, 2}, Sys: sys})
	if err != nil {
		fmt.Println("again:", err)
	}
}

// hostile is a daemon that serves on args[0]; args[1] is its hostility in JSON, or the role of one of its descendants.
func hostile(args []string) {
	switch args[1] {
	case "child":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
		select {}
	case "orphan":
		again(&syscall.SysProcAttr{Setsid: true}, "child", args)
		return
	case "bomb":
		again(&syscall.SysProcAttr{Setsid: true}, "bomb", args)
		return
	case "writer":
		signal.Ignore(syscall.SIGPIPE)
		for {
			_, _ = syscall.Write(1, []byte(strings.Repeat("y", 4096)))
		}
	}
	var h hostility
	must(0, json.Unmarshal([]byte(args[1]), &h))
	if h.Form == "executed again" && len(args) == 2 {
		must(0, syscall.Exec("/proc/self/exe", []string{"\x1b[31mother", args[0], args[1], "again"}, []string{lifeVariable + "=hostile"}))
	}
	if h.Form != "executed again" {
		hostileForms[h.Form]()
	}
	stop := stopSignal()
	guard := os.Getppid()
	p, _ := lookAt(guard)
	attack := func(now bool) {
		if now {
			hostileAttacks[h.Attack].do(guard, p.Parent)
		}
	}
	hostileFloods[h.Flood]()
	go serve(args[:1], nil, nil)
	attack(!h.AtStop)
	<-stop
	attack(h.AtStop)
	hostileEnds[h.End].do(args)
}

// outcome of a nursery, in JSON.
type nurseryReport struct {
	Took   time.Duration
	Peak   int64    // bytes of memory of the check
	Left   []string // processes that outlived it
	Output string
}

// nursery runs the plan in args[0], becomes the parent of whatever is left of it, and tells of that.
func nursery(args []string) {
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	began := time.Now()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = lifeEnv("checker")
	file := filepath.Join(args[1], "output")
	out := must(os.Create(file)) // a file: nothing waits for who has it open
	cmd.Stdout, cmd.Stderr = out, out
	_ = cmd.Run()
	r := nurseryReport{Took: time.Since(began)}
	text := must(os.ReadFile(file))
	r.Output = string(text[:min(len(text), 64<<10)])
	if _, peak, ok := strings.Cut(r.Output, "\npeak "); ok {
		r.Peak, _ = strconv.ParseInt(strings.TrimSpace(peak), 10, 64)
	}
	for { // until the last is dead: a bomb is seen in parts
		alive := false
		for _, p := range descendants(os.Getpid()) {
			if p.Zombie {
				continue
			}
			alive = true
			if len(r.Left) < 10 {
				r.Left = append(r.Left, fmt.Sprintf("pid %d %q %q", p.PID, p.Name, commandLine(p.PID)))
			}
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
		if !alive {
			break
		}
	}
	_, _ = os.Stdout.Write(must(json.Marshal(r)))
}

// sortedKeys makes tables that do not depend on the order of maps.
func sortedKeys[V any](m map[string]V) (list []string) {
	for key := range m {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}
