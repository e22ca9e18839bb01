package check

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Hostile lives are of Linux alone. They are added before the init function that plays them.
var _ = func() int {
	lives["traceme"], lives["reuse"], lives["hostile"], lives["nursery"] = traceme, reuse, hostile, nursery
	return len(lives)
}()

// traceme asks its parent to trace it, and serves on args[0].
func traceme(args []string) {
	runtime.LockOSThread() // lives run on the first thread, and signals go to that
	if _, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0, 0, 0, 0); errno != 0 {
		must(0, errno)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGWINCH) // the first of many stops
	serve(args, nil, nil)
}

// reuse serves on args[0]. After its end, another process that descends from it has its number, and ends as well.
func reuse(args []string) {
	switch len(args) {
	case 1:
		serve(args, nil, nil)
		spawn("reuse", &syscall.SysProcAttr{Setsid: true}, args[0], strconv.Itoa(os.Getpid()))
	case 2: // the child that has the number used again
		number := must(strconv.Atoi(args[1]))
		for syscall.Kill(number, 0) == nil {
			time.Sleep(time.Millisecond)
		}
		for range 1000 {
			_ = os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(number-1)), 0)
			pid := must(syscall.ForkExec("/proc/self/exe", append(os.Args, strconv.Itoa(os.Getpid())), &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}}))
			if pid == number {
				return
			}
			_, _ = syscall.Wait4(pid, nil, 0, nil)
		}
		fmt.Println("the number was not to be had")
	default:
		for args[1] == strconv.Itoa(os.Getpid()) && args[2] == strconv.Itoa(os.Getppid()) { // until it has no parent any more but the guard
			time.Sleep(time.Millisecond)
		}
	}
}

// A daemon that has its parent trace it stops as any other.
func TestTracedByItsParent(t *testing.T) {
	report := run(t, lifeOf("traceme", freePort(t)))
	if v := report.result(t, "term"); v.Verdict != Pass {
		t.Errorf("%s: %s", v.Verdict, v.Summary)
	}
}

// The number of a daemon that has ended may be another descendant's: the end of that is not the daemon's.
func TestNumberUsedAgain(t *testing.T) {
	if err := unix.Access("/proc/sys/kernel/ns_last_pid", unix.W_OK); err != nil {
		t.Skipf("process numbers cannot be chosen here: ns_last_pid: %v", err)
	}
	report := run(t, lifeOf("reuse", freePort(t)))
	if v := report.result(t, "term"); v.Verdict != Pass {
		t.Errorf("%s: %s", v.Verdict, v.Summary)
	}
}
