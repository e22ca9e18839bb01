//go:build unix

package process

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"time"
)

// sweepPause is the time between the death of an orphan and its burial: nothing waits for it, and a thousand children that
// end are then a few looks and not a thousand.
const sweepPause = 50 * time.Millisecond

// adoptOrphans makes this process the parent of its descendants' orphans, and sees to it that they are reaped. It reports whether it is.
func (r *registry) adoptOrphans() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.adopted {
		return true
	}
	if err := r.adopt(); err != nil && !errors.Is(err, syscall.EBUSY) { // EBUSY: it does that already
		return false
	}
	r.adopted = true
	r.beginReaping()
	return true
}

// reapOthers is Reap. FreeBSD lists those of the nearest reaper, which need not be this process.
func (r *registry) reapOthers(told func(Exit)) {
	tells := runtime.GOOS == "linux" && !r.find().reapFirst()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = told
	if tells {
		r.beginReaping()
	}
}

// beginReaping begins to reap orphans, unless that has begun. The caller has the lock.
func (r *registry) beginReaping() {
	if !r.reaping {
		r.reaping = true
		service(r.reapOrphans)
	}
}

// reapOrphans sweeps after children have ended. The kernel tells of no end but by SIGCHLD where no handle of the process was open.
func (r *registry) reapOrphans() {
	for {
		ended, stop := r.children()
		r.find().sweep()
		if !r.awaitChild(ended) {
			stop()
			return
		}
		stop()
		time.Sleep(sweepPause)
	}
}

func (r *registry) awaitChild(ended <-chan os.Signal) bool {
	select {
	case <-ended:
		return true
	case <-r.over:
		return false
	}
}
