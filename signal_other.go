//go:build !unix

package lastcall

import (
	"os"
	"syscall"
)

// Windows delivers Ctrl-C and Ctrl-Break as os.Interrupt, and the end of the session as SIGTERM (os/signal).
var (
	stopSignals   = []os.Signal{syscall.SIGTERM, os.Interrupt}
	reloadSignals []os.Signal
	reportSignals []os.Signal
	errorSignals  []os.Signal
)

var signalNames = map[string]os.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": os.Interrupt}

func openTerminal() error { return nil }
func hungUp(error) bool   { return false }

func signalNumber(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return int(s)
	}
	return 1
}

// dieOf does nothing: here no process dies of a signal.
func dieOf(os.Signal) {}
