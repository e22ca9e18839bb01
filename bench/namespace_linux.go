package main

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of all descendants that lose theirs.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// firstProcess makes the command the first process of a PID namespace, by way of this program.
func firstProcess(cmd *exec.Cmd, self string) {
	cmd.Args = append([]string{self, childCommand, "pid1", cmd.Path}, cmd.Args...)
	cmd.Path = self
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
}

// mountProc gives a namespace of its own its own /proc.
func mountProc() error {
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	return unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}
