package pid1

import "syscall"

// setParentDeath has the child get sig when this process dies.
func setParentDeath(sys *syscall.SysProcAttr, sig syscall.Signal) { sys.Pdeathsig = sig }
