package lastcall

import (
	"fmt"
	"time"
)

// EventKind tells what an [Event] reports.
type EventKind uint8

const (
	// EventState: the worker entered Event.State.
	EventState EventKind = iota
	// EventReadiness: a ready worker called [Unready] (Event.Reason says why) or [Ready] again (Reason is empty).
	EventReadiness
	// EventLameDuck: the group begins to stop; it serves on for Event.Delay and is no longer ready.
	EventLameDuck
	// EventAwaiting: the group is starting or stopping, as Event.State says, and waits for Event.Awaited. Sent at growing
	// intervals.
	EventAwaiting
	// EventPanic: the worker panicked or called runtime.Goexit, just now: Event.Err, Event.Stacks. Its end follows.
	EventPanic
	// EventLeak: every worker returned, and a goroutine that this worker started is still there; Event.Stacks shows it.
	EventLeak
	// EventLost: every worker returned, and work that this one had accepted was not done; Event.Err, of kind [ErrLost], says
	// how much and why.
	EventLost
	// EventReload: the reload function returned, with Event.Err.
	EventReload
	// EventRejected: a worker could not be added to a running group; Event.Err says why.
	EventRejected
)

var eventKindNames = [...]string{"state", "readiness", "lame duck", "awaiting", "panic", "leak", "lost", "reload", "rejected"}

// String is the kind's name in lower case.
func (k EventKind) String() string {
	if int(k) < len(eventKindNames) {
		return eventKindNames[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// An Event is one thing that happened to a worker or to a group. Logs, metrics, the status page and the terminal
// display are listeners on events and nothing else.
//
// A group calls its listener while the goroutine that made the change waits, one event at a time, in order, and never
// under a lock: a listener may call [Group.Report]. It must not wait for a worker. The calls come on changing
// goroutines. A listener that panics or calls runtime.Goexit is logged, and still gets the next event.
type Event struct {
	Time     time.Time
	Name     string        // the worker's path; "" is the group itself, where it is not inside another
	Kind     EventKind     // what happened
	State    State         // the state that was entered, or the one the worker is in
	Cause    *StopCause    // why, where a stop is the reason; else nil
	Err      error         // what the worker returned, how it panicked, or, as a [WorkerError], that it was cut or abandoned
	InFlight int           // units of work under way, at StateStopping and StateCut
	Attempt  int           // StateRestarting: the number of this restart, from 1
	Delay    time.Duration // EventLameDuck: how long; StateRestarting: until the restart
	Took     time.Duration // StateReady: since its start; StateCut and the ends: since its soft stop, or else its start
	Reason   string        // EventReadiness: why not ready
	Awaited  []Awaited     // EventAwaiting: the workers, the longest awaited first
	Stacks   string        // EventPanic, EventLeak and StateAbandoned: of the goroutines that it is about
}
