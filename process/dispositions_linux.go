package process

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// startMask are the signals that were blocked when this process started, a bit each, but those that the Go runtime unblocks at once.
var startMask = func() (mask uint64) {
	sigprocmask(unix.SIG_BLOCK, nil, &mask)
	return mask
}()

// setMask sets what is blocked in this thread.
func setMask(mask uint64) { sigprocmask(unix.SIG_SETMASK, &mask, nil) }

// isIgnored reports whether this process ignores sig, by rt_sigaction(2).
func isIgnored(sig syscall.Signal) bool {
	var action [8]uintptr // the handler comes first
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
	return errno == 0 && action[0] == 1 // SIG_IGN
}

// sigprocmask is rt_sigprocmask(2), whose sets have 64 bits.
func sigprocmask(how uintptr, set, old *uint64) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(*set), 0, 0)
}
