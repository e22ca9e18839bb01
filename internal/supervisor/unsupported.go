//go:build !unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/lastcall-go/lastcall"
)

// Supervisor is for systems that have signals to stop a process softly with.
type Supervisor struct{}

// New returns an error that matches errors.ErrUnsupported.
func New(Options) (*Supervisor, error) {
	return nil, fmt.Errorf("child processes are not supported on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// Run is not reached.
func (*Supervisor) Run(context.Context, <-chan os.Signal) error { return errors.ErrUnsupported }

// Report is empty.
func (*Supervisor) Report(context.Context) (lastcall.Report, error) { return lastcall.Report{}, nil }

// ExitStatus is not reached.
func (*Supervisor) ExitStatus(err error) int { return lastcall.ExitCode(err) }
