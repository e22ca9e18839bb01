package process

import (
	"errors"
	"syscall"
	"unsafe"
)

const (
	hasCapabilities = false
	hasNoNewPrivs   = true
)

// See procctl(2); FreeBSD 14 or later.
const (
	procNoNewPrivs       = 19
	procNoNewPrivsEnable = 1
)

// doHere is a step that only this system has.
func (s step) doHere() error {
	if s.name == noPrivsStep {
		enable := int32(procNoNewPrivsEnable)
		if err := procctl(0, procNoNewPrivs, unsafe.Pointer(&enable)); !errors.Is(err, syscall.EINVAL) {
			return err
		}
	}
	return errors.ErrUnsupported
}

// renounce has nothing to give up: on this system a file gives rights only by its owner.
func renounce() {}
