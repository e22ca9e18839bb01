//go:build unix && !linux && !freebsd

package process

import "errors"

const (
	hasCapabilities = false
	hasNoNewPrivs   = false
)

// doHere is a step that only some systems have.
func (s step) doHere() error { return errors.ErrUnsupported }

// renounce has nothing to give up: on this system a file gives rights only by its owner.
func renounce() {}
