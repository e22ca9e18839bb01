//go:build unix && !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package process

import "errors"

// watch is impossible, so a thread waits for each child.
func (native) watch(*handle, func(bool)) error { return errors.ErrUnsupported }
func (native) forget(*handle)                  {}
