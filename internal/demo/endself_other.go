//go:build !unix

package demo

import (
	"context"
	"errors"
)

// endItself ends the context: on this system a process cannot send itself a signal.
func endItself(cancel context.CancelCauseFunc) { cancel(errors.New("the time is over")) }
