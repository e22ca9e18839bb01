package output

import "golang.org/x/sys/unix"

// unread is how much of what was written into a pipe nobody has read yet; 0 where that is not told.
func unread(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0
	}
	return n
}
