//go:build unix

package process

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// A child inherits what this process was started with: the signals that were blocked, and of those that are ignored the ones that the Go
// runtime leaves so. A child that is to have neither is prepared.

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

// signals are those that the child is to have blocked, and those whose default action it is to have although this process ignores them.
func (p *Process) signals() []uint64 {
	var mask, reset uint64
	if p.InheritMask {
		mask = startMask
	}
	if !p.InheritIgnored {
		reset = ignored()
	}
	return []uint64{mask, reset}
}

// setsSignals reports whether a child would inherit something else.
func (p *Process) setsSignals() bool {
	return !p.InheritMask && startMask != 0 || !p.InheritIgnored && ignored() != 0
}

// canPrepare reports whether a child can be prepared at all. Where it cannot, one that would need it for its signals alone inherits them.
func canPrepare() bool {
	_, err := executable()
	return err == nil && os.Getuid() == os.Geteuid() && os.Getgid() == os.Getegid()
}

// setSignals is the step, on the thread that becomes the program. A signal that this process handles has its default action there.
func setSignals(mask, reset uint64) {
	for sig := syscall.Signal(1); sig <= lastIgnored; sig++ {
		if reset&(1<<(sig-1)) != 0 {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
	setMask(mask)
}
