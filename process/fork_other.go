//go:build unix && !linux

package process

import (
	"os"
	"syscall"
)

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

// takeUser takes the change of the user out of what fork does, for the child to do itself; nil if there is none.
func takeUser(sys *syscall.SysProcAttr) *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	cred := sys.Credential
	sys.Credential = nil
	return cred
}

// deathSignal is 0: on this system what fork sets outlasts the change of the user, or there is nothing to set.
func deathSignal(*syscall.SysProcAttr, bool) syscall.Signal { return 0 }
