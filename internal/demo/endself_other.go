//go:build !unix

package demo

import (
	"context"
	"errors"
)

// endItself ends the context: this system has no signal that a process could send itself.
func endItself(cancel context.CancelCauseFunc) { cancel(errors.New("the time is over")) }
