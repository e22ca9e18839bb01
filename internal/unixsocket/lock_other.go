//go:build !darwin && !freebsd && !linux && !netbsd && !openbsd

package unixsocket

import (
	"errors"
	"os"
	"runtime"
)

var errNotSupported = errors.New("a lock of a file is not supported on " + runtime.GOOS)

// HeldError is a lock that another process holds.
type HeldError struct{ Path, Text string }

// Error is one line.
func (e *HeldError) Error() string { return e.Path + " is locked by another process" }

// Lock is not supported.
func Lock(string) (*os.File, error) { return nil, errNotSupported }

// Sign is not supported.
func Sign(*os.File, string) error { return errNotSupported }

// Unlock is not supported.
func Unlock(*os.File) {}
