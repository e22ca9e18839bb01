//go:build unix

package check

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// The daemon is not this process's own child. Below this process stands a watchdog, below that a guard, and below that the daemon.
// Watchdog and guard are this program, executed again, and both are subreapers where the system has such. When one of the three dies,
// or is stopped, another ends everything that is below:
//
//   - this process dies: the guard sees the end of their connection, and the watchdog sees the end of its parent;
//   - the watchdog dies: the system tells the guard;
//   - the guard dies or stops: the watchdog is its parent;
//   - the watchdog stops, or the guard does not answer: this process sees the one, and has a deadline for the other.
//
// A guard has one life of the daemon at a time, so every descendant of the guard belongs to that life.
//
// guardVariable has the role that the program plays, see init.
const (
	guardVariable = "LASTCALL_CHECK_GUARD"
	roleWatchdog  = "watchdog" // the parent of a guard; a colon and the number of this process follow
	roleGuard     = "guard"    // the parent of the daemon
	roleInside    = "inside"   // PID 1 of a namespace of its own, which becomes the daemon; a colon and the path of that follow
	roleOrphan    = "orphan"   // a child of that
	roleNothing   = "nothing"  // ends at once

	guardConn  = 3           // the connection to the check
	guardName  = "lc-guard"  // is its name, and the watchdog's
	orphanName = "lc-orphan" // that of the orphans
	planted    = 5           // processes are given to a daemon that is PID 1, as if they were orphans
)

func init() {
	text, ok := os.LookupEnv(guardVariable)
	if !ok || os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return
	}
	role, more, _ := strings.Cut(text, ":")
	os.Unsetenv(guardVariable)
	switch role {
	case roleWatchdog:
		watchdog(more)
	case roleGuard:
		guard()
	case roleInside:
		inside(more)
	case roleOrphan:
		orphan()
	case roleNothing:
	default:
		return
	}
	os.Exit(0)
}

// becomeParent prepares a watchdog or a guard. It closes told when it is asked to end; the death of its parent asks for that, too.
func becomeParent() (told <-chan os.Signal) {
	runtime.LockOSThread() // init runs on the main thread: the death of a child's parent is the end of the thread that made it
	// Caught and not ignored: what is ignored, here or where this check was started, would be so for the daemon as well.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP)
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	setDumpable(false)
	closeOnExec()
	nameThread(guardName)
	adoptOrphans()
	return end
}

// guard is the life of a guard. The main thread alone starts daemons, whose deaths are tied to it, and alone lets go of those that it
// traces; orders and deaths come to it from other goroutines.
func guard() {
	told := becomeParent()
	watchdog := os.Getppid()
	g := &guardLife{say: sayer(os.NewFile(guardConn, "check"))}
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
			g.say(saysTraced, int64(s.pid))
			letGo(s)
		case o, ok := <-orders:
			if !ok {
				g.end()
				if os.Getppid() == watchdog {
					_ = syscall.Kill(watchdog, syscall.SIGCONT) // a stopped process could not end
				}
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
		return bury(0, func(dead int, status syscall.WaitStatus) {
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

// bury reaps every child from now on, and reports each death, as well as each stop of a child that this process traces, and with
// WUNTRACED of any child. It reports 0 in the end: no children are left. More may come as long as a descendant of this process lives, and none does.
func bury(options int, report func(pid int, status syscall.WaitStatus)) (alone <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, options, nil)
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

// fork starts the daemon: in a session of its own, with the null device to read from.
func (o order) fork() (pid int, err error) {
	defer syscall.Close(o.output)
	attr := &syscall.ProcAttr{Dir: o.dir, Env: o.env, Files: []uintptr{0, uintptr(o.output), uintptr(o.output)}, Sys: &syscall.SysProcAttr{Setsid: true}}
	signalByParent(attr.Sys, syscall.SIGKILL)
	path := o.path
	if o.kind == orderFirst {
		setDumpable(true) // or an ordinary user could not write the map of its child's users
		defer setDumpable(false)
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
