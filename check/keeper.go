//go:build unix

package check

import (
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

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
	traced  atomic.Bool     // a descendant asked the guard to trace it
	known   map[string]bool // the facts that were taken; belongs to who reads them
}

// mostLeft is how many processes that cannot be killed are named.
const mostLeft = 100

// take takes one fact of this life. Each is taken once: a second one is not about this life, or not true.
func (k *keeper) take(word string, n int, at time.Time) {
	switch {
	case k.known[word] || closed(k.over):
		return
	case word == saysTraced:
		k.traced.Store(true)
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
		k.started, k.daemon = at, n
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
func (g *guardian) keep(ctx context.Context, p program, output *os.File, first bool) (*keeper, error) {
	k := newKeeper(g)
	text := p.encode()
	head := binary.BigEndian.AppendUint64([]byte{orderStart}, uint64(len(text)))
	if first {
		head[0] = orderFirst
	}
	_ = g.conn.SetWriteDeadline(time.Now().Add(endsWithin))
	// The descriptor goes with the first byte.
	if _, _, err := g.conn.WriteMsgUnix(head, syscall.UnixRights(int(output.Fd())), nil); err != nil {
		return nil, g.broken(err)
	}
	if _, err := g.conn.Write(text); err != nil {
		return nil, g.broken(err)
	}
	limit := time.NewTimer(startsWithin)
	defer limit.Stop()
	select {
	case err := <-k.begun:
		if err != nil {
			return nil, &os.PathError{Op: "exec", Path: p.path, Err: err}
		}
	case <-g.gone:
	case <-ctx.Done():
		return nil, g.broken(context.Cause(ctx))
	case <-limit.C:
		g.force("started no program for " + startsWithin.String())
	}
	if k.daemon == 0 {
		<-g.gone
		return nil, g.broken(g.why)
	}
	if p, ok := lookAt(k.daemon); ok && p.Parent != g.pid {
		g.force(errUnsaid.Error())
		<-g.gone
		return nil, g.broken(g.why)
	}
	k.process, _ = os.FindProcess(k.daemon)
	if _, err := g.conn.Write([]byte{orderBury}); err != nil {
		return nil, g.broken(err)
	}
	return k, nil
}

// signal sends a signal to the daemon, unless it has ended.
func (k *keeper) signal(s syscall.Signal) {
	select {
	case <-k.exited: // its number may be somebody else's by now
	default:
		_ = k.process.Signal(s)
	}
}

// signalGroup sends a signal to the daemon's process group, which it leads, unless it has ended.
func (k *keeper) signalGroup(s syscall.Signal) {
	select {
	case <-k.exited: // its number may be somebody else's by now
	default:
		_ = syscall.Kill(-k.daemon, s)
	}
}

// kill kills what is left of the daemon and its descendants.
func (k *keeper) kill() {
	k.once.Do(func() {
		_ = k.g.conn.SetWriteDeadline(time.Now().Add(endsWithin))
		_, _ = k.g.conn.Write([]byte{orderEnd})
	})
}

// end is kill, and returns when all of it is gone. It reports whether the guard can have another life.
func (k *keeper) end() (again bool) {
	k.kill()
	limit := time.NewTimer(endsWithin)
	defer limit.Stop()
	select {
	case <-k.over:
		_ = k.process.Release()
		return len(k.left) == 0
	case <-k.g.gone:
	case <-limit.C:
		k.g.force("did not end the daemon within " + endsWithin.String())
		<-k.g.gone
	}
	return false
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
