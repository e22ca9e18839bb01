package lastcall

import "fmt"

// State is where a worker is in its life:
//
//	waiting → starting → ready → stopping → cut → stopped | failed | abandoned
//
// with restarting between failed and starting. A worker that ends by itself goes from ready to stopped or failed;
// one that returns within its grace period goes from stopping to stopped without being cut.
type State uint8

const (
	// StateWaiting: what the worker depends on is not ready yet.
	StateWaiting State = iota
	// StateStarting: the worker runs and is not ready yet.
	StateStarting
	// StateReady: the worker does its job; its dependents may start.
	StateReady
	// StateStopping: the soft stop began; the worker finishes what is in flight.
	StateStopping
	// StateCut: the hard stop came; in-flight work is being cut.
	StateCut
	// StateStopped: the worker returned, and nothing failed.
	StateStopped
	// StateFailed: the worker returned an error, panicked, or was not ready in time.
	StateFailed
	// StateAbandoned: the worker did not return even after the hard stop.
	StateAbandoned
	// StateRestarting: the worker ended and will be started again after a back-off.
	StateRestarting
)

var stateNames = [...]string{"waiting", "starting", "ready", "stopping", "cut", "stopped", "failed", "abandoned", "restarting"}

// String is the state's name in lower case, as in the list above.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Ended reports whether the worker will never run again in this run of its group.
func (s State) Ended() bool {
	return s == StateStopped || s == StateFailed || s == StateAbandoned
}

// MarshalText writes the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("lastcall: unknown state %q", text)
}
