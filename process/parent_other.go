//go:build unix && !linux && !freebsd

package process

import "syscall"

// killWithParent does nothing: this system tells no child that its parent has ended.
func killWithParent(*syscall.SysProcAttr) {}
