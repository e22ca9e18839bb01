package process

import (
	"syscall"
	"unsafe"
)

// ownMask is what the Go runtime left blocked, which children inherit.
var ownMask = func() uint64 {
	var old [2]uint64
	sigprocmask(1, nil, &old) // SIG_BLOCK
	return old[0]
}()

// startMask and startIgnored are what is known of what this process was started with.
var startMask, startIgnored = ownMask, uint64(0)

// setIgnored is for what startIgnored has.
func setIgnored(syscall.Signal) {}

// setMask sets what is blocked in this thread.
func setMask(mask uint64) { sigprocmask(3, &[2]uint64{mask}, nil) } // SIG_SETMASK

// isIgnored reports whether this process ignores sig, by sigaction(2).
func isIgnored(sig syscall.Signal) bool {
	var action [8]uintptr // the handler comes first
	_, _, errno := syscall.RawSyscall(syscall.SYS_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0 && action[0] == 1 // SIG_IGN
}

// sigprocmask is sigprocmask(2), whose sets have 128 bits.
func sigprocmask(how uintptr, set, old *[2]uint64) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_SIGPROCMASK, how, uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)))
}
