//go:build unix && !linux && !freebsd

package process

import "syscall"

// What this process was started with is not known: the C library of these systems is out of reach.
const ownMask, startMask, startIgnored uint64 = 0, 0, 0

// setIgnored is for what startIgnored has.
func setIgnored(syscall.Signal) {}

// isIgnored is not known either.
func isIgnored(syscall.Signal) bool { return false }

// setMask sets nothing.
func setMask(uint64) {}
