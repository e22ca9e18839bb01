//go:build unix && !linux

package check

import "syscall"

// adoptOrphans has nothing to do: orphans are init's here, and nobody tells of them.
func adoptOrphans() {}

func killWithParent(*syscall.SysProcAttr) {}

// ownNamespace is not asked for here, see the scenario pid1.
func ownNamespace(*syscall.SysProcAttr) {}

func inside(string) {}

// killAll kills the daemon's process group; what left it is out of reach.
func killAll(_, daemon int) { _ = syscall.Kill(-daemon, syscall.SIGKILL) }

func nameThread(string) {}

func noNamespace() string { return "this system has none" }
