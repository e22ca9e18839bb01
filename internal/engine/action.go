package engine

import (
	"time"
)

// ActionKind tells what an [Action] asks for.
type ActionKind uint8

const (
	// Added: the replica exists; Member and Index say where, and Op for which operation. For a member that was added without replicas, Replica is -1.
	Added ActionKind = iota
	// Enter: the replica entered Phase. Starting asks to run its function, Stopping to end its soft context, Cut to end its
	// hard context, Abandoned to wait for it no longer. Engine.Plan tells the times of a stop.
	Enter
	// Overdue: the replica was not ready in time. What follows from it comes in other actions.
	Overdue
	// Moved: the times of the replica's stop are others now.
	Moved
	// Turn: the group entered GroupPhase.
	Turn
	// GroupReady: every member is ready, or was, or is not waited for any more. It comes once.
	GroupReady
	// GroupCut: the whole group was cut. It comes once.
	GroupCut
	// Done: the operation Op has ended with Result. It comes once for each.
	Done
	// Forget: the replica, and with Member >= 0 its member, exist no more.
	Forget
	// Remind: the group has been starting or stopping for a while.
	Remind
)

// Result is how an operation ended.
type Result uint8

const (
	OK        Result = iota
	NotReady         // what was started did not become ready
	Leaving          // the group stops
	Unknown          // there is no such member or replica
	Busy             // the member is being replaced, scaled or removed
	InUse            // Action.Member depends on it
	Withdrawn        // by Withdraw
)

var resultNames = [...]string{"OK", "NotReady", "Leaving", "Unknown", "Busy", "InUse", "Withdrawn"}

// An Action is something to be done or told, in the order of the actions. Which fields are set depends on Kind.
type Action struct {
	Kind    ActionKind
	Phase   Phase
	Group   GroupPhase
	Result  Result
	Replica ReplicaID
	Member  MemberID
	Index   int32
	Attempt Attempt
	Op      OpID
	Cause   *Cause        // why it stops
	Err     any           // Enter: what the attempt ended with
	Owned   bool          // Enter: the end is the business of an operation, and not of the group
	Delay   time.Duration // Enter Restarting: the back-off; Turn GroupLameDuck: how long it lasts
}
