//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package lastcall

import (
	"os"
	"syscall"
)

// SIGINFO is Ctrl-T on the terminals of these systems.
var reportSignals = []os.Signal{syscall.SIGUSR1, syscall.SIGINFO}
