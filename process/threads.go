package process

import (
	"runtime"
	"sync"
)

// stopThreads is how many threads a stop needs besides one for each processor that the runtime uses: those of the runtime's own (its
// monitor, the one that makes threads, the one that hears signals), the one that makes children, those that are in system calls for
// children (see slots), and those that write output and answer requests.
const stopThreads = 10

// ReserveThreads makes the threads that a stop needs, and bounds to a number of processors what the Go runtime uses at one time, as
// it wants a thread for each.
//
// A program that shares a limit of processes with its children (a pids limit, RLIMIT_NPROC) can make no thread where these have
// used it up, and the Go runtime ends the program when it needs one: in the middle of a stop, as a rule. It uses idle threads first.
// An idle thread costs some kilobytes, never wakes up, and stays. So a program that may run such children calls this before it
// starts any, as lastcall run and lastcall up do.
func ReserveThreads(processors int) {
	if runtime.GOMAXPROCS(0) > processors {
		runtime.GOMAXPROCS(processors)
	}
	n := runtime.GOMAXPROCS(0) + stopThreads
	var held sync.WaitGroup
	release := make(chan struct{})
	for range n {
		if made, _ := runtime.ThreadCreateProfile(nil); made >= n {
			break
		}
		has := make(chan struct{})
		held.Go(func() {
			runtime.LockOSThread() // no two have the same
			close(has)
			<-release
			runtime.UnlockOSThread()
		})
		<-has
	}
	close(release)
	held.Wait()
}
