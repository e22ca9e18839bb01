//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// arm catches the signals that mean something to lastcall up, from now on and to the very end: one that comes before the first
// program starts, or after the last has ended, is not lost and does not spoil the exit status. Those that were ignored stay so.
func arm() <-chan os.Signal {
	signals := make(chan os.Signal, 64)
	for _, sig := range append(reportSignals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // who reads the output may go away
	return signals
}
