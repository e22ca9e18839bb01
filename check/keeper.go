//go:build unix

package check

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// guardian is a guard, as the check sees it. One has one life of the daemon after the other.
type guardian struct {
	pid  int // of the guard
	conn *net.UnixConn
	gone chan struct{} // closed when the guard and its warden have ended
	why  error         // if nobody told them to; to be read after that

	mu     sync.Mutex
	keeper *keeper // of the life that it has
	closed bool    // it was told to end
}

// keeper is one life of the daemon, below a guard.
type keeper struct {
	g       *guardian
	pid     int // of the guard
	daemon  int
	process *os.Process // the daemon: a handle, where the system has such
	started time.Time
	begun   chan error    // has nil when the daemon's program runs
	exited  chan struct{} // closed when the daemon has ended
	status  syscall.WaitStatus
	ended   time.Time
	alone   chan struct{} // closed when nobody is left that descends from it, where the system tells
	left    []int         // could not be killed
	over    chan struct{} // closed when everything has been killed
	once    sync.Once
	known   map[string]bool // the facts that were taken; belongs to who reads them
}

// mostLeft is how many processes that cannot be killed are named.
const mostLeft = 100

// startGuard starts a warden and its guard, and returns when that is ready. A guard that ends without having been told to calls lost.
func startGuard(ctx context.Context, lost func(error)) (*guardian, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		return nil, err
	}
	g := &guardian{conn: conn.(*net.UnixConn), gone: make(chan struct{})}
	// What other packages of this program print when they are initialised is of no interest, unless there is no guard then.
	var says bytes.Buffer
	cmd := &exec.Cmd{
		Path: self, Args: []string{"lastcall-check-guard"}, Env: append(os.Environ(), guardVariable+"="+roleWarden),
		Stderr: &says, ExtraFiles: []*os.File{theirs}, WaitDelay: time.Second,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("starting the guard: %w", err)
	}
	theirs.Close()
	ready := make(chan struct{})
	go func() {
		defer close(g.gone)
		g.listen(ready)
		_ = cmd.Wait()
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.closed {
			g.why = fmt.Errorf("the guard of the daemon ended: %v", cmd.ProcessState)
			if said := strings.TrimSpace(says.String()); said != "" {
				g.why = fmt.Errorf("%w: %s", g.why, text.Short(said, 500))
			}
			lost(g.why)
		}
	}()
	select {
	case <-ready:
		return g, nil
	case <-g.gone:
		conn.Close()
		return nil, g.why
	case <-ctx.Done():
		g.close()
		return nil, context.Cause(ctx)
	}
}

// socketpair is a connection, whose ends no program inherits.
func socketpair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	return os.NewFile(uintptr(fds[0]), "guard"), os.NewFile(uintptr(fds[1]), "guard"), nil
}

// listen takes what the guard says, until it says no more.
func (g *guardian) listen(ready chan<- struct{}) {
	now, then := time.Now(), monotonic()
	for lines := bufio.NewScanner(g.conn); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		first, second, _ := strings.Cut(rest, " ")
		n, _ := strconv.Atoi(first)
		ns, _ := strconv.ParseInt(second, 10, 64)
		at := now.Add(time.Duration(ns - then))
		if word == saysReady {
			if g.pid == 0 {
				g.pid = n
				close(ready)
			}
			continue
		}
		g.mu.Lock()
		k := g.keeper
		g.mu.Unlock()
		if k != nil {
			k.take(word, n, at)
		}
	}
}

// take takes one fact of this life. Each is taken once: a second one is not about this life, or not true.
func (k *keeper) take(word string, n int, at time.Time) {
	switch {
	case k.known[word] || closed(k.over):
		return
	case word == saysLeft:
		if len(k.left) < mostLeft {
			k.left = append(k.left, n)
		}
		return
	}
	k.known[word] = true
	switch word {
	case saysError, saysStarted:
		k.known[saysError], k.known[saysStarted] = true, true
		if word == saysError {
			k.begun <- syscall.Errno(n)
			return
		}
		k.daemon, k.started = n, at
		k.begun <- nil
	case saysExited:
		k.status, k.ended = syscall.WaitStatus(n), at
		close(k.exited)
	case saysAlone:
		close(k.alone)
	case saysOver:
		close(k.over)
	}
}

// close ends the guard, and whatever it has, and returns when all is gone.
func (g *guardian) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.conn.Close()
	<-g.gone
}

// newKeeper is the life about which the guard speaks from now on.
func newKeeper(g *guardian) *keeper {
	k := &keeper{
		g: g, pid: g.pid, begun: make(chan error, 1), exited: make(chan struct{}), alone: make(chan struct{}), over: make(chan struct{}),
		known: map[string]bool{},
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.keeper = k
	return k
}

// keep starts a daemon, and returns when its program runs.
func (g *guardian) keep(p program, output *os.File, first bool) (*keeper, error) {
	k := newKeeper(g)
	text := p.encode()
	head := binary.BigEndian.AppendUint64([]byte{orderStart}, uint64(len(text)))
	if first {
		head[0] = orderFirst
	}
	// The descriptor goes with the first byte.
	if _, _, err := g.conn.WriteMsgUnix(head, syscall.UnixRights(int(output.Fd())), nil); err != nil {
		return nil, g.broken(err)
	}
	if _, err := g.conn.Write(text); err != nil {
		return nil, g.broken(err)
	}
	select {
	case err := <-k.begun:
		if err != nil {
			return nil, &os.PathError{Op: "exec", Path: p.path, Err: err}
		}
	case <-g.gone:
		return nil, g.broken(g.why)
	}
	k.process, _ = os.FindProcess(k.daemon)
	if _, err := g.conn.Write([]byte{orderBury}); err != nil {
		return nil, g.broken(err)
	}
	return k, nil
}

// guardError is a guard that is no more.
type guardError struct{ error }

func (e guardError) Unwrap() error { return e.error }

func (g *guardian) broken(err error) error { return guardError{err} }

// signal sends a signal to the daemon, unless it has ended.
func (k *keeper) signal(s syscall.Signal) {
	select {
	case <-k.exited: // its number may be somebody else's by now
	default:
		_ = k.process.Signal(s)
	}
}

// kill kills what is left of the daemon and its descendants.
func (k *keeper) kill() {
	k.once.Do(func() { _, _ = k.g.conn.Write([]byte{orderEnd}) })
}

// end is kill, and returns when all of it is gone. It reports whether the guard can have another life.
func (k *keeper) end() (again bool) {
	k.kill()
	select {
	case <-k.over:
		_ = k.process.Release()
		return len(k.left) == 0
	case <-k.g.gone:
		return false
	}
}

// lookUp is the program of a command, from where the daemon will run.
func lookUp(name, dir string) (string, error) {
	if strings.Contains(name, "/") && dir != "" && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
		if !filepath.IsAbs(name) {
			name = "." + string(filepath.Separator) + name // not to be looked up
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}
