package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// procctlRaw passes the number of the process, which has 64 bits, in two words.
func procctlRaw(pid, command, data uintptr) syscall.Errno {
	const pPID = 0
	_, _, errno := syscall.Syscall6(unix.SYS_PROCCTL, pPID, pid, 0, command, data, 0)
	return errno
}
