//go:build linux || openbsd

package process

import "syscall"

const (
	memoryLimit  = true
	rlimitMemory = syscall.RLIMIT_DATA
)
