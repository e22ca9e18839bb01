//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package process

const (
	processLimit   = false
	rlimitNumProcs = -1
)
