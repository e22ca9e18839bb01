//go:build unix && !linux

package supervisor

import "golang.org/x/sys/unix"

// mostLookedAt bounds the search for open descriptors.
const mostLookedAt = 1 << 16

// openDescriptors are how many this process has.
func openDescriptors() (n int) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	for fd := range uintptr(min(uint64(limit.Cur), mostLookedAt)) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

// processLimits: these systems do not tell how many processes a user has without a look at all of them.
func processLimits() []processLimit { return nil }
