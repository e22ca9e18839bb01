//go:build darwin || aix

package output

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// pipe makes a pipe that children do not inherit.
func pipe(p *[2]int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(p[:]); err != nil {
		return err
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return nil
}
