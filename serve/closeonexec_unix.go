//go:build unix

package serve

import "syscall"

// closeOnExec keeps an inherited descriptor from being inherited by children that know nothing of it.
func closeOnExec(fd int) { syscall.CloseOnExec(fd) }
