//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"os"
	"syscall"
)

// reportSignals ask for a live report.
var reportSignals = []os.Signal{syscall.SIGUSR1, syscall.SIGINFO}
