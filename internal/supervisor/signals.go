//go:build unix

package supervisor

import (
	"os"
	"syscall"
)

// isStop reports whether a signal asks for the end.
func isStop(sig os.Signal) bool { return sig == os.Interrupt || sig == syscall.SIGTERM }
