//go:build unix

package process

import (
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// firstFile is the first descriptor behind the standard files.
const firstFile = 3

// keepFiles marks all descriptors of this process close-on-exec that children would inherit: those that it was given by its own parent,
// since Go opens none such. What a child is to have is passed by fork, whatever the mark.
var keepFiles = sync.OnceFunc(func() {
	if closeOnExecRange(firstFile) != nil {
		closeOnExecEach(firstFile)
	}
})

// closeOnExecEach marks one descriptor after another, from first on.
func closeOnExecEach(first int) {
	for _, fd := range descriptors(first) {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFD, flags|unix.FD_CLOEXEC)
		}
	}
}

// mostFiles bounds the search where the system has no list: what a parent passes on has a small number.
const mostFiles = 1 << 16

// descriptors are those that may be open, from first on.
func descriptors(first int) (list []int) {
	if entries, err := os.ReadDir(descriptorsDir); err == nil && descriptorsDir != "" {
		for _, e := range entries {
			if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= first {
				list = append(list, fd)
			}
		}
		return list
	}
	end := mostFiles
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		end = int(min(uint64(limit.Cur), mostFiles)) //nolint:unconvert // signed elsewhere
	}
	for fd := first; fd < end; fd++ {
		list = append(list, fd)
	}
	return list
}
