package pid1

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// waitHalted is waitid(2) for a stop and nothing else, so that it cannot take the status of the end.
func waitHalted(pid int, s *syscall.WaitStatus) (int, error) {
	var info struct {
		signo, errno, code int32
		_                  int32
		pid, uid, status   int32
		_                  [100]byte
	}
	_, _, errno := unix.Syscall6(unix.SYS_WAITID, unix.P_PID, uintptr(pid), uintptr(unsafe.Pointer(&info)), unix.WSTOPPED|unix.WNOHANG, 0, 0)
	if errno != 0 || info.pid == 0 {
		return 0, errno
	}
	*s = syscall.WaitStatus(info.status<<8 | 0x7f)
	return int(info.pid), nil
}
