//go:build unix

package process

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// A child inherits what the Go runtime left of what this process was started with: it unblocks some signals, and takes most that were ignored
// for its own, before any code in Go runs. A child that is to have something else is prepared.
//
// What was there before the runtime is seen only by lastcall_entry, where that is the entry point of the program: go build -ldflags
// '-E lastcall_entry', on Linux for amd64 and arm64. Otherwise startMask is what the runtime left, and startIgnored is empty.

// lastIgnored is the highest signal that package os/signal knows.
const lastIgnored = 64

// leftAlone are signals that the Go runtime leaves as they are, and knows nothing of.
var leftAlone = []syscall.Signal{syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// ignored are the signals that this process ignores, a bit each.
func ignored() (set uint64) {
	for sig := syscall.Signal(1); sig <= lastIgnored; sig++ {
		if signal.Ignored(sig) || slices.Contains(leftAlone, sig) && isIgnored(sig) {
			set |= 1 << (sig - 1)
		}
	}
	return set
}

// signals are those that the child is to have blocked, those whose default action it is to have although this process ignores them, and
// those that it is to ignore although this process does not.
func (p *Process) signals() (mask, reset, ignore uint64) {
	switch {
	case p.InheritSignals:
		mask = startMask
		for sig := syscall.Signal(1); sig <= lastIgnored; sig++ {
			if bit := uint64(1) << (sig - 1); startIgnored&bit != 0 && !isIgnored(sig) {
				ignore |= bit
			}
		}
	case !p.InheritIgnored:
		reset = ignored()
	}
	return mask, reset, ignore
}

// setsSignals reports whether a child would inherit something else.
func (p *Process) setsSignals() bool {
	mask, reset, ignore := p.signals()
	return mask != ownMask || reset != 0 || ignore != 0
}

// canPrepare reports whether a child can be prepared at all. Where it cannot, one that would need it for its signals alone inherits them.
func canPrepare() bool {
	_, err := executable()
	return err == nil && os.Getuid() == os.Geteuid() && os.Getgid() == os.Getegid()
}

// setSignals is the step, on the thread that becomes the program. A signal that this process handles has its default action there.
func setSignals(mask, reset, ignore uint64) {
	for sig := syscall.Signal(1); sig <= lastIgnored; sig++ {
		switch bit := uint64(1) << (sig - 1); {
		case reset&bit != 0:
			signal.Notify(make(chan os.Signal, 1), sig)
		case ignore&bit != 0:
			setIgnored(sig)
		}
	}
	setMask(mask)
}
