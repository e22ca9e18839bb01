//go:build unix && !(linux && (amd64 || arm64))

package allsignals

import (
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signals are all signals that can be caught. None is lost: each has a channel of its own with room for one, so that one
// that does not fit is pending already, and equal ones that are pending may merge (signal(7)).
type Signals struct {
	cases   []reflect.SelectCase // one a signal; the last is what else is waited for
	numbers []syscall.Signal
	queues  []chan os.Signal
	ignored Set
}

// own are not caught: they are about this process, or the runtime's. SIGURG is how that preempts its goroutines; it never delivers
// SIGPROF; 32 to 34 it lets nobody catch.
var own = []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPROF}

// Catch catches the signals from now on, also those that were ignored when this process started: a program that handles them is to have
// them. It is to be called first of all.
func Catch() *Signals {
	s := new(Signals)
	for n := syscall.Signal(1); n <= lastSignal; n++ {
		if slices.Contains(own, n) || n >= 32 && n <= 34 || unix.SignalName(n) == "" && !isRealTime(n) {
			continue
		}
		if signal.Ignored(n) {
			s.ignored |= Of(n)
		}
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, n)
		s.add(n, ch)
	}
	s.cases = append(s.cases, reflect.SelectCase{Dir: reflect.SelectRecv})
	return s
}

func (s *Signals) add(n syscall.Signal, ch chan os.Signal) {
	s.numbers = append(s.numbers, n)
	s.queues = append(s.queues, ch)
	s.cases = append(s.cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)})
}

// Ignored are the signals that this process was started to ignore, as far as the Go runtime tells.
func (s *Signals) Ignored() Set { return s.ignored }

// Ignore ignores these, which Ignored has, so that a program that is started inherits that. Catch them again when it runs.
func (s *Signals) Ignore(set Set) { set.each(func(sig syscall.Signal) { signal.Ignore(sig) }) }

// CatchAgain ends what Ignore began.
func (s *Signals) CatchAgain(set Set) {
	for i, n := range s.numbers {
		if set.Has(n) {
			signal.Notify(s.queues[i], n)
		}
	}
}

// Next waits for a signal, or for done, when it returns 0. byKernel is for systems that tell who sent it.
func (s *Signals) Next(done <-chan struct{}) (sig syscall.Signal, byKernel bool) {
	s.cases[len(s.numbers)].Chan = reflect.ValueOf(done)
	i, _, _ := reflect.Select(s.cases)
	if i == len(s.numbers) {
		return 0, false
	}
	return s.numbers[i], false
}

// TellsSender: Next does not know whether the kernel sent a signal.
const TellsSender = false

// Quietly calls fn while sig is ignored.
func (s *Signals) Quietly(sig syscall.Signal, fn func()) {
	if signal.Ignored(sig) {
		fn()
		return
	}
	s.Ignore(Of(sig))
	fn()
	s.CatchAgain(Of(sig))
}

// ByDefault calls fn while sig does what it does by default.
func ByDefault(sig syscall.Signal, fn func()) {
	signal.Reset(sig)
	fn()
}

// lastSignal is the highest number that package os/signal knows.
const lastSignal syscall.Signal = 64

// isRealTime reports whether n is a real-time signal that package os/signal can catch.
func isRealTime(n syscall.Signal) bool { return runtime.GOOS == "linux" && n > 34 && n <= 64 }
