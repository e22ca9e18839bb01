//go:build unix

package pid1

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminal is the controlling terminal, as long as this process has it: what the shell gave it in the foreground is the program's.
// A nil terminal is none.
type terminal struct {
	fd      int
	signals *Signals
	own     int // the process group of this process
	program int // that of the program
}

// foreground returns the terminal if this process is in its foreground; the program is then to be started there.
func foreground(s *Signals) *terminal {
	for fd := range 3 {
		if pgrp, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil {
			if own := unix.Getpgrp(); pgrp == own {
				return &terminal{fd: fd, signals: s, own: own}
			}
			return nil
		}
	}
	return nil
}

// give makes the program's process group the one in the foreground, if this process is there.
func (t *terminal) give() {
	if t == nil {
		return
	}
	if pgrp, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP); err == nil && pgrp == t.own {
		t.set(t.program)
	}
}

// takeBack makes this process's group the one in the foreground, if the program's is.
func (t *terminal) takeBack() {
	if t == nil || t.program == 0 {
		return
	}
	if pgrp, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP); err == nil && pgrp == t.program {
		t.set(t.own)
	}
}

// set is tcsetpgrp(3), which a process in the background may do only while it ignores SIGTTOU.
func (t *terminal) set(pgrp int) {
	t.signals.quietly(syscall.SIGTTOU, func() { _ = unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, pgrp) })
}

// resume lets the program go on, in the foreground if this process is there.
func (t *terminal) resume() {
	t.give()
	_ = syscall.Kill(-t.program, syscall.SIGCONT)
}

// halt stops this process, and its job with it, as the program was stopped, so that the shell sees it; SIGCONT comes when they are to
// go on. Where no shell is there that could let them go on, which is where the kernel would not have stopped the job either, the
// program goes on.
func (t *terminal) halt() {
	if sid, err := unix.Getsid(0); err != nil || sid == t.own {
		t.resume()
		return
	}
	t.takeBack()
	_ = syscall.Kill(0, syscall.SIGSTOP)
}

// leaveSession gives up the controlling terminal, if this process leads its session, so that the program's session can have it.
// The kernel then sends SIGHUP and SIGCONT to this process, see tty_ioctl(4).
func leaveSession() (fd int, left bool) {
	if sid, err := unix.Getsid(0); err != nil || sid != os.Getpid() {
		return 0, false
	}
	if _, err := unix.IoctlGetInt(0, unix.TIOCGPGRP); err != nil {
		return 0, false
	}
	return 0, unix.IoctlSetInt(0, unix.TIOCNOTTY, 0) == nil
}
