//go:build unix && !linux

package process

import (
	"errors"
	"syscall"
)

// signal sends s to the process, which has not been waited for.
func (h *handle) signal(s syscall.Signal) error { return syscall.Kill(h.pid, s) }

// over reports whether the process is known to have ended before onExit has been told: never, since asking takes its status.
func (h *handle) over() bool { return false }

// peek is how the process has ended, which asking would use up here.
func (h *handle) peek() (Exit, bool) { return Exit{}, false }

func (h *handle) close() { h.forget() }

// waitFor is wait4 for one child.
func waitFor(pid, options int) (syscall.WaitStatus, error) {
	var s syscall.WaitStatus
	for {
		got, err := syscall.Wait4(pid, &s, options, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil && got == 0 {
			err = syscall.EAGAIN
		}
		return s, err
	}
}
