//go:build unix && !linux

package check

import (
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

// killAll kills the daemon's process group; what left it is out of reach. This process has no other children.
func killAll(_, daemon int, alone <-chan struct{}) (left []int) {
	if err := syscall.Kill(-daemon, syscall.SIGKILL); err == syscall.EPERM {
		return []int{daemon}
	}
	<-alone
	return nil
}

func nameThread(string) {}

func noNamespace() string { return "this system has none" }

// monotonic is a clock in nanoseconds that all processes share.
func monotonic() int64 { return time.Now().UnixNano() }
