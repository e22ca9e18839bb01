//go:build unix && !(linux && (amd64 || arm64))

package pid1

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
}

// own are not handed on: they are about this process, or the runtime's. SIGURG is how that preempts its goroutines; 32 to 34 it
// lets nobody catch.
var own = []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, syscall.SIGURG}

// Catch catches the signals from now on. One that was ignored when this process started, by nohup for example, stays
// ignored, here and in the program. It is to be called first of all.
func Catch() *Signals {
	s := new(Signals)
	for n := syscall.Signal(1); n <= lastSignal; n++ {
		if slices.Contains(own, n) || n >= 32 && n <= 34 || signal.Ignored(n) || unix.SignalName(n) == "" && !isRealTime(n) {
			continue
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

// next waits for a signal, or for done, when it returns 0. byKernel is for systems that tell who sent it.
func (s *Signals) next(done <-chan struct{}) (sig syscall.Signal, byKernel bool) {
	s.cases[len(s.numbers)].Chan = reflect.ValueOf(done)
	i, _, _ := reflect.Select(s.cases)
	if i == len(s.numbers) {
		return 0, false
	}
	return s.numbers[i], false
}

// tellsSender: next does not know who sent a signal.
const tellsSender = false

// quietly calls fn while sig is ignored.
func (s *Signals) quietly(sig syscall.Signal, fn func()) {
	if signal.Ignored(sig) {
		fn()
		return
	}
	signal.Ignore(sig)
	fn()
	for i, n := range s.numbers {
		if n == sig {
			signal.Notify(s.queues[i], sig)
		}
	}
}

// byDefault calls fn while sig does what it does by default.
func byDefault(sig syscall.Signal, fn func()) {
	signal.Reset(sig)
	fn()
}

// lastSignal is the highest number that package os/signal knows.
const lastSignal syscall.Signal = 64

// isRealTime reports whether n is a real-time signal that package os/signal can catch.
func isRealTime(n syscall.Signal) bool { return runtime.GOOS == "linux" && n > 34 && n <= 64 }
