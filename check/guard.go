//go:build unix

package check

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// The daemon is not this process's own child. Below this process stands a warden, below that a guard, and below that the daemon:
// both are this program once more, and both become the parents of what those below them leave behind, where the system has such
// a thing. So whoever of the three dies, however that is, somebody is left who kills all that is below:
//
//   - this process: the guard sees the end of their connection;
//   - the warden: the system tells the guard;
//   - the guard: the warden is its parent.
//
// A guard has one life of the daemon at a time, so what descends from it belongs to that life.
//
// guardVariable has the role that the program plays, see init.
const (
	guardVariable = "LASTCALL_CHECK_GUARD"
	roleWarden    = "warden"  // the parent of a guard
	roleGuard     = "guard"   // the parent of the daemon
	roleInside    = "inside"  // PID 1 of a namespace of its own, which becomes the daemon; a colon and the path of that follow
	roleOrphan    = "orphan"  // a child of that
	roleNothing   = "nothing" // ends at once

	guardConn  = 3           // the connection to the check, which the warden only passes on
	guardName  = "lc-guard"  // is its name, and the warden's
	orphanName = "lc-orphan" // that of the orphans
	planted    = 5           // processes are given to a daemon that is PID 1, as if they were orphans
)

func init() {
	text, ok := os.LookupEnv(guardVariable)
	if !ok || os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return
	}
	role, path, _ := strings.Cut(text, ":")
	os.Unsetenv(guardVariable)
	switch role {
	case roleWarden:
		warden()
	case roleGuard:
		guard()
	case roleInside:
		inside(path)
	case roleOrphan:
		orphan()
	case roleNothing:
	default:
		return
	}
	os.Exit(0)
}

// becomeParent prepares a warden or a guard. It closes told when somebody asks it to end, which its parent's death does as well.
func becomeParent() (told <-chan os.Signal) {
	runtime.LockOSThread() // init runs on the main thread: the death of a child's parent is the end of the thread that made it
	// Caught and not ignored: what is ignored, here or where this check was started, would be so for the daemon as well.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	closeOnExec()
	nameThread(guardName)
	adoptOrphans()
	return end
}

// warden is the life of the warden: it ends after its guard, and with it what that has left behind.
func warden() {
	becomeParent()
	attr := &syscall.ProcAttr{Env: append(os.Environ(), guardVariable+"="+roleGuard), Files: []uintptr{0, 1, 2, guardConn}, Sys: &syscall.SysProcAttr{}}
	signalByParent(attr.Sys, syscall.SIGTERM)
	pid, err := syscall.ForkExec(self, os.Args, attr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "starting the guard: %v\n", err)
		os.Exit(1)
	}
	ended := make(chan struct{})
	over := sync.OnceFunc(func() { close(ended) })
	alone := bury(func(dead int, status syscall.WaitStatus) {
		if dead == pid && isEnd(status) {
			over()
		}
	})
	<-ended
	killAll(os.Getpid(), pid, alone)
}

// An order is what the check tells its guard: a byte, and for the orders to start eight more with the length of what follows, and
// the descriptor for the daemon's output beside them.
const (
	orderStart = 's' // the daemon
	orderFirst = 'f' // the same, as PID 1 of a namespace
	orderBury  = 'b' // its dead: the check has a handle of the daemon, so that no number means somebody else
	orderEnd   = 'e' // whatever is there
)

// What the guard says, in lines. Times are those of [monotonic].
const (
	saysReady   = "ready"   // PID
	saysError   = "error"   // ERRNO
	saysStarted = "started" // PID TIME
	saysExited  = "exited"  // WAIT-STATUS TIME
	saysAlone   = "alone"   // nothing is left that descends from the daemon, where the system tells
	saysLeft    = "left"    // PID: that cannot be killed
	saysOver    = "over"    // the order to end is carried out
)

// guard is the life of a guard. The main thread alone starts daemons, whose deaths are tied to it, and alone lets go of those that it
// traces; orders and deaths come to it from other goroutines.
func guard() {
	told := becomeParent()
	conn := os.NewFile(guardConn, "check")
	g := &guardLife{say: func(word string, args ...int64) {
		line := word
		for _, n := range args {
			line += " " + strconv.FormatInt(n, 10)
		}
		_, _ = conn.WriteString(line + "\n") // one write: nothing comes in between
	}}
	go func() {
		<-told
		_ = syscall.Shutdown(guardConn, syscall.SHUT_RD)
	}()
	orders := make(chan order)
	go func() {
		defer close(orders)
		for {
			o, err := nextOrder()
			if err != nil { // the check has gone
				return
			}
			orders <- o
		}
	}()
	g.say(saysReady, int64(os.Getpid()))
	for {
		var stops <-chan stopped
		if g.life != nil {
			stops = g.life.stops
		}
		select {
		case s := <-stops:
			letGo(s)
		case o, ok := <-orders:
			if !ok {
				g.end()
				return
			}
			g.carryOut(o)
		}
	}
}

// guardLife is what a guard is at.
type guardLife struct {
	say  func(word string, args ...int64)
	life *buriedLife // nil while there is none
}

// buriedLife is one life of the daemon.
type buriedLife struct {
	daemon int
	bury   func() (alone <-chan struct{})
	stops  chan stopped  // descendants that have stopped, since this process traces them
	ending chan struct{} // closed when all are killed, the stopped as well
}

// stopped is a process that the guard traces, because that process asked for it, and that has stopped.
type stopped struct {
	pid    int
	signal syscall.Signal // that it was about to get
}

// carryOut does what an order says.
func (g *guardLife) carryOut(o order) {
	switch o.kind {
	case orderBury:
		if g.life != nil {
			g.life.bury()
		}
	case orderEnd:
		g.end()
		g.say(saysOver)
	case orderStart, orderFirst:
		pid, err := o.fork()
		if errno := syscall.Errno(0); err != nil {
			errors.As(err, &errno)
			g.say(saysError, int64(errno))
			return
		}
		g.say(saysStarted, int64(pid), monotonic())
		g.life = g.newLife(pid)
	}
}

func (g *guardLife) newLife(pid int) *buriedLife {
	l := &buriedLife{daemon: pid, stops: make(chan stopped), ending: make(chan struct{})}
	exited := false // after that, its number is another process's
	l.bury = sync.OnceValue(func() <-chan struct{} {
		return bury(func(dead int, status syscall.WaitStatus) {
			switch {
			case dead == 0:
				g.say(saysAlone)
			case !isEnd(status):
				select {
				case l.stops <- stopped{dead, status.StopSignal()}:
				case <-l.ending:
				}
			case dead == pid && !exited:
				exited = true
				g.say(saysExited, int64(status), monotonic())
			}
		})
	})
	return l
}

// end ends the life that there is.
func (g *guardLife) end() {
	if g.life == nil {
		return
	}
	close(g.life.ending)
	for _, left := range killAll(os.Getpid(), g.life.daemon, g.life.bury()) {
		g.say(saysLeft, int64(left))
	}
	g.life = nil
}

// bury reaps every child from now on, and reports each death, as well as each stop of a child that this process traces. It reports
// 0 in the end: no children are left. More may come as long as a descendant of this process lives, and none does.
func bury(report func(pid int, status syscall.WaitStatus)) (alone <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, 0, nil)
			switch {
			case err == nil:
				report(pid, status)
			case !errors.Is(err, syscall.EINTR):
				report(0, 0)
				return
			}
		}
	}()
	return done
}

// isEnd reports whether a status is that of a process that has ended. wait4(2) reports the stops of traced children unasked, and a
// child that calls PTRACE_TRACEME is traced by its parent.
func isEnd(status syscall.WaitStatus) bool { return status.Exited() || status.Signaled() }

// order is one order.
type order struct {
	kind   byte
	output int // the descriptor
	program
}

// program is what is executed.
type program struct {
	path, dir string
	argv, env []string
}

// encode is the program as decode reads it. What it consists of has no zero bytes, or it could not be executed.
func (p program) encode() []byte {
	return []byte(strings.Join(append(append([]string{p.path, p.dir, strconv.Itoa(len(p.argv))}, p.argv...), p.env...), "\x00"))
}

func decodeProgram(text []byte) (p program, err error) {
	fields := strings.Split(string(text), "\x00")
	if len(fields) < 3 {
		return p, errors.New("too short")
	}
	n, err := strconv.Atoi(fields[2])
	if err != nil || n < 0 || len(fields) < 3+n {
		return p, fmt.Errorf("not a number of arguments: %q", fields[2])
	}
	return program{path: fields[0], dir: fields[1], argv: fields[3 : 3+n], env: fields[3+n:]}, nil
}

// nextOrder waits for one.
func nextOrder() (o order, err error) {
	o.output = -1
	head := make([]byte, 9)
	rights := make([]byte, syscall.CmsgSpace(4))
	var n, count int
	for {
		if n, count, _, _, err = syscall.Recvmsg(guardConn, head[:1], rights, 0); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return o, err
	}
	if messages, err := syscall.ParseSocketControlMessage(rights[:count]); err == nil && len(messages) > 0 {
		if fds, err := syscall.ParseUnixRights(&messages[0]); err == nil && len(fds) > 0 {
			o.output = fds[0]
			syscall.CloseOnExec(o.output)
		}
	}
	if o.kind = head[0]; o.kind != orderStart && o.kind != orderFirst {
		return o, nil
	}
	if err := readFull(head[1:]); err != nil {
		return o, err
	}
	text := make([]byte, binary.BigEndian.Uint64(head[1:]))
	if err := readFull(text); err != nil {
		return o, err
	}
	o.program, err = decodeProgram(text)
	return o, err
}

// readFull fills b from the connection.
func readFull(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Read(guardConn, b)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		default:
			b = b[n:]
		}
	}
	return nil
}

// fork starts the daemon: in a session of its own, with the null device to read from.
func (o order) fork() (pid int, err error) {
	defer syscall.Close(o.output)
	attr := &syscall.ProcAttr{Dir: o.dir, Env: o.env, Files: []uintptr{0, uintptr(o.output), uintptr(o.output)}, Sys: &syscall.SysProcAttr{Setsid: true}}
	signalByParent(attr.Sys, syscall.SIGKILL)
	path := o.path
	if o.kind == orderFirst {
		ownNamespace(attr.Sys)
		attr.Env = append(attr.Env, guardVariable+"="+roleInside+":"+path)
		path = self
	}
	return syscall.ForkExec(path, o.argv, attr)
}

// orphan is the life of a process that is given to a daemon that is PID 1: it does nothing, until it is killed.
func orphan() {
	nameThread(orphanName)
	syscall.Close(guardConn) // it is ready
	if r, w, err := os.Pipe(); err == nil {
		_, _ = io.Copy(io.Discard, r) // for ever
		runtime.KeepAlive(w)
	}
}

// self is this program, also when its file has been replaced or removed.
var self = func() string {
	const linux = "/proc/self/exe"
	if _, err := os.Readlink(linux); err == nil {
		return linux
	}
	if path, err := os.Executable(); err == nil {
		return path
	}
	path, _ := exec.LookPath(os.Args[0])
	return path
}()
