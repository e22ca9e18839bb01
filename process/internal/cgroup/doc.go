// Package cgroup gives processes control groups of their own below that of this process, see cgroups(7). It knows version 2 only.
//
// [Find] finds the place where groups can be made. [Home.Create] makes one with its limits; a process joins by writing "0" to
// its procs file. [Group.Kill] kills all in it at one time, and [Group.Remove] removes it.
package cgroup

// Limits are what all processes of a group together may use; 0 means no limit.
type Limits struct {
	Pids   uint64  // processes and threads
	Memory uint64  // bytes, with what is swapped out
	CPUs   float64 // processors: 1.5 is the time of one and a half
}
