package process

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// executable is this program, also when its file has been replaced.
func executable() (string, error) {
	if hasNoProc() {
		return "", errNoProc
	}
	return "/proc/self/exe", nil
}

// endedEarly is how a child that ends before its program ran has failed by itself; nil if it dies of a signal, which somebody sent.
func endedEarly(pid int) error {
	info := awaitEnd(unix.P_PID, pid, unix.WEXITED|unix.WNOWAIT)
	const exited, killed, dumped = 1, 2, 3 // see sigaction(2)
	switch {
	case info.code == exited:
		return fmt.Errorf("exit code %d before its program ran: %w", info.status, unix.EAGAIN) // as Go's runtime does where no more threads may be
	case info.code == dumped, info.code == killed && (info.status == int32(unix.SIGABRT) || info.status == int32(unix.SIGSEGV)):
		return fmt.Errorf("died of %s before its program ran", SignalName(unix.Signal(info.status)))
	}
	return nil
}

// exitInfo is the siginfo_t of waitid(2).
type exitInfo struct {
	signo, errno, code int32
	_                  [unsafe.Sizeof(uintptr(0))/4 - 1]int32
	pid                int32
	uid                uint32
	status             int32
	_                  [104]byte
}

// awaitEnd is waitid(2). Of nothing the pid is 0.
func awaitEnd(kind, id, options int) (info exitInfo) {
	for {
		_, _, errno := unix.Syscall6(unix.SYS_WAITID, uintptr(kind), uintptr(id), uintptr(unsafe.Pointer(&info)), uintptr(options), 0, 0)
		if errno != unix.EINTR {
			return info
		}
	}
}
