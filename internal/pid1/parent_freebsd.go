package pid1

import "syscall"

// setParentDeath has the child get sig when this process dies.
func setParentDeath(sys *syscall.SysProcAttr, sig syscall.Signal) { sys.Pdeathsig = sig }

// dieWithParent is for Linux, where tini is.
func dieWithParent(syscall.Signal) bool { return false }

// isSubreaper reports whether orphans come to this process without its asking: not here.
func isSubreaper() bool { return false }
