//go:build unix && !linux

package allsignals

import (
	"os"
	"syscall"
)

// Raise sends sig to this process.
func Raise(sig syscall.Signal) { _ = syscall.Kill(os.Getpid(), sig) }
