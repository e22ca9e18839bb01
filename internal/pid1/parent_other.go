//go:build unix && !linux && !freebsd

package pid1

import "syscall"

// setParentDeath does nothing: this system tells no child that its parent has ended.
func setParentDeath(*syscall.SysProcAttr, syscall.Signal) {}

// dieWithParent is for Linux, where tini is.
func dieWithParent(syscall.Signal) bool { return false }

// isSubreaper reports whether orphans come to this process without its asking: not here.
func isSubreaper() bool { return false }
