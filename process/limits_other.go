//go:build !linux && !freebsd && !openbsd && !netbsd && !dragonfly && !solaris && !illumos && !aix

package process

const (
	memoryLimit  = false
	rlimitMemory = -1
)
