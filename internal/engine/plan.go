package engine

import "time"

// A plan is the times of the stop of those replicas that were told at the same moment and have the same time.
type plan struct {
	told, hardAt, abandonAt Time
	first, last             ReplicaID // among these are its replicas
	live                    int       // of these, those that have not ended and have no later plan
	timer                   *timer
}

// budget is how the time of the group's stop is shared: one total, in which every depth keeps a reserve for those that
// stop after it.
type budget struct {
	grace   time.Duration // until the hard stop of the last to stop
	ends    Time          // when that is
	wait    time.Duration // from a hard stop to the end of waiting
	depth   int           // of the first to stop
	hard    *Cause        // the whole group was cut; the time since then is shared
	cutFrom Time          // in equal slots,
	slot    time.Duration // one for each depth
}

// WithoutMargin leaves some of d to the group around.
func WithoutMargin(d time.Duration) time.Duration {
	return max(d-min(d/10, 250*time.Millisecond), 0)
}

// newBudget shares the time since from. What the group around gives is a limit, less a margin, so that the inner end
// comes first.
func (e *Engine) newBudget(from Time) budget {
	b := budget{grace: e.cfg.Grace, wait: e.cfg.HardStop}
	if e.bounds.HardAt > 0 {
		left := WithoutMargin(e.bounds.HardAt - e.now)
		if b.grace == 0 || from+b.grace > e.now+left {
			b.grace = left + e.now - from
		}
	}
	if b.grace == 0 && e.bounds.HardAt == 0 {
		b.grace = e.cfg.DefaultGrace
	}
	b.ends = max(from+b.grace, e.now)
	b.grace = b.ends - e.now
	if e.bounds.AbandonAt > 0 {
		b.wait = min(b.wait, WithoutMargin(e.bounds.AbandonAt-b.ends))
	}
	return b
}

// depthRunning is that of the deepest replica that runs: so many more stop after it.
func (e *Engine) depthRunning() (depth int) {
	for id := 0; id < len(e.replicas) && e.linked; id++ {
		if r := &e.replicas[id]; r.is(exists) && r.phase.Running() {
			depth = max(depth, e.depth(e.member(ReplicaID(id))))
		}
	}
	return depth
}

// timesFor is when a replica that is told to stop now is cut and abandoned: not before now.
func (e *Engine) timesFor(id ReplicaID) (hardAt, abandonAt Time) {
	hardAt, abandonAt = e.shareOut(id)
	hardAt = max(hardAt, e.now)
	return hardAt, max(abandonAt, hardAt)
}

func (e *Engine) shareOut(id ReplicaID) (hardAt, abandonAt Time) {
	r := &e.replicas[id]
	limit := func(at Time) Time {
		if own := r.version().StopWithin; own > 0 {
			return min(at, e.now+own)
		}
		return at
	}
	if e.phase < GroupStopping { // it stops alone
		b := e.newBudget(e.now)
		if e.phase == GroupLameDuck {
			b = e.newBudget(e.duckAt)
		}
		hardAt = limit(b.ends)
		return hardAt, hardAt + b.wait
	}
	b, depth := &e.budget, e.depth(e.member(id))
	if b.hard != nil {
		ends := b.cutFrom + b.slot*time.Duration(max(b.depth-depth, 0)+1)
		return limit(ends - b.slot/2), ends
	}
	reserve := b.grace / time.Duration(2*(b.depth+1))
	wait := b.wait
	if depth > 0 {
		wait = min(wait, reserve/2)
	}
	hardAt = limit(b.ends - reserve*time.Duration(depth))
	return hardAt, hardAt + wait
}

// planStop gives a replica the times of its stop.
func (e *Engine) planStop(id ReplicaID) {
	hardAt, abandonAt := e.timesFor(id)
	r := &e.replicas[id]
	told := e.now
	if r.plan != nil {
		told = r.plan.told
	}
	e.setPlan(id, told, hardAt, abandonAt)
}

// setPlan puts a replica into the plan with these times, made if need be.
func (e *Engine) setPlan(id ReplicaID, told, hardAt, abandonAt Time) {
	e.leavePlan(id)
	p := e.lastPlan
	if p == nil || p.live == 0 || p.told != told || p.hardAt != hardAt || p.abandonAt != abandonAt || p.timer == nil {
		p = &plan{told: told, hardAt: hardAt, abandonAt: abandonAt}
		if hardAt > e.now {
			p.timer = e.timers.add(hardAt, func() { e.planCut(p) })
		} else {
			e.planWait(p)
		}
		e.lastPlan = p
	}
	if p.live++; p.live == 1 {
		p.first, p.last = id, id
	}
	p.first, p.last = min(p.first, id), max(p.last, id)
	e.replicas[id].plan = p
}

// leavePlan takes a replica out of its plan. It keeps the times, for the report.
func (e *Engine) leavePlan(id ReplicaID) {
	r := &e.replicas[id]
	p := r.plan
	if p == nil || !r.phase.Running() {
		return
	}
	if p.live--; p.live == 0 {
		e.timers.cancel(p.timer)
		p.timer = nil
	}
}

// planCut cuts who is still there at the plan's hard stop, and waits for them.
func (e *Engine) planCut(p *plan) {
	e.planWait(p)
	for id := p.first; id <= p.last; id++ {
		if r := &e.replicas[id]; r.plan == p && r.phase == Stopping {
			e.cut(id, &Cause{Hard: true, Reason: GraceExpired, After: p.hardAt - p.told})
		}
	}
}

// planWait waits for what was cut.
func (e *Engine) planWait(p *plan) {
	p.timer = e.timers.add(p.abandonAt, func() { e.planAbandon(p) })
	p.timer.abandons = p
}

// planAbandon gives up who is still there.
func (e *Engine) planAbandon(p *plan) {
	p.timer = nil
	for id := p.first; id <= p.last; id++ {
		if r := &e.replicas[id]; r.plan == p && r.phase.Running() {
			e.abandon(id)
		}
	}
}

// A StopPlan is the times of a replica's stop.
type StopPlan struct{ Told, HardAt, AbandonAt Time }

// Plan is the times of the replica's present or last stop; zero before the first of an attempt.
func (e *Engine) Plan(id ReplicaID) StopPlan {
	if p := e.replicas[id].plan; p != nil {
		return StopPlan{p.told, p.hardAt, p.abandonAt}
	}
	return StopPlan{}
}

// Share is how long a replica has from its soft stop to its hard stop at the least in a stop with this grace period, as
// far as it is known before the stop.
func (e *Engine) Share(id ReplicaID, grace time.Duration) time.Duration {
	r := &e.replicas[id]
	grace -= min(e.cfg.LameDuck, grace)
	deepest := 0
	e.depth(e.member(id))
	for _, d := range e.depths {
		deepest = max(deepest, int(d))
	}
	share := grace / time.Duration(2*(deepest+1))
	if l := e.linksOf(e.member(id)); l == nil || len(l.users) == 0 {
		share = grace - share*time.Duration(e.depth(e.member(id)))
	}
	if own := r.version().StopWithin; own > 0 {
		share = min(share, own)
	}
	return share
}

// Depth is the length of the longest chain of members that the replica's member depends on. Members with a greater depth stop
// first.
func (e *Engine) Depth(id ReplicaID) int { return e.depth(e.member(id)) }

// depth is the length of the longest chain of members that a member depends on.
func (e *Engine) depth(id MemberID) int {
	if e.linked && e.depths == nil {
		e.measure()
	}
	if int(id) >= len(e.depths) { // it has come since, and depends on nothing
		return 0
	}
	return int(e.depths[id])
}

// measure measures all depths. They are needed for a stop only.
func (e *Engine) measure() {
	const unknown = -1
	e.depths = make([]int32, len(e.replicas))
	for i := range e.depths {
		e.depths[i] = unknown
	}
	var visit func(id MemberID) int32
	visit = func(id MemberID) int32 {
		if e.depths[id] != unknown {
			return e.depths[id]
		}
		e.depths[id] = 0 // ends also in a cycle, which the caller has refused
		depth := int32(0)
		e.eachDep(id, func(dep MemberID) { depth = max(depth, visit(dep)+1) })
		e.depths[id] = depth
		return depth
	}
	for id := range e.replicas {
		visit(MemberID(id))
	}
}
