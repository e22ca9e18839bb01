//go:build freebsd && !386 && !arm

package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func procctlRaw(pid, command, data uintptr) syscall.Errno {
	const pPID = 0
	_, _, errno := syscall.Syscall6(unix.SYS_PROCCTL, pPID, pid, command, data, 0, 0)
	return errno
}
