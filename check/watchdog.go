//go:build unix

package check

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// endsWithin is how long a guard may take to end a life, or itself: a little more than what it kills may take to go.
const endsWithin = killsWithin + 5*time.Second

// watchdog is the life of the watchdog of a guard. It ends after its guard and everything that the guard leaves behind. A guard that
// is stopped is killed: this check never stops one. A guard that does not end after the check has ended, or after SIGTERM came here, is killed as well.
func watchdog(check string) {
	told := becomeParent()
	gone := parentGone(check)
	attr := &syscall.ProcAttr{Env: append(os.Environ(), guardVariable+"="+roleGuard), Files: []uintptr{0, 1, 2, guardConn}, Sys: &syscall.SysProcAttr{}}
	signalByParent(attr.Sys, syscall.SIGTERM)
	guard, err := syscall.ForkExec(self, os.Args, attr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "starting the guard: %v\n", err)
		os.Exit(1)
	}
	lost := make(chan syscall.WaitStatus, 1)
	alone := bury(syscall.WUNTRACED, func(pid int, status syscall.WaitStatus) {
		if pid != guard {
			return
		}
		select {
		case lost <- status:
		default: // it was stopped before, or its number is another process's now
		}
	})
	end := func() syscall.WaitStatus {
		_ = syscall.Kill(guard, syscall.SIGTERM)
		limit := time.NewTimer(endsWithin)
		defer limit.Stop()
		select {
		case status := <-lost:
			return status
		case <-limit.C:
			return 0
		}
	}
	var status syscall.WaitStatus
	select {
	case status = <-lost:
	case <-told:
		status = end()
	case <-gone:
		status = end()
	}
	sayer(os.NewFile(guardConn, "check"))(saysLost, int64(status))
	killAll(os.Getpid(), guard, alone)
}

// parentGone is closed when the check, whose process has this number, has ended.
func parentGone(check string) <-chan struct{} {
	gone := make(chan struct{})
	pid, err := strconv.Atoi(check)
	if err != nil {
		return nil
	}
	h, err := handleOf(pid)
	if os.Getppid() != pid {
		close(gone)
		return gone
	}
	if err != nil {
		return nil // the end of the connection has to do
	}
	go func() {
		h.await(-1)
		close(gone)
	}()
	return gone
}
