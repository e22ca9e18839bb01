//go:build unix && !darwin && !aix

package output

import "golang.org/x/sys/unix"

// pipe makes a pipe that children do not inherit.
func pipe(p *[2]int) error { return unix.Pipe2(p[:], unix.O_CLOEXEC) }
