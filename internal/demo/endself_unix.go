//go:build unix

package demo

import (
	"context"
	"os"
	"syscall"
)

// endItself stops the demo as an operator would: by a signal to the process.
func endItself(cancel context.CancelCauseFunc) {
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		cancel(err)
	}
}
