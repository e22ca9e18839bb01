//go:build linux || darwin || freebsd || netbsd || openbsd

package safefile

import "golang.org/x/sys/unix"

// openAt is openat(2), begun again where a signal interrupted it.
func openAt(dir int, name string, flags int, mode uint32) (fd int, err error) {
	for {
		if fd, err = unix.Openat(dir, name, flags, mode); err != unix.EINTR {
			return fd, err
		}
	}
}

// statAt is what a name stands for, a link itself.
func statAt(dir int, name string, st *unix.Stat_t) error {
	return unix.Fstatat(dir, name, st, unix.AT_SYMLINK_NOFOLLOW)
}

// readLinkAt is readlinkat(2).
func readLinkAt(dir int, name string) (string, error) {
	buf := make([]byte, 4096)
	n, err := unix.Readlinkat(dir, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
