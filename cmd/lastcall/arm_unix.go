//go:build unix

package main

import (
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/lastcall-go/lastcall/process"
)

// stopSignals ask for a stop, and reloadSignals to read the configuration again.
var (
	stopSignals   = []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	reloadSignals = []os.Signal{syscall.SIGHUP}
)

// arm catches signals from now on and to the very end: one that comes before anything has started, or after the last has ended,
// is not lost and does not spoil the exit status. Those that were ignored stay so.
func arm(lists ...[]os.Signal) <-chan os.Signal {
	signals := make(chan os.Signal, 64)
	for _, sig := range slices.Concat(lists...) {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // who reads the output may go away
	return signals
}

// reapAsPID1 reaps what others leave behind, where this is the first program of a container and they are left to it.
func reapAsPID1() {
	if os.Getpid() == 1 {
		process.Adopt()
	}
}
