package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// procctlRaw passes the number of the process, which has 64 bits, in two words, the first of which has an even place: so a word is left
// free before it, as package os does for wait6(2).
func procctlRaw(pid, command, data uintptr) syscall.Errno {
	const pPID = 0
	_, _, errno := syscall.Syscall6(unix.SYS_PROCCTL, pPID, 0, pid, 0, command, data)
	return errno
}
