package process

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

type (
	child    struct{}
	registry struct{}
)

// Run returns an error that matches errors.ErrUnsupported: there are no signals on Windows to stop a process softly with.
func (p *Process) Run(context.Context) error {
	if err := p.problems(); err != nil {
		return err
	}
	return fmt.Errorf("%s: child processes as workers are not supported on windows: %w", p.name(), errors.ErrUnsupported)
}

// PID is 0.
func (p *Process) PID() int { return 0 }

// Signal returns errors.ErrUnsupported.
func (p *Process) Signal(syscall.Signal) error { return errors.ErrUnsupported }

const hasCapabilities, hasNoNewPrivs = false, false

func hasChroot(*syscall.SysProcAttr) bool { return false }

// ParseSignal returns an error that matches errors.ErrUnsupported.
func ParseSignal(text string) (syscall.Signal, error) {
	return 0, fmt.Errorf("signal %s: %w on windows", text, errors.ErrUnsupported)
}

// SignalName is what the system calls it.
func SignalName(s syscall.Signal) string { return s.String() }

func (p *Process) setsSignals() bool { return false }

func canPrepare() bool { return false }
