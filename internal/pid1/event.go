//go:build unix

package pid1

import (
	"syscall"

	"github.com/lastcall-go/lastcall/process"
)

// An event is what happens to the program or to a signal, for the messages of the init in whose place this one is.
type event struct {
	kind   eventKind
	signal syscall.Signal
	exit   process.Exit // for spawned only its PID
}

type eventKind uint8

const (
	detached  eventKind = iota // the terminal was given up for the program's session
	spawned                    // the program runs
	received                   // a signal came
	handOff                    // it came because the terminal was given up, and is not handed on
	forwarded                  // it was handed on as signal
	dropped                    // it was rewritten to nothing
	halting                    // this process stops itself
	reaped                     // a process that is not the program has ended
	ended                      // the program has
)

// tell passes on an event. lastcall run itself tells what became of each signal.
func (r *runner) tell(e event) {
	switch {
	case r.observe != nil:
		r.observe(e)
	case !r.Verbose:
	case e.kind == forwarded:
		r.say("%s: handed on", process.SignalName(e.signal))
	case e.kind == dropped:
		r.say("%s: dropped", process.SignalName(e.signal))
	}
}
