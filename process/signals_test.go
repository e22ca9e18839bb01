//go:build unix

package process

import "syscall"

const (
	userSignal = syscall.SIGUSR1
	hangUp     = syscall.SIGHUP
)
