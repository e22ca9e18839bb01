//go:build darwin || freebsd || linux || netbsd || openbsd

package control

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// acquire takes the lock that the file at path is, or returns a LiveError. The kernel gives it back when this process
// ends, however that happens.
func acquire(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		err = flock(file)
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = holder(file)
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		mine, err := file.Stat()
		if err != nil {
			file.Close()
			return nil, err
		}
		if there, err := os.Lstat(path); err == nil && os.SameFile(mine, there) {
			return file, nil
		}
		file.Close() // the one who had it has removed it meanwhile
	}
}

func flock(file *os.File) error {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("flock "+file.Name(), err)
		}
	}
}

// holder is the LiveError for the one who holds the lock.
func holder(file *os.File) error {
	text, _ := io.ReadAll(io.LimitReader(file, 1<<16)) // what is not there is not told
	pid, path, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	live := &LiveError{File: path}
	live.PID, _ = strconv.Atoi(pid)
	return live
}
