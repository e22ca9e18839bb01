//go:build freebsd || netbsd || dragonfly || solaris || illumos || aix

package process

import "syscall"

const (
	memoryLimit  = true
	rlimitMemory = syscall.RLIMIT_AS
)
