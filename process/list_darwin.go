package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// zombie is SZOMB of sys/proc.h.
const zombie = 5

// listGroup counts what is alive in a process group.
func listGroup(pgid int) (alive int, err error) {
	members, err := unix.SysctlKinfoProcSlice("kern.proc.pgrp", pgid)
	for _, m := range members {
		if m.Proc.P_stat != zombie {
			alive++
		}
	}
	return alive, os.NewSyscallError("sysctl", err)
}
