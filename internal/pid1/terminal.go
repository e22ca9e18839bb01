//go:build unix

package pid1

import (
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/internal/allsignals"
)

// A terminal is the controlling one, if this process was started in its foreground. The program then stays in the process
// group of this process, with everybody else of its job: the terminal's signals reach the program by themselves, it may
// read, and a pipeline or a script around it is stopped and let go on with it, as if this process were not there. This
// process leaves those signals alone, and only follows the program when it stops.
//
// Where signals go to the program's whole group it must have one of its own, which then gets the foreground.
//
// Where the system does not tell who sent a signal, those of the terminal that come while this process is in its foreground are taken
// to come from there: kill -INT of this process from elsewhere does nothing then, and kill -TERM stops the program.
//
// A nil terminal is none.
type terminal struct {
	fd      int
	signals *allsignals.Signals
	own     int // the process group of this process
	program int // that of the program; own where it is shared, 0 before it runs
}

// terminalSignals are those that a terminal sends to all of its foreground.
var terminalSignals = []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGWINCH}

// foreground returns the terminal if this process is in its foreground.
func foreground(s *allsignals.Signals) *terminal {
	t := &terminal{signals: s, own: unix.Getpgrp()}
	for t.fd = range 3 {
		if pgrp, ok := t.foreground(); ok {
			if pgrp == t.own {
				return t
			}
			return nil
		}
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	t.fd = fd
	if pgrp, ok := t.foreground(); ok && pgrp == t.own {
		return t
	}
	unix.Close(fd)
	return nil
}

// foreground is the process group that has the terminal.
func (t *terminal) foreground() (pgrp int, ok bool) {
	pgrp, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return pgrp, err == nil
}

// hasSent reports whether sig comes from the terminal, so that the program has it as well.
func (t *terminal) hasSent(sig syscall.Signal, byKernel bool) bool {
	if t == nil || t.program != t.own || !slices.Contains(terminalSignals, sig) {
		return false
	}
	if allsignals.TellsSender {
		return byKernel
	}
	pgrp, ok := t.foreground()
	return ok && pgrp == t.own
}

// began is called when the program runs, with its process group.
func (t *terminal) began(pgid int) {
	if t != nil {
		t.program = pgid
		t.give()
	}
}

// give makes the program's group the one in the foreground, if that of this process is. A program that wanted to read before
// was stopped for it.
func (t *terminal) give() {
	if t == nil || t.program == t.own || t.program == 0 {
		return
	}
	if pgrp, ok := t.foreground(); ok && pgrp == t.own {
		t.set(t.program)
		_ = syscall.Kill(-t.program, syscall.SIGCONT)
	}
}

// takeBack makes this process's group the one in the foreground, if the program's is.
func (t *terminal) takeBack() {
	if t == nil || t.program == t.own || t.program == 0 {
		return
	}
	if pgrp, ok := t.foreground(); ok && pgrp == t.program {
		t.set(t.own)
	}
}

// set is tcsetpgrp(3), which a process in the background may do only while it ignores SIGTTOU.
func (t *terminal) set(pgrp int) {
	t.signals.Quietly(syscall.SIGTTOU, func() { _ = unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, pgrp) })
}

// halt stops this process as sig has stopped the program, so that the shell sees it. Where no shell is there that could let them
// go on, the kernel stops no job either.
func (t *terminal) halt(sig syscall.Signal) {
	if sid, err := unix.Getsid(0); err != nil || sid == t.own {
		if t.program != t.own {
			_ = syscall.Kill(-t.program, syscall.SIGCONT)
		}
		return
	}
	if t.program == t.own { // the others of the job have it from where the program has it
		allsignals.ByDefault(sig, func() { allsignals.Raise(sig) })
		return
	}
	if pgrp, ok := t.foreground(); ok && pgrp == t.program && (sig == syscall.SIGTTIN || sig == syscall.SIGTTOU) {
		_ = syscall.Kill(-t.program, syscall.SIGCONT) // it has the terminal by now
		return
	}
	t.takeBack()
	_ = syscall.Kill(0, syscall.SIGSTOP) // when that takes effect, nobody knows; SIGCONT, which ends it, is handed on
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
