//go:build unix && !linux && !freebsd

package process

import "syscall"

// startMask is not known: the C library of these systems is out of reach.
const startMask uint64 = 0

// isIgnored is not known either.
func isIgnored(syscall.Signal) bool { return false }

// setMask sets nothing.
func setMask(uint64) {}
