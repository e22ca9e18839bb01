package engine

// An Input is something that happened or that is asked for.
type Input interface{ input() }

type (
	// Add puts a member with n replicas into the group. The Added actions tell the identifiers. A member without replicas is
	// parked: the group goes on while there is one.
	Add struct {
		Spec     Spec
		Replicas int
		Indices  []int // of the replicas; nil means 0, 1, ...
	}
	// Begin starts the group.
	Begin struct{}
	// BecameReady says that an attempt is ready.
	BecameReady struct {
		Replica ReplicaID
		Attempt Attempt
	}
	// Ended says that the function of an attempt has returned.
	Ended struct {
		Replica ReplicaID
		Attempt Attempt
		Failed  bool // an error, a panic; work that the hard stop cut is no failure
		Final   bool // a restart cannot mend it
		Err     any  // passed through
	}
	// Ends are several at the same time; a pointer to them is the input.
	Ends []Ended
	// SoftStop asks for the stop of the group, after its lame duck unless Now is set.
	SoftStop struct {
		Cause Cause
		Now   bool
	}
	// HardStop cuts everything, and shares the rest of the time among what has still to stop.
	HardStop struct{ Cause Cause }
	// Force abandons everything that runs.
	Force struct{ Cause Cause }
	// Freeze says that a group around this one stops: nothing is started any more. The SoftStop follows in its turn.
	Freeze struct{}
	// Bounds says when the group around this one cuts and abandons it. Zero means that it does not.
	Bounds struct{ HardAt, AbandonAt Time }
	// Tick does what is due at its time, see Engine.Next. Nothing else does.
	Tick struct{}

	// Suspend stops a member, or one replica of it, and keeps it stopped. What requires it stops before it, and starts
	// again when it does. A replica that has ended already stays as it ended.
	Suspend struct {
		Op     OpID
		Member MemberID
		Index  int // of the replica; All for all
	}
	// Resume starts what was suspended or has ended, and ends its back-off.
	Resume struct {
		Op     OpID
		Member MemberID
		Index  int
	}
	// Recycle stops a member, or one replica of it, and starts it again, however it ended. What requires it follows.
	Recycle struct {
		Op     OpID
		Member MemberID
		Index  int
	}
	// Replace starts a replica with a new Spec beside each named one, one after another. When the new one is ready it
	// takes the place of the old one, which is stopped and forgotten. If it does not become ready, it is stopped and
	// forgotten itself, and the old one stays. Once all replicas have been replaced with the same Spec, at once or one by
	// one, those to come have it too.
	Replace struct {
		Op     OpID
		Member MemberID
		Index  int
		Spec   Spec
	}
	// Remove stops a member, or one replica of it, and forgets it. It is refused while something that has not ended depends on
	// the member, unless other replicas stay.
	Remove struct {
		Op     OpID
		Member MemberID
		Index  int
	}
	// Scale sets the number of a member's replicas. New ones have the lowest free indices, see Engine.NewIndices, and count for
	// what depends on the member once they are ready. If one does not become ready, all that this input made are stopped and
	// forgotten. Those with the highest indices go. With 0 the member is parked, see Add.
	Scale struct {
		Op       OpID
		Member   MemberID
		Replicas int
	}
	// Withdraw ends an operation that its caller has given up. Replicas that have not taken their place are stopped and forgotten,
	// and then the operation is done; everything else goes on.
	Withdraw struct{ Op OpID }
)

// All names all replicas of a member.
const All = -1

func (Add) input() {}

func (Begin) input() {}

func (BecameReady) input() {}

func (Ended) input() {}

func (*Ends) input() {}

func (SoftStop) input() {}

func (HardStop) input() {}

func (Force) input() {}

func (Freeze) input() {}

func (Bounds) input() {}

func (Tick) input() {}

func (Suspend) input() {}

func (Resume) input() {}

func (Recycle) input() {}

func (Replace) input() {}

func (Remove) input() {}

func (Scale) input() {}

func (Withdraw) input() {}
