//go:build unix

package process

import "syscall"

// A handle is a process that is known. On Linux it is a pidfd, which means one process for ever; elsewhere its number, which
// does so while the process is a child that nobody else waits for.
type handle struct {
	pid   int
	fd    int    // the pidfd, or -1
	watch uint64 // what the exit watcher knows it by; 0 if it does not
	ended status //nolint:unused // where the system cannot tell of an exit and leave the status for later (exit_other.go)
}

type status struct { //nolint:unused // see handle.ended
	known bool
	wait  syscall.WaitStatus
}
