//go:build unix

package check

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// guardian is a guard, as the check sees it. One has one life of the daemon after the other.
type guardian struct {
	pid      int // of the guard
	watchdog *exec.Cmd
	handle   handle
	handled  bool // there is a handle of the guard; these three are guarded by mu until it is ready
	conn     *net.UnixConn
	listened chan struct{} // closed when no more is taken from the connection
	gone     chan struct{} // closed when the guard and its watchdog have ended
	why      error         // if nobody told them to; to be read after that
	forced   sync.Once

	mu     sync.Mutex
	keeper *keeper             // of the life that it has
	closed bool                // it was told to end
	status *syscall.WaitStatus // of the guard, if its watchdog says it
	stuck  error               // why it was killed
}

// startsWithin is how long a guard may take to start, and to start a program: as long as the slowest disk.
const startsWithin = time.Minute

// startGuard starts a watchdog and its guard, and returns when that is ready. A guard that ends without having been told to calls lost.
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
	// What other packages of this program print when they are initialised is of no interest, unless there is no guard then.
	var says bytes.Buffer
	cmd := &exec.Cmd{
		Path: self, Args: []string{"lastcall-check-guard"}, Env: append(os.Environ(), guardVariable+"="+roleWatchdog+":"+strconv.Itoa(os.Getpid())),
		Stderr: &says, ExtraFiles: []*os.File{theirs}, WaitDelay: time.Second,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("starting the guard: %w", err)
	}
	theirs.Close()
	g := &guardian{conn: conn.(*net.UnixConn), watchdog: cmd, listened: make(chan struct{}), gone: make(chan struct{})}
	ready := make(chan struct{})
	go func() {
		defer close(g.listened)
		if err := g.listen(ready); err != nil {
			g.force(err.Error())
		}
	}()
	go func() {
		defer close(g.gone)
		g.awaitEnd()
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.why = g.reason(says.String()); g.why != nil {
			lost(g.why)
		}
	}()
	limit := time.NewTimer(startsWithin)
	defer limit.Stop()
	select {
	case <-ready:
		return g, nil
	case <-g.gone:
	case <-limit.C:
		g.force("was not ready within " + startsWithin.String())
		<-g.gone
	case <-ctx.Done():
		g.close()
		return nil, context.Cause(ctx)
	}
	return nil, g.why
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

// listen takes what the guard says, until it says no more. The error is what no guard says: another process has its end of the connection.
func (g *guardian) listen(ready chan struct{}) error {
	now, then := time.Now(), monotonic()
	lines := bufio.NewScanner(g.conn)
	lines.Buffer(nil, longestSaying)
	for lines.Scan() {
		said, err := parseSaying(lines.Text())
		if err != nil {
			return err
		}
		switch said.word {
		case saysReady:
			if closed(ready) {
				continue
			}
			h, err := handleOf(said.n)
			g.mu.Lock()
			g.pid, g.handle, g.handled = said.n, h, err == nil
			g.mu.Unlock()
			close(ready)
			continue
		case saysLost:
			g.mu.Lock()
			status := syscall.WaitStatus(said.n)
			g.status = &status
			g.mu.Unlock()
			continue
		}
		g.mu.Lock()
		k := g.keeper
		g.mu.Unlock()
		if k != nil {
			k.take(said.word, said.n, now.Add(time.Duration(said.ns-then)))
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return errUnsaid
	}
	return nil
}

// awaitEnd waits for the end of the watchdog and of the guard, one of which may be stopped or dead before the other.
func (g *guardian) awaitEnd() {
	if by := awaitStop(g.watchdog.Process.Pid); by != 0 {
		g.force("has a watchdog that was stopped by " + process.SignalName(by))
	}
	_ = g.watchdog.Wait()
	// It ends after its guard: its earlier death would tell the guard to end.
	g.mu.Lock()
	handled := g.handled
	g.mu.Unlock()
	switch {
	case handled && g.handle.await(endsWithin):
	case handled:
		g.force("did not end within " + endsWithin.String())
		g.handle.await(endsWithin)
	default:
		select {
		case <-g.listened:
		case <-time.After(endsWithin):
			g.force("did not end within " + endsWithin.String())
		}
	}
	// What it said has been taken soon. Its end of the connection may be another process's as well, and stay open.
	_ = g.conn.SetReadDeadline(time.Now().Add(time.Second))
	<-g.listened
	g.conn.Close()
	if handled {
		g.handle.close()
	}
}

// reason is why the guard ended, nil if this check told it to.
func (g *guardian) reason(output string) (err error) {
	const notUs = "; this check did not do that, so the daemon did, or another process of its user"
	state := g.watchdog.ProcessState
	watchdog, _ := state.Sys().(syscall.WaitStatus)
	switch {
	case g.stuck != nil:
		return g.stuck
	case g.closed:
		return nil
	case watchdog.Signaled():
		err = fmt.Errorf("the watchdog of the daemon's guard %s%s", statusText(watchdog), notUs)
	case g.status == nil:
		err = fmt.Errorf("the guard of the daemon ended: %v", state)
	case g.status.Stopped():
		err = fmt.Errorf("the guard of the daemon was stopped by %s, and is killed%s", process.SignalName(g.status.StopSignal()), notUs)
	case g.status.Signaled():
		err = fmt.Errorf("the guard of the daemon %s%s", statusText(*g.status), notUs)
	case *g.status == 0:
		err = fmt.Errorf("the guard of the daemon ended, as after SIGTERM%s", notUs)
	default:
		err = fmt.Errorf("the guard of the daemon ended: %s", statusText(*g.status))
	}
	if said := strings.TrimSpace(output); said != "" {
		err = fmt.Errorf("%w: %s", err, text.Short(said, 500))
	}
	return err
}

// force kills a guard that does not do what it is for, with everything that it has, from outside.
func (g *guardian) force(why string) {
	g.forced.Do(func() {
		g.mu.Lock()
		guard := g.pid
		g.mu.Unlock()
		if guard > 0 {
			if who := tracerOf(guard); who != "" {
				why += " (it is traced by " + who + ")"
			}
		}
		g.mu.Lock()
		g.stuck = fmt.Errorf("the guard of the daemon %s, and is killed", why)
		g.mu.Unlock()
		killFamily(g.watchdog.Process.Pid, guard)
		_ = g.watchdog.Process.Kill()
	})
}

// close ends the guard, and whatever it has, and returns when all is gone.
func (g *guardian) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	_ = g.conn.CloseWrite()
	limit := time.NewTimer(endsWithin)
	defer limit.Stop()
	select {
	case <-g.gone:
	case <-limit.C:
		g.force("did not end within " + endsWithin.String())
		<-g.gone
	}
}

// guardError is a guard that is no more.
type guardError struct{ error }

func (e guardError) Unwrap() error { return e.error }

func (g *guardian) broken(err error) error { return guardError{err} }
