package process

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ownMask is what the Go runtime left blocked, which children inherit.
var ownMask = func() (mask uint64) {
	sigprocmask(unix.SIG_BLOCK, nil, &mask)
	return mask
}()

// startMask and startIgnored are what this process was started with.
var startMask, startIgnored = func() (mask, ignored uint64) {
	if sawEntry != 0 {
		return entryMask, entryIgnored
	}
	return ownMask, 0
}()

// setMask sets what is blocked in this thread.
func setMask(mask uint64) { sigprocmask(unix.SIG_SETMASK, &mask, nil) }

// isIgnored reports whether this process ignores sig, by rt_sigaction(2).
func isIgnored(sig syscall.Signal) bool {
	var action [8]uintptr // the handler comes first
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
	return errno == 0 && action[0] == 1 // SIG_IGN
}

// setIgnored ignores sig, also one that the Go runtime has for its own.
func setIgnored(sig syscall.Signal) {
	action := [8]uintptr{1} // SIG_IGN
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

// sigprocmask is rt_sigprocmask(2), whose sets have 64 bits.
func sigprocmask(how uintptr, set, old *uint64) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(*set), 0, 0)
}
