//go:build unix && !linux

package process

import "syscall"

// fork runs the program and returns once that is certain: a signal after it reaches the program and not our copy.
func fork(path string, argv []string, attr *syscall.ProcAttr, outlive bool) (*handle, error) {
	if !outlive {
		killWithParent(attr.Sys)
	}
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return nil, err
	}
	return &handle{pid: pid, fd: -1}, nil
}

func hasChroot(sys *syscall.SysProcAttr) bool { return sys != nil && sys.Chroot != "" }
