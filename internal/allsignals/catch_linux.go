//go:build linux && (amd64 || arm64)

package allsignals

import (
	"math/bits"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Package os/signal cannot catch SIGRTMIN (34), which the Go runtime leaves to C libraries, nor SIGPROF, cannot tell the
// SIGURG that somebody sent from those by which the runtime preempts goroutines, and drops what does not fit a channel. So
// signals are caught by a handler of a few instructions below the runtime (handler_linux_*.s): it sets the signal's bit in
// caught and adds to an eventfd, neither of which can fail or fill up. Equal signals that are pending at once merge
// (signal(7)); no other is lost. What is the runtime's own business is handed on to its handler: faults of this program,
// and preemption.
//
//nolint:unused // the handler uses them
var (
	caught [2]uint64   // what has come: from processes, and from the kernel
	before [65]uintptr // the handlers that were there before, by signal
	faults = uint64(1<<(unix.SIGILL-1) | 1<<(unix.SIGTRAP-1) | 1<<(unix.SIGBUS-1) | 1<<(unix.SIGFPE-1) |
		1<<(unix.SIGSEGV-1) | 1<<(unix.SIGSTKFLT-1) | 1<<(unix.SIGSYS-1)) // raised by the kernel at an instruction
	wake int32 // the eventfd
	self int32 // this process: its own SIGPIPE is the error of a write and nobody else's business
	one  = uint64(1)
)

// handlerAddress is where the handler begins.
func handlerAddress() uintptr

// action is struct sigaction of the kernel, see rt_sigaction(2).
type action struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

const (
	defaultAction = 0
	ignoreAction  = 1
)

func sigaction(sig syscall.Signal, to, from *action) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(from)), 8, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// Signals are all signals that can be caught, but SIGCHLD, which is for package process, and the two that C libraries keep for
// themselves.
type Signals struct {
	some    chan struct{} // there are more
	pending [2]atomic.Uint64
	ours    action
	ignored Set
}

// Catch catches the signals from now on, also those that were ignored when this process started: a program that handles them is to have
// them. It is to be called first of all, and once.
func Catch() *Signals {
	s := &Signals{some: make(chan struct{}, 1)}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return s
	}
	wake, self = int32(fd), int32(os.Getpid())
	var runtimes action
	if sigaction(syscall.SIGTERM, nil, &runtimes) != nil { // its flags, and its way back from a handler
		return s
	}
	signal.Ignore(syscall.SIGPIPE) // so that the runtime does not end this process when its standard error is gone
	s.ours = runtimes
	s.ours.handler = handlerAddress()
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, 32, 33:
			continue
		}
		var old action
		if sigaction(sig, nil, &old) != nil {
			continue
		}
		if old.handler == ignoreAction && sig != syscall.SIGPIPE {
			s.ignored |= Of(sig)
		} else {
			before[sig] = old.handler
		}
		_ = sigaction(sig, &s.ours, nil)
	}
	unblock()
	go s.collect(os.NewFile(uintptr(fd), "signals"))
	return s
}

// Ignored are the signals that this process was started to ignore, as far as the Go runtime leaves that to be seen: it takes all but SIGHUP,
// SIGINT and those of job control for its own.
func (s *Signals) Ignored() Set { return s.ignored }

// Ignore ignores these, which Ignored has, so that a program that is started inherits that. Catch them again when it runs.
func (s *Signals) Ignore(set Set) {
	set.each(func(sig syscall.Signal) {
		_ = sigaction(sig, &action{handler: ignoreAction, flags: s.ours.flags, restorer: s.ours.restorer}, nil)
	})
}

// CatchAgain ends what Ignore began.
func (s *Signals) CatchAgain(set Set) {
	set.each(func(sig syscall.Signal) { _ = sigaction(sig, &s.ours, nil) })
}

// unblock sees to it that signals which were blocked when this program started come to one of its threads.
func unblock() {
	var blocked, none unix.Sigset_t
	if unix.PthreadSigmask(unix.SIG_SETMASK, nil, &blocked) == nil && blocked != none {
		runtime.LockOSThread() // for good
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
	}
}

// collect tells Next of what the handler has caught.
func (s *Signals) collect(from *os.File) {
	var count [8]byte
	for {
		if _, err := from.Read(count[:]); err != nil {
			return
		}
		for i := range s.pending {
			s.pending[i].Or(atomic.SwapUint64(&caught[i], 0))
		}
		select {
		case s.some <- struct{}{}:
		default:
		}
	}
}

// Next waits for a signal, or for done, when it returns 0. byKernel says that no process sent it, as with a terminal's.
func (s *Signals) Next(done <-chan struct{}) (sig syscall.Signal, byKernel bool) {
	for {
		for i := range s.pending {
			if set := s.pending[i].Load(); set != 0 {
				first := set & -set
				s.pending[i].And(^first)
				return syscall.Signal(bits.TrailingZeros64(first) + 1), i == 1
			}
		}
		select {
		case <-s.some:
		case <-done:
			return 0, false
		}
	}
}

// TellsSender: Next knows whether the kernel sent a signal.
const TellsSender = true

// Quietly calls fn while sig is ignored.
func (s *Signals) Quietly(sig syscall.Signal, fn func()) { withAction(sig, ignoreAction, fn) }

// ByDefault calls fn while sig does what it does by default.
func ByDefault(sig syscall.Signal, fn func()) { withAction(sig, defaultAction, fn) }

func withAction(sig syscall.Signal, handler uintptr, fn func()) {
	var old action
	if sigaction(sig, nil, &old) != nil {
		return
	}
	_ = sigaction(sig, &action{handler: handler, flags: old.flags, restorer: old.restorer}, nil)
	fn()
	_ = sigaction(sig, &old, nil)
}
