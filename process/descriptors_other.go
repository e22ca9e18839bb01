//go:build unix && !linux

package process

import "errors"

// descriptorsDir is not known: /dev/fd has only the standard files unless fdescfs(5) is mounted.
const descriptorsDir = ""

// closeOnExecRange is not there: close_range(2) of FreeBSD closes at once.
func closeOnExecRange(uint) error { return errors.ErrUnsupported }
