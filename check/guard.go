//go:build unix

package check

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The daemon is not this process's own child. Between them stands the guard: this program once more, which becomes the parent
// of everything that the daemon leaves behind, where the system has such a thing, and kills all of it as soon as this process
// has gone, however that was. One guard has one life of the daemon, so what descends from it belongs to that life.
//
// guardVariable has the guard's role, with a colon and the path of the daemon's program after it; the daemon's arguments are
// in place. The guard reads descriptor 3 until its end, which is the order to kill, and says on 4 what happens: lines of
//
//	started PID UNIX-NANOSECONDS
//	error TEXT
//	exited WAIT-STATUS UNIX-NANOSECONDS
const (
	guardVariable = "LASTCALL_CHECK_GUARD"
	roleGuard     = "guard"   // starts the daemon
	roleFirst     = "first"   // the same, as PID 1 of a namespace of its own
	roleInside    = "inside"  // the process in that namespace that becomes the daemon
	roleOrphan    = "orphan"  // its child
	roleNothing   = "nothing" // ends at once

	guardOrders = 3
	guardSays   = 4
)

const (
	planted    = 5           // processes are given to a daemon that is PID 1, as if they were orphans
	orphanName = "lc-orphan" // is their name
)

func init() {
	text, ok := os.LookupEnv(guardVariable)
	if !ok || os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		return
	}
	role, path, _ := strings.Cut(text, ":")
	os.Unsetenv(guardVariable)
	switch role {
	case roleGuard:
		guard(path, false)
	case roleFirst:
		guard(path, true)
	case roleInside:
		inside(path)
	case roleNothing:
	case roleOrphan:
		nameThread(orphanName)
		syscall.Close(guardSays) // it is ready
		_, _ = io.Copy(io.Discard, os.NewFile(guardOrders, "orders"))
	default:
		return
	}
	os.Exit(0)
}

// guard is the life of the guard.
func guard(path string, first bool) {
	runtime.LockOSThread() // init runs on the main thread: the death of the daemon's parent is that thread's
	// Caught and not ignored: what is ignored would be so for the daemon as well.
	signal.Notify(make(chan os.Signal), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP)
	syscall.CloseOnExec(guardOrders)
	syscall.CloseOnExec(guardSays)
	says := os.NewFile(guardSays, "says")
	adoptOrphans()
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setsid: true}}
	killWithParent(attr.Sys)
	argv := os.Args
	if first {
		ownNamespace(attr.Sys)
		attr.Env = append(attr.Env, guardVariable+"="+roleInside+":"+path)
		attr.Files = append(attr.Files, guardOrders)
		path = self
	}
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		fmt.Fprintf(says, "error %v\n", err)
		return
	}
	fmt.Fprintf(says, "started %d %d\n", pid, time.Now().UnixNano())
	_, _ = syscall.Close(1), syscall.Close(2) // the end of the daemon's output is its own
	go func() {
		for {
			var status syscall.WaitStatus
			dead, err := syscall.Wait4(-1, &status, 0, nil)
			switch {
			case errors.Is(err, syscall.EINTR):
			case err != nil: // no children are left; more may come as long as somebody lives, and nobody does
				return
			case dead == pid:
				fmt.Fprintf(says, "exited %d %d\n", status, time.Now().UnixNano())
			}
		}
	}()
	_, _ = io.Copy(io.Discard, os.NewFile(guardOrders, "orders"))
	killAll(os.Getpid(), pid)
}

// self is this program, also when its file has been replaced.
var self = func() string {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe"
	}
	path, _ := os.Executable()
	return path
}()

// keeper is the guard seen from this process.
type keeper struct {
	pid     int // of the guard
	daemon  int
	started time.Time
	exited  chan struct{} // closed when the daemon has ended
	status  syscall.WaitStatus
	ended   time.Time
	orders  *os.File // closed: kill
	gone    chan struct{}
	once    sync.Once
}

// keep starts a guard, and the daemon below it, and returns when the daemon's program runs. The output of both goes to out.
func keep(command []string, dir string, env []string, out *os.File, first bool) (*keeper, error) {
	path, err := lookUp(command[0], dir)
	if err != nil {
		return nil, err
	}
	ordersR, ordersW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ordersR.Close()
	saysR, saysW, err := os.Pipe()
	if err != nil {
		ordersW.Close()
		return nil, err
	}
	defer saysW.Close()
	role := roleGuard
	if first {
		role = roleFirst
	}
	cmd := &exec.Cmd{
		Path: self, Args: command, Dir: dir,
		Env:    append(env, guardVariable+"="+role+":"+path),
		Stdout: out, Stderr: out, ExtraFiles: []*os.File{ordersR, saysW},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		ordersW.Close()
		saysR.Close()
		return nil, err
	}
	saysW.Close()
	k := &keeper{pid: cmd.Process.Pid, orders: ordersW, exited: make(chan struct{}), gone: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(k.gone)
		defer saysR.Close()
		if err := k.listen(saysR, started); err != nil {
			started <- err
		}
		_ = cmd.Wait()
	}()
	if err := <-started; err != nil {
		k.end()
		return nil, err
	}
	return k, nil
}

// listen takes what the guard says.
func (k *keeper) listen(says io.Reader, started chan<- error) error {
	for lines := bufio.NewScanner(says); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if word == "error" {
			return errors.New(rest)
		}
		first, at, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(first)
		ns, err2 := strconv.ParseInt(at, 10, 64)
		if err != nil || err2 != nil {
			return fmt.Errorf("the guard says %q", lines.Text())
		}
		switch word {
		case "started":
			k.daemon, k.started = n, time.Unix(0, ns)
			started <- nil
		case "exited":
			k.status, k.ended = syscall.WaitStatus(n), time.Unix(0, ns)
			close(k.exited)
		}
	}
	if k.daemon == 0 {
		return errors.New("the guard ended before it had started the daemon")
	}
	return nil
}

// end kills what is left of the daemon and its descendants, and returns when all of it is gone.
func (k *keeper) end() {
	k.once.Do(func() { k.orders.Close() })
	<-k.gone
}

// lookUp is the program of a command, from where the daemon will run.
func lookUp(name, dir string) (string, error) {
	if strings.Contains(name, "/") && dir != "" && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
