//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package process

const (
	processLimit   = false
	rlimitNumProcs = -1

	lockLimit     = false
	rlimitMemLock = -1
)
