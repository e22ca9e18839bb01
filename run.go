package lastcall

import (
	"cmp"
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// A run is one run of a group. Package engine decides what happens; the run carries it out: it has the goroutines, the contexts,
// the one lock, the one timer, and the events. Workers' goroutines report to the engine themselves, with mu held; the goroutine that
// called Run only waits: for its context, for the engine's next deadline, and for the end. So an idle group has no goroutine of its
// own.
//
// User code, listeners included, is never called with mu held: what is to be called is put off with later and emit, and done by
// unlock. Methods that end in Locked are called with mu held.
type run struct {
	group     *Group
	ctx       context.Context // Run's
	base      context.Context // its values, without its end
	parent    *attempt        // the worker that the group is in the group around it; nil at the root
	control   *control        // the signals that it is under, if it is
	prefix    string          // of the workers' paths
	labels    bool            // workers' goroutines are labelled
	label     string          // of its goroutines, which tells this tree of runs apart
	bus       *dispatcher     // the tree's
	listeners []func(Event)   // this group's, then those of the groups around it
	lameDuck  chan struct{}   // closed when the group begins to leave
	wake      chan struct{}   // wakes the goroutine that called Run
	began     time.Time
	epoch     time.Time // of the run's time, so that it is never 0
	before    int       // goroutines of the process when it began

	over     atomic.Bool // every worker has ended, and so does every context from now on
	graced   atomic.Bool // some attempt has a grace lifetime
	stopping atomic.Bool // the soft stop began; for groups in this one, which cannot lock it

	results sync.Map // of *attempt to *result: how those ended that have posted an error
	mailbox mailbox
	sources drainSources // of the workers of this group and of those in it; at the root

	mu         sync.Mutex // taken by lock, so that what was posted is read first
	engine     *engine.Engine
	members    []*member                  // by engine.ReplicaID; nil where there is none
	orders     int32                      // of the members that there have been
	byName     index                      // of members
	pools      map[string]*pool           // the members with replicas
	poolAt     map[engine.MemberID]*pool  // likewise
	adding     *member                    // of the next Added action; nil where that is of a pool
	placing    *pool                      // likewise, of a pool that has no place yet
	ops        map[engine.OpID]*operation // under way
	lastOp     engine.OpID                //
	frozen     bool                       // the engine knows that a group around this one stops
	lastCause  *engine.Cause              // of the last call of causeOf, and what it was
	lastSaid   *StopCause
	lastEnding *ending                      // of the last call of endingOf
	causes     map[*engine.Cause]*StopCause // of the present stop
	endings    map[*StopCause]*ending       // likewise
	stacks     map[string]string            // taken just before the present step
	next       engine.Time                  // for which the goroutine that called Run waits
	losses     map[string]loss              // by the worker's path; at the root
	leaks      map[string]string            // stacks of goroutines that were left behind, by their worker's path
	problems   []string                     // what was rejected
	errs       []error                      // what went wrong, in order
	cause      *StopCause                   // of the soft stop
	phase      engine.GroupPhase            //
	duckAt     int64                        // when the lame duck began, in the run's time
	stopAt     int64                        // when the soft stop began
	cutAt      int64                        // when the whole group was cut
	endedAt    int64                        // when the last worker ended
	at         int64                        // the time of the present step
	todo       []func()                     // put off until mu is unlocked
	entry      engine.BecameReady           // an input of the engine, without an allocation for each
	ends       engine.Ends                  // an input to come, see endAllLocked
	tolerated  bool                         // a worker that is optional has ended with an error
	afterwards func()                       // called when mu is unlocked, after the workers that were told have had a chance to run
	yield      bool                         // let them run first
	posted     bool                         // events were put on the bus
}

// newRun makes the run of a group whose specs have been checked. The group is locked.
func newRun(ctx context.Context, g *Group, parent *attempt, c *control) *run {
	r := &run{
		group:    g,
		ctx:      ctx,
		base:     context.WithoutCancel(ctx),
		parent:   parent,
		control:  c,
		labels:   !g.NoLabels,
		lameDuck: make(chan struct{}),
		wake:     make(chan struct{}, 1),
		began:    time.Now(),
		before:   runtime.NumGoroutine(),
		pools:    map[string]*pool{},
		poolAt:   map[engine.MemberID]*pool{},
		ops:      map[engine.OpID]*operation{},
		causes:   map[*engine.Cause]*StopCause{},
		endings:  map[*StopCause]*ending{},
	}
	r.epoch = r.began.Add(-1)
	if g.Observe != nil {
		r.listeners = append(r.listeners, g.Observe)
	}
	if parent != nil {
		above := parent.m.run
		r.prefix = parent.m.path() + "/"
		r.label, r.bus = above.label, above.bus
		r.labels = r.labels && above.labels
		r.listeners = append(r.listeners, above.listeners...)
	} else {
		r.label, r.bus = nextLabel(), new(dispatcher)
		if c != nil {
			r.listeners = append(r.listeners, c.listeners...)
		}
	}
	r.byName = newIndex(len(g.specs), func(at int) string { return r.members[at].name })
	r.engine = engine.New(r.config())
	r.addAll(g.specs)
	return r
}

// now is the run's time: nanoseconds since its epoch, never 0.
func (r *run) now() int64 { return int64(max(time.Since(r.epoch), 1)) }

// time is the run's time t as a time, zero for 0.
func (r *run) time(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return r.epoch.Add(time.Duration(t))
}

// leaving reports whether nothing may be started any more: the group stops, or one around it does.
func (r *run) leaving() bool { return r.phase >= engine.GroupStopping || r.leavingAbove() }

func (r *run) leavingAbove() bool {
	for above := r.parent; above != nil; above = above.m.run.parent {
		if above.m.run.stopping.Load() {
			return true
		}
	}
	return false
}

func (r *run) observed() bool { return len(r.listeners) > 0 }

// name is the group's own path, "" at the root.
func (r *run) name() string { return strings.TrimSuffix(r.prefix, "/") }

// named is " name" for messages about the group, empty at the root.
func (r *run) named() string {
	if r.parent == nil {
		return ""
	}
	return " " + r.parent.m.path()
}

// main runs the workers to their end.
func (r *run) main() error {
	if r.ctx.Err() != nil {
		r.softStop(r.requested())
	} else {
		select {
		case req := <-r.asked():
			r.softStop(req.cause)
		default:
			r.begin()
		}
	}
	r.wait()
	return r.end()
}

// wait returns when every worker has ended, and has the engine do what is due until then.
func (r *run) wait() {
	stop := r.ctx.Done()
	var cut, leave <-chan struct{}
	if r.parent != nil {
		cut, leave = r.parent.hard().done, r.parent.m.run.lameDuck
	}
	var timer *time.Timer
	for {
		next, over := r.tick()
		if over {
			if timer != nil {
				timer.Stop()
			}
			return
		}
		var expired <-chan time.Time
		switch {
		case next.IsZero():
		case timer == nil:
			timer = time.NewTimer(time.Until(next))
			expired = timer.C
		default:
			timer.Reset(time.Until(next))
			expired = timer.C
		}
		select {
		case <-r.wake:
		case <-expired:
		case <-stop:
			stop = nil
			r.softStop(r.requested())
		case <-leave:
			leave = nil
			r.beginLeaving()
		case <-cut:
			cut = nil
			r.hardStop(r.parent.hard().ended().cause)
		case req := <-r.asked():
			r.escalate(req)
		}
	}
}

// asked is where stop signals are told.
func (r *run) asked() <-chan request {
	if r.control == nil {
		return nil
	}
	return r.control.asked
}

// escalate stops the group as a signal asks for.
func (r *run) escalate(req request) {
	switch req.how {
	case toSoft:
		r.softStop(req.cause)
	case toHard:
		r.hardStop(req.cause)
	case toForce:
		r.forceStop()
	}
}

// tick has the engine do what is due, and returns when something is due next.
func (r *run) tick() (next time.Time, over bool) {
	r.lock()
	defer r.unlock()
	for due := r.engine.Next(); due != 0 && due <= engine.Time(r.now()); due = r.engine.Next() {
		if list := r.engine.Abandons(engine.Time(r.now())); len(list) > 0 {
			r.stacks = r.beforeAbandonLocked(list)
		}
		r.stepLocked(engine.Tick{})
		r.stacks = nil
	}
	r.next = r.engine.Next()
	return r.time(int64(r.next)), r.phase == engine.GroupOver
}

// beforeAbandonLocked takes the stacks of workers that are about to be abandoned, and has groups name theirs. It takes a while, and
// the lock is free meanwhile: which workers are abandoned is decided after it.
func (r *run) beforeAbandonLocked(list []engine.ReplicaID) (stacks map[string]string) {
	var groups []leaver
	for _, id := range list {
		groups = append(groups, groupAttempt(r.members[id])...)
	}
	cause := r.whyLocked()
	r.unlock()
	if r.labels {
		stacks = goroutines(r.label)
	}
	if len(groups) > 0 {
		r.leaveFirst(groups, cause, stacks)
	}
	r.lock()
	return stacks
}

// end does what is left to do when every worker has ended, and says how it went.
func (r *run) end() error {
	forced := r.forced() // at once: no looking round, and no waiting for a listener that hangs
	r.lock()
	closeOnce(r.lameDuck)
	r.over.Store(true)
	if r.graced.Load() {
		r.endGracesLocked()
	}
	r.unlock()
	if r.parent == nil && r.labels && !forced {
		r.findLeaks() // what waited for the contexts has gone
	}
	r.lock()
	if r.tolerated {
		for _, m := range r.inOrder() {
			if m.extra != nil {
				r.errs = append(r.errs, m.extra.ends...)
			}
		}
	}
	r.leftInSourcesLocked()
	r.reportLossesLocked()
	err := joinErrors(r.errs)
	r.emitGroup(Event{State: r.state(), Cause: r.cause, Err: err, Took: time.Duration(r.endedAt - cmp.Or(r.stopAt, 1))})
	r.unlock()
	if r.parent == nil && !forced {
		r.bus.flush()
	}
	return err
}

// endGracesLocked ends the lifetimes that end at the end of the run at the latest.
func (r *run) endGracesLocked() {
	for _, m := range r.members {
		if m == nil || m.attempt() == nil {
			continue
		}
		a := m.attempt()
		if grace := a.grace.Load(); grace != nil && grace.ended() == nil {
			_, hard := r.endingsLocked(a)
			r.endLife(grace, hard)
		}
	}
}

// forced reports whether repeated signals force the end.
func (r *run) forced() bool {
	top := r.root()
	return top.control != nil && top.control.forced()
}

// state is the state of the group as a whole.
func (r *run) state() State {
	switch {
	case r.endedAt != 0:
		for _, err := range r.errs {
			if isFailure(err) {
				return StateFailed
			}
		}
		return StateStopped
	case r.cutAt != 0:
		return StateCut
	case r.stopAt != 0:
		return StateStopping
	case r.engine.WasReady():
		return StateReady
	}
	return StateStarting
}

// isFailure tells a failure from work that was cut, abandoned or lost.
func isFailure(err error) bool {
	return !isKind(err, ErrInterrupted) && !isKind(err, ErrAbandoned) && !isKind(err, ErrLost)
}
