//go:build linux || freebsd

package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sweepPause is the time between the death of an orphan and its burial: nobody waits for it, and a thousand children that
// end are then a few looks and not a thousand.
const sweepPause = 50 * time.Millisecond

// reapOrphans sweeps after children have ended. The kernel tells of no end but by SIGCHLD where nobody knew the process.
func reapOrphans(sweep func()) {
	for {
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGCHLD)
		sweep()
		<-ended
		signal.Stop(ended) // the thousandth end wakes nobody
		time.Sleep(sweepPause)
	}
}

// join makes pid the main process of f.
func (f *family) join(pid int) {
	families.mu.Lock()
	defer families.mu.Unlock()
	f.know(pid)
}

// succeed makes k, a member, the main process of f, and returns its handle. Nobody reaps it between the one and the other: its
// status is not an orphan's.
func (f *family) succeed(k descendant) (*handle, error) {
	families.mu.Lock()
	defer families.mu.Unlock()
	h, err := k.open()
	if err == nil {
		f.know(k.pid)
	}
	return h, err
}
