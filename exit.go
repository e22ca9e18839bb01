package lastcall

import (
	"errors"
	"os"
)

// ExitCode is the exit status for the error of [Run] or [Group.Run]: 0 for nil, which is a stop that went well, on a
// signal too; 1 if a worker failed; 3 if the start failed, or nothing could be started; 4 if work was cut or a worker
// abandoned, whatever else failed; and 128 plus the signal's number after a [ForcedError].
func ExitCode(err error) int {
	var forced *ForcedError
	var cut *InterruptedError
	var abandoned *AbandonedError
	var config *ConfigError
	var worker *WorkerError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &forced):
		return 128 + signalNumber(forced.Signal)
	case errors.As(err, &cut), errors.As(err, &abandoned):
		return 4
	case errors.As(err, &config):
		return 3
	case errors.As(err, &worker) && anyStarting(err):
		return 3
	}
	return 1
}

// anyStarting reports whether a worker in err failed while it was starting.
func anyStarting(err error) bool {
	switch e := err.(type) {
	case *WorkerError:
		return e.Starting
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if anyStarting(inner) {
				return true
			}
		}
	case interface{ Unwrap() error }:
		return anyStarting(e.Unwrap())
	}
	return false
}

// Exit ends the process as its stop deserves: with the status of [ExitCode], or, after a [ForcedError], by the default
// action of the signal that forced it; as PID 1, where the kernel drops such a signal, with 128 plus its number.
func Exit(err error) {
	if forced := (*ForcedError)(nil); errors.As(err, &forced) {
		dieOf(forced.Signal)
	}
	os.Exit(ExitCode(err))
}
