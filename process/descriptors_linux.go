package process

import (
	"math"

	"golang.org/x/sys/unix"
)

// descriptorsDir lists the descriptors of this process.
const descriptorsDir = "/proc/self/fd"

// closeOnExecRange marks all descriptors from first on, see close_range(2); Linux 5.11 or later.
func closeOnExecRange(first uint) error {
	return unix.CloseRange(first, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}
