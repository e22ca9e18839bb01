package process

import "syscall"

// killWithParent has the child killed when this process ends, see procctl(2), PROC_PDEATHSIG_CTL.
func killWithParent(sys *syscall.SysProcAttr) {
	if sys.Pdeathsig == 0 {
		sys.Pdeathsig = syscall.SIGKILL
	}
}
