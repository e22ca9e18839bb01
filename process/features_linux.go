package process

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Features is what this system has of what this package uses. It looks without changing anything.
func Features() []Feature {
	var proc error
	if _, ok := statOf(self); !ok {
		proc = errors.New("/proc is not mounted, or hides this process")
	}
	var is int32
	reaper := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&is)), 0, 0, 0)
	exits := "pidfd"
	if !hasPidfds() {
		exits = "waitid(2) and kill(2), with a thread for each child: the kernel is old, or a filter refuses pidfds"
	}
	search := "/proc/PID/task/TID/children"
	if _, err := os.Stat(orphansList); err != nil {
		search = "the status of every process: the kernel has no lists of children (CONFIG_PROC_CHILDREN)"
	}
	return []Feature{
		feature("exits", "the end of a process is an event", exits, nil),
		feature("reaper", "orphans come to this process", "PR_SET_CHILD_SUBREAPER", reaper),
		feature("family", "descendants that left group or session are found", search, proc),
		feature("pdeathsig", "children die with this process", "PR_SET_PDEATHSIG", nil),
		feature("credentials", "who sends to NOTIFY_SOCKET is checked", "SO_PASSCRED", nil),
		feature("leftovers", "what outlived an earlier supervisor is found", "/proc/PID/environ", proc),
		feature("usage", "processor time and memory of a family", "/proc/PID/stat", proc),
		feature("limits", "nofile, core, memory and cpu time of each process, number of processes", "setrlimit", nil),
		feature("cgroups", "limits of a family together, which is killed at one time", "cgroup v2", new(Cgroup).Check()),
		feature("rights", "rights are given up: no_new_privs, capabilities", "PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP", nil),
	}
}
