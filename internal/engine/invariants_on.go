//go:build race || invariants

package engine

import "fmt"

// verifyEnter panics at a change of phase that there must not be.
func verifyEnter(r *replica, to Phase) {
	if legal[r.phase]&(1<<to) == 0 {
		panic(fmt.Sprintf("engine: a replica went from %v to %v", r.phase, to))
	}
}

var legal = [...]uint16{
	Waiting:    1<<Starting | 1<<Stopped,
	Starting:   1<<Ready | 1<<Stopping | 1<<Stopped | 1<<Failed | 1<<Restarting | 1<<Waiting,
	Ready:      1<<Stopping | 1<<Stopped | 1<<Failed | 1<<Restarting | 1<<Waiting,
	Stopping:   1<<Cut | 1<<Stopped | 1<<Failed | 1<<Restarting | 1<<Waiting,
	Cut:        1<<Abandoned | 1<<Stopped | 1<<Failed | 1<<Restarting | 1<<Waiting,
	Stopped:    1 << Waiting,
	Failed:     1 << Waiting,
	Abandoned:  1 << Waiting,
	Restarting: 1<<Starting | 1<<Stopped,
}

// verify recounts everything that is counted, and panics where a count is wrong or something is due that was not done.
func (e *Engine) verify() {
	if err := e.recount(); err != nil {
		panic("engine: " + err.Error())
	}
}
