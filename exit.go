package lastcall

import (
	"errors"
	"os"
)

// ExitCode is the exit status for the error of [Run] or [Group.Run]: 0 for nil, a clean stop, also on a signal; 1 if a
// worker failed; 3 if the start failed, or nothing could be started; 4 if work was cut or lost or a worker abandoned,
// whatever else failed; and 128 plus the signal's number after a [ForcedError].
func ExitCode(err error) int {
	var forced *ForcedError
	var config *ConfigError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &forced):
		return 128 + signalNumber(forced.Signal)
	case errors.Is(err, ErrInterrupted), errors.Is(err, ErrAbandoned), errors.Is(err, ErrLost):
		return 4
	case errors.As(err, &config), failedToStart(err):
		return 3
	}
	return 1
}

// failedToStart reports whether a worker in err failed before it was ready.
func failedToStart(err error) bool {
	for e := range errorTree(err) {
		if w, ok := e.(*WorkerError); ok && w.Starting {
			return true
		}
	}
	return false
}

// Exit ends the process with the status of [ExitCode] or, after a [ForcedError], by the default
// action of the signal that forced it; as PID 1, where the kernel drops such a signal, with 128 plus its number.
func Exit(err error) {
	if forced := (*ForcedError)(nil); errors.As(err, &forced) {
		dieOf(forced.Signal)
	}
	os.Exit(ExitCode(err))
}
