//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package lastcall

import (
	"os"
	"syscall"
	"unsafe"
)

// columns is the width of the terminal f, 0 if f is no terminal that can rewrite a line. One that does not know its
// width, as on a serial line, has 80.
func columns(f *os.File) int {
	if os.Getenv("TERM") == "dumb" {
		return 0
	}
	var size struct{ rows, columns, width, height uint16 }
	conn, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	failed := syscall.Errno(0)
	err = conn.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	})
	switch {
	case err != nil || failed != 0:
		return 0
	case size.columns == 0:
		return 80
	}
	return int(size.columns)
}
