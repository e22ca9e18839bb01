package engine

import (
	"slices"
	"time"
)

// Time is the time since the group began. Zero means never.
type Time = time.Duration

// MemberID identifies a member. It is used again after the member's [Forget] action.
type MemberID int32

// ReplicaID identifies a replica. It is used again after the replica's [Forget] action.
type ReplicaID int32

// OpID identifies an operation. The caller chooses it.
type OpID int32

// Attempt identifies one start of a replica within its engine. Zero means that the replica has not started. An input
// that names an attempt which is over has no effect.
type Attempt uint32

// Config is what an engine knows of its group.
type Config struct {
	Grace time.Duration // from the request to stop to the hard stop, lame duck included; 0 means what Bounds leave,
	// and DefaultGrace where there are none
	DefaultGrace time.Duration
	HardStop     time.Duration // from the hard stop to the end of waiting
	LameDuck     time.Duration // from the request to stop to the soft stop
	// Random returns a number in [0, n). It shortens the back-offs.
	Random func(n int64) int64
	// Remind asks for Remind actions, at growing intervals, while the group starts and while it stops.
	Remind bool
}

// String is the constant's name.
func (r Result) String() string { return resultNames[r] }

// Engine is the state of one group. It is not safe for concurrent use.
type Engine struct {
	cfg    Config
	bounds Bounds
	phase  GroupPhase
	cause  *Cause // why the group stops
	now    Time

	replicas []replica   // by ReplicaID and by MemberID
	free     []ReplicaID // records in which nothing lives
	attempts Attempt

	running int // replicas whose function runs
	pending int // replicas that the group's readiness waits for
	open    int // replicas that keep the group from being over

	frozen   bool // nothing is started any more
	wasReady bool
	wasCut   bool
	spent    bool // the time of the stop is over, and with it the group
	ticking  bool // something may be due
	overdue  bool // something was left by then
	duckAt   Time // when the lame duck began
	stopAt   Time // when the soft stop began
	budget   budget
	linked   bool    // something depends on something, or did
	depths   []int32 // of the members; nil when they are to be measured again
	timers   timers
	backstop *timer
	remind   *timer
	lastPlan *plan
	restarts map[ReplicaID]*history

	ops      []*operation
	opsDirty bool

	queue   []ReplicaID
	at      int       // in queue
	sweep   ReplicaID // those from here on are all to be considered
	actions []Action
	piece   int // of actions, see Continue
}

// New returns the engine of a group without members.
func New(cfg Config) *Engine {
	return &Engine{cfg: cfg, restarts: map[ReplicaID]*history{}, piece: ordinaryPiece}
}

// Step takes an input at a time, which never goes back, and returns what is to be done: the first of it, and [Engine.Continue]
// the rest. Nothing else may be asked of the engine's inputs before Continue has returned nothing. The returned slice is valid
// until the next call.
func (e *Engine) Step(now Time, in Input) []Action {
	e.now = max(e.now, now)
	e.dropActions()
	e.take(in)
	e.advance()
	return e.actions
}

// Continue returns the next of what follows from the last Step, and nothing when that was all. In pieces, the stop of very
// many workers needs no memory.
func (e *Engine) Continue() []Action {
	e.dropActions()
	e.advance()
	return e.actions
}

func (e *Engine) dropActions() {
	if e.actions = e.actions[:0]; cap(e.actions) > 4*ordinaryPiece {
		e.actions = nil
	}
}

// ordinaryPiece is how many actions there are at a time, or a few more.
const ordinaryPiece = 64

// Grow makes room for n more members with a replica each.
func (e *Engine) Grow(n int) {
	e.replicas = slices.Grow(e.replicas, n)
}

func (e *Engine) take(in Input) {
	switch in := in.(type) {
	case Add:
		e.add(in)
	case Begin:
		e.begin()
	case BecameReady:
		e.becameReady(in.Replica, in.Attempt)
	case *BecameReady:
		e.becameReady(in.Replica, in.Attempt)
	case Ended:
		e.attemptEnded(&in)
	case *Ends:
		for i := range *in {
			e.attemptEnded(&(*in)[i])
		}
	case SoftStop:
		e.requestStop(in)
	case HardStop:
		e.hardStop(in.Cause)
	case Force:
		e.force(in)
	case Freeze:
		e.frozen = true
	case Bounds:
		e.bounds = in
	case Tick:
		e.ticking = true
	default:
		e.operate(in)
	}
}

// advance does what follows from what has changed, all of it or until there is a piece of actions.
func (e *Engine) advance() {
	for e.settleQueue(e.piece) {
		switch {
		case e.opsDirty:
			e.opsDirty = false
			e.reviewOps()
		case e.phase == GroupRunning && !e.wasReady && e.pending == 0:
			e.wasReady = true
			e.stopReminding()
			e.emit(Action{Kind: GroupReady})
		case e.endIfDue():
		case e.ticking:
			e.expireOne()
		default:
			if len(e.actions) == 0 { // that was all
				e.verify()
			}
			return
		}
	}
}

// endIfDue ends the group when nothing keeps it, and reports whether that has changed something.
func (e *Engine) endIfDue() bool {
	switch e.phase {
	case GroupRunning, GroupLameDuck:
		if e.open > 0 {
			return false
		}
		if e.cause == nil {
			e.cause = &Cause{Reason: Completed}
		}
	case GroupStopping:
		if e.running > 0 && !e.spent {
			return false
		}
	default:
		return false
	}
	e.timers, e.backstop, e.remind = timers{}, nil, nil
	e.turn(GroupOver, e.cause)
	e.opsDirty = true
	return true
}

// expireOne does the first thing that is due. What that sets for the same time is due as well.
func (e *Engine) expireOne() {
	if due := e.timers.due(e.now); due != nil {
		due.do()
	} else {
		e.ticking = false
	}
}

func (e *Engine) emit(a Action) { e.actions = append(e.actions, a) }

func (e *Engine) turn(to GroupPhase, cause *Cause) {
	e.phase = to
	e.emit(Action{Kind: Turn, Group: to, Cause: cause})
}

// begin starts what waits for nothing.
func (e *Engine) begin() {
	if e.phase != GroupNew {
		return
	}
	e.turn(GroupRunning, nil)
	e.sweep = 0
	if e.cfg.Remind {
		e.remindIn(firstReminder)
	}
}

const firstReminder = time.Second

// remindIn sets the next reminder; each comes after twice the time of the one before.
func (e *Engine) remindIn(d time.Duration) {
	e.stopReminding()
	e.remind = e.timers.add(e.now+d, func() {
		e.emit(Action{Kind: Remind})
		e.remindIn(2 * d)
	})
}

func (e *Engine) stopReminding() {
	e.timers.cancel(e.remind)
	e.remind = nil
}

// leaving reports whether the ends of replicas are the group's business whatever operations are under way, since nothing
// starts again.
func (e *Engine) leaving() bool { return e.frozen || e.phase >= GroupStopping }
