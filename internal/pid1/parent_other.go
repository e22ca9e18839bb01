//go:build unix && !linux && !freebsd

package pid1

import "syscall"

// setParentDeath does nothing: this system tells no child that its parent has ended.
func setParentDeath(*syscall.SysProcAttr, syscall.Signal) {}
