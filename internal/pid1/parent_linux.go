package pid1

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setParentDeath has the child get sig when this process dies.
func setParentDeath(sys *syscall.SysProcAttr, sig syscall.Signal) { sys.Pdeathsig = sig }

// dieWithParent has this process get sig when its own parent dies, and reports whether that is possible. The thread that asked for it
// must stay, see PR_SET_PDEATHSIG in prctl(2): it is that of the goroutine that calls this.
func dieWithParent(sig syscall.Signal) bool {
	runtime.LockOSThread()
	return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(sig), 0, 0, 0) == nil
}

// isSubreaper reports whether orphans come to this process, as one that another program made so before it ran this one.
func isSubreaper() bool {
	var is int32
	err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&is)), 0, 0, 0)
	return err == nil && is != 0
}
