package process

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is asked of /proc here waits for nothing, so the runtime is not told of the system calls: a thousand children may stop
// at once, and giving the processor away and back costs more than such a call. (An environment is not read so: it may
// have to be waited for.)

// atWorkingDirectory is AT_FDCWD, for paths that are whole.
const atWorkingDirectory = ^uintptr(99)

// readProc reads a file, also where no descriptor is left.
func readProc(path string) (text []byte, err error) {
	err = withSpare(func() error {
		text, err = readProcOnce(path)
		return err
	})
	return text, err
}

func readProcOnce(path string) ([]byte, error) {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return nil, err
	}
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, atWorkingDirectory, uintptr(unsafe.Pointer(name)), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return nil, errno
	}
	text, err := readAll(func(b []byte, _ int) (int, error) {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno != 0 {
			return 0, errno
		}
		return int(n), nil
	})
	_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	return text, err
}

// readAll reads to the end. The function is told how far it has come.
func readAll(read func(b []byte, at int) (int, error)) ([]byte, error) {
	var text []byte
	for {
		text = slices.Grow(text, 512)
		n, err := read(text[len(text):cap(text)], len(text))
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return text, err
		}
		text = text[:len(text)+n]
	}
}

// procLinks is how many hard links a file has, 0 if it is not there: of a directory, two more than it has directories.
func procLinks(path string) uint32 {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return 0
	}
	var s unix.Statx_t
	_, _, errno := unix.RawSyscall6(unix.SYS_STATX, atWorkingDirectory, uintptr(unsafe.Pointer(name)), 0, unix.STATX_NLINK, uintptr(unsafe.Pointer(&s)), 0)
	if errno != 0 {
		return 0
	}
	return s.Nlink
}

// entriesOf is what a directory has, also where no descriptor is left.
func entriesOf(dir string) (entries []os.DirEntry, err error) {
	err = withSpare(func() error {
		entries, err = os.ReadDir(dir)
		return err
	})
	return entries, err
}
