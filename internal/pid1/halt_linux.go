package pid1

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// follows: this system tells that a child has been stopped, apart from its end.
const follows = true

// halted returns, once, the signal that has stopped the child; 0 if none has. See waitid(2): its end is left to whoever waits
// for that.
func halted(pid int) syscall.Signal {
	var info struct {
		signo, errno, code int32
		_                  int32
		pid, uid, status   int32
		_                  [100]byte
	}
	_, _, errno := unix.Syscall6(unix.SYS_WAITID, unix.P_PID, uintptr(pid), uintptr(unsafe.Pointer(&info)), unix.WSTOPPED|unix.WNOHANG, 0, 0)
	if errno != 0 || info.pid == 0 {
		return 0
	}
	return syscall.Signal(info.status)
}
