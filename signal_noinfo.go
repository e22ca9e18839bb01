//go:build unix && !(darwin || dragonfly || freebsd || netbsd || openbsd)

package lastcall

import (
	"os"
	"syscall"
)

var reportSignals = []os.Signal{syscall.SIGUSR1}
