package engine

import "time"

// Phase is what a replica does.
//
//	waiting → starting → ready → stopping → cut → stopped | failed | abandoned
//
// with restarting, the back-off, between an end and the next start.
type Phase uint8

const (
	Waiting    Phase = iota // something that it depends on is not ready, or what requires it still runs
	Starting                // its function runs; it is not ready
	Ready                   // it does its job
	Stopping                // its soft stop began
	Cut                     // its hard stop came
	Stopped                 // it ended, and nothing failed
	Failed                  // it ended with a failure
	Abandoned               // it did not return after the hard stop
	Restarting              // it ended and waits for its next start
)

var phaseNames = [...]string{"Waiting", "Starting", "Ready", "Stopping", "Cut", "Stopped", "Failed", "Abandoned", "Restarting"}

// String is the constant's name.
func (p Phase) String() string { return phaseNames[p] }

// Ended reports whether the replica has ended and does not start by itself.
func (p Phase) Ended() bool { return p >= Stopped && p <= Abandoned }

// Running reports whether the function of the replica runs.
func (p Phase) Running() bool { return p >= Starting && p <= Cut }

// Wanted is what is asked of a replica.
type Wanted uint8

const (
	Run   Wanted = iota // start it, and keep it running as its policy says
	Again               // stop it, then start it again
	Down                // stop it, and keep it stopped until a Resume
	Gone                // stop it, then forget it
)

// GroupPhase is where the group is in its life.
type GroupPhase uint8

const (
	GroupNew      GroupPhase = iota // members are added; nothing has started
	GroupRunning                    // started, or starting
	GroupLameDuck                   // stopping, serving on: nothing that has never started is started
	GroupStopping                   // the soft stop began
	GroupOver                       // nothing runs any more
)

// Reason is why something stops.
type Reason uint8

const (
	Requested    Reason = iota // from outside: Cause.Detail says more
	Failure                    // a replica failed, see Cause.Replica and Cause.Err
	Essential                  // an essential replica returned
	GraceExpired               // its time was over, see Cause.After
	Restart                    // a required replica restarts, or the replica itself does
	Replaced                   // another replica has taken its place
	Completed                  // every replica has ended
)

// Cause is why something stops. It is not changed once it is part of an action.
type Cause struct {
	Reason  Reason
	Hard    bool
	Replica ReplicaID     // Failure, Essential, Restart, Replaced: whose end it was
	Err     any           // Failure: what Ended or Late said
	After   time.Duration // GraceExpired: how long it had
	Detail  any           // Requested: passed through
}
