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
