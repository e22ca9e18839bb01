//go:build !linux

package process

import "errors"

// Usage returns errors.ErrUnsupported: this system tells of one process at a time, and not at little cost.
func (p *Process) Usage() (Usage, error) { return Usage{}, errors.ErrUnsupported }
