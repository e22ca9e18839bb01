//go:build unix && !linux

package pid1

import "syscall"

// waitHalted finds out nothing: wait4(2) would take the status of the end as well, and waitid(2) is not in Go's reach here.
func waitHalted(int, *syscall.WaitStatus) (int, error) { return 0, syscall.ENOTSUP }
