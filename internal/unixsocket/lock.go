//go:build darwin || freebsd || linux || netbsd || openbsd

package unixsocket

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// longestText is how much of a lock is read: it may be another program's.
const longestText = 4 << 10

// HeldError is a lock that another process holds.
type HeldError struct {
	Path string
	Text string // what the holder has written into it, at most 4 KiB
}

// Error is one line.
func (e *HeldError) Error() string { return e.Path + " is locked by another process" }

// Lock takes the lock that the file at path is, and makes the file if it is not there; or it returns a [HeldError]. The kernel gives
// the lock back when this process ends, however that happens. A link, a file with a second name, and one of another user are refused.
func Lock(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
		if err != nil {
			return nil, err
		}
		mine, err := check(file)
		if err == nil {
			if err = flock(file); errors.Is(err, unix.EWOULDBLOCK) {
				text, _ := io.ReadAll(io.LimitReader(file, longestText)) // what is not there is not told
				err = &HeldError{path, string(text)}
			}
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		if there, err := os.Lstat(path); err == nil && os.SameFile(mine, there) {
			return file, nil
		}
		file.Close() // the process that had it has removed it meanwhile
	}
}

// Sign writes into a lock for those that find it held.
func Sign(lock *os.File, text string) error {
	if err := lock.Truncate(0); err != nil {
		return err
	}
	_, err := lock.WriteAt([]byte(text), 0)
	return err
}

// Unlock removes the file of a lock and gives the lock back, in this order: a process that opens it from now on makes another file.
func Unlock(lock *os.File) {
	os.Remove(lock.Name())
	lock.Close()
}

// check reports whether a file may be a lock of this process.
func check(file *os.File) (os.FileInfo, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file, and cannot be the lock of a socket", file.Name())
	case int(stat.Uid) != os.Geteuid():
		return nil, fmt.Errorf("%s belongs to user %d, and cannot be the lock of a socket of user %d", file.Name(), stat.Uid, os.Geteuid())
	case stat.Nlink > 1:
		return nil, fmt.Errorf("%s has another name, and cannot be the lock of a socket", file.Name())
	}
	return info, nil
}

func flock(file *os.File) error {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("flock "+file.Name(), err)
		}
	}
}
