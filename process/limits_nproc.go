//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package process

import "golang.org/x/sys/unix"

const (
	processLimit   = true
	rlimitNumProcs = unix.RLIMIT_NPROC

	lockLimit     = true
	rlimitMemLock = unix.RLIMIT_MEMLOCK
)
