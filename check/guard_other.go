//go:build unix && !linux

package check

import (
	"errors"
	"syscall"
	"time"
)

// adoptOrphans has nothing to do: orphans are init's here, and nobody tells of them.
func adoptOrphans() {}

// letGo does nothing: these systems are not asked.
func letGo(stopped) {}

func signalByParent(*syscall.SysProcAttr, syscall.Signal) {}

func closeOnExec() { syscall.CloseOnExec(guardConn) }

// ownNamespace is not asked for here, see the scenario pid1.
func ownNamespace(*syscall.SysProcAttr) {}

func inside(string) {}

// killAll kills the daemon's process group; what left it is out of reach. This process has no other children. EPERM says that the daemon
// has become another user's, or, on macOS, that nothing but zombies is left: then this process is soon alone.
func killAll(_, daemon int, alone <-chan struct{}) (left []int) {
	if err := syscall.Kill(-daemon, syscall.SIGKILL); errors.Is(err, syscall.EPERM) {
		limit := time.NewTimer(killsWithin)
		defer limit.Stop()
		select {
		case <-alone:
			return nil
		case <-limit.C:
			return []int{daemon}
		}
	}
	<-alone
	return nil
}

// killFamily kills the guard and its watchdog; what they have is out of reach.
func killFamily(watchdog, guard int) {
	if guard > 0 {
		_ = syscall.Kill(guard, syscall.SIGKILL)
	}
	_ = syscall.Kill(watchdog, syscall.SIGKILL)
}

// handle is of Linux.
type handle int

func handleOf(int) (handle, error)      { return 0, errors.ErrUnsupported }
func (handle) await(time.Duration) bool { return true }
func (handle) close()                   {}

// awaitStop does not wait: nothing says that a child is stopped and leaves its end to be waited for.
func awaitStop(int) syscall.Signal { return 0 }

func setDumpable(bool) {}

// killsWithin is how long what is killed may take to go.
const killsWithin = 10 * time.Second

func nameThread(string) {}

func noNamespace() string { return "this system has none" }

// monotonic is a clock in nanoseconds that all processes share.
func monotonic() int64 { return time.Now().UnixNano() }
