//go:build unix

package check

import (
	"syscall"
	"time"
)

// freezeAll freezes the daemon and its descendants, as the freezer of a container does, and returns when they stand still.
func (l *life) freezeAll() {
	l.note(time.Now(), KindSignal, "SIGSTOP")
	l.send(syscall.SIGSTOP)
	for limit := time.Now().Add(l.r.Grace); time.Now().Before(limit) && !l.hasExited(); time.Sleep(time.Millisecond) {
		still := true
		for _, t := range threadsOf(descendants(l.k.pid)) {
			if t.State != 'T' {
				still = false
				_ = syscall.Kill(t.PID, syscall.SIGSTOP)
			}
		}
		if still {
			return
		}
	}
}

// thawAll is the end of freezeAll.
func (l *life) thawAll() {
	l.note(time.Now(), KindSignal, "SIGCONT")
	l.send(syscall.SIGCONT)
	for _, p := range descendants(l.k.pid) {
		if !p.Zombie {
			_ = syscall.Kill(p.PID, syscall.SIGCONT)
		}
	}
}
