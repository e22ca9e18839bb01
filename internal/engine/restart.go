package engine

import "time"

// When says after which ends a replica starts again.
type When uint8

const (
	Never     When = iota
	OnFailure      // also after it was not ready in time
	Always         // also after it completed
)

// Policy is when and how a replica starts again. The zero value is never. Its times are given in full: there are no
// defaults here.
type Policy struct {
	When     When
	MinDelay time.Duration // the first back-off; each is twice the one before,
	MaxDelay time.Duration // up to this, and shortened at random by up to a half
	Stable   time.Duration // an attempt that lasted so long resets the back-off
	Limit    int           // restarts within Within; negative means no limit
	Within   time.Duration
	AtOnce   bool // the first restart of a series has no back-off
}

// history is what is known of a replica that restarts, or has a time in which it must be ready.
type history struct {
	startBy *timer // the end of that time
	started Time   // the present attempt, or the last
	series  int    // since the back-off was reset
	at      []Time // within Policy.Within
	backOff *timer
}

// GaveUp wraps what a replica ended with that has restarted too often: the Err of its Failed action.
type GaveUp struct {
	Err    any
	Times  int
	Within time.Duration
}

// historyOf is the replica's, made if need be.
func (e *Engine) historyOf(id ReplicaID) *history {
	h := e.restarts[id]
	if h == nil {
		h = new(history)
		e.restarts[id] = h
	}
	return h
}

// next decides whether the replica starts again, and after which back-off.
func (h *history) next(p Policy, now, lasted Time, random func(int64) int64) (delay time.Duration, again bool) {
	if lasted >= p.Stable {
		h.series = 0
	}
	for len(h.at) > 0 && now-h.at[0] > p.Within {
		h.at = h.at[1:]
	}
	if p.Limit >= 0 && len(h.at) >= p.Limit {
		return 0, false
	}
	doubled := h.series
	if p.AtOnce {
		doubled--
	}
	switch {
	case doubled < 0:
	case doubled < 62 && p.MinDelay<<doubled < p.MaxDelay && p.MinDelay<<doubled > 0:
		delay = p.MinDelay << doubled
	default:
		delay = p.MaxDelay
	}
	if random != nil && delay > 1 {
		delay -= time.Duration(random(int64(delay)/2 + 1))
	}
	h.at = append(h.at, now)
	h.series++
	return delay, true
}

// attemptEnded is the end of an attempt.
func (e *Engine) attemptEnded(in *Ended) {
	id := in.Replica
	if !e.isPresent(id, in.Attempt) {
		return
	}
	r := &e.replicas[id]
	e.leavePlan(id)
	failed := in.Failed || r.is(late)
	switch {
	case e.leaving():
		e.endFor(id, failed, in.Err)
		e.consequences(id, failed, in.Err)
	case e.isOwned(id):
		e.endFor(id, failed, in.Err)
	case r.is(forced) && !in.Final && r.phase < Stopping: // it ended by itself just before it was told
		e.endFor(id, failed, in.Err)
		e.enter(id, Waiting, Action{Cause: r.cause}, func(r *replica) { r.clear(good) })
	case r.wanted == Again && !in.Final && r.phase >= Stopping && (!failed || r.is(forced)):
		e.enter(id, Waiting, Action{Cause: r.cause, Err: in.Err}, func(r *replica) {
			r.wanted = Run
			r.clear(forced | good)
		})
	case !in.Final && e.restartsAfter(r.version().Restart.When, failed):
		e.backOff(id, failed, in.Err)
	default:
		e.endFor(id, failed, in.Err)
		e.consequences(id, failed, in.Err)
	}
}

func (e *Engine) restartsAfter(when When, failed bool) bool {
	return when == Always || when == OnFailure && failed
}

// endFor ends a replica until an operation starts it again.
func (e *Engine) endFor(id ReplicaID, failed bool, err any) {
	to := Stopped
	if failed {
		to = Failed
	}
	told := e.replicas[id].phase >= Stopping
	e.enter(id, to, Action{Cause: e.replicas[id].cause, Err: err}, func(r *replica) {
		switch {
		case told: // what depends on it cannot rely on what it did before
			r.clear(good)
		case !failed:
			r.set(good | wasGood)
			if r.wanted == Run {
				r.clear(joining)
			}
		}
		if r.wanted == Again {
			r.wanted = Run
		}
		r.clear(forced)
	})
}

// consequences is what the end of a replica means for the group.
func (e *Engine) consequences(id ReplicaID, failed bool, err any) {
	switch v := e.replicas[id].version(); {
	case failed && !v.Optional:
		e.softStop(&Cause{Reason: Failure, Replica: id, Err: err})
	case v.Essential:
		e.softStop(&Cause{Reason: Essential, Replica: id})
	}
}

// backOff waits before a replica starts again.
func (e *Engine) backOff(id ReplicaID, failed bool, err any) {
	h, policy := e.historyOf(id), e.replicas[id].version().Restart
	delay, again := h.next(policy, e.now, e.now-h.started, e.cfg.Random)
	if !again {
		gave := &GaveUp{Err: err, Times: len(h.at), Within: policy.Within}
		e.endFor(id, true, gave)
		e.consequences(id, true, gave)
		return
	}
	e.enter(id, Restarting, Action{Cause: &Cause{Reason: Restart, Replica: id}, Err: err, Delay: delay}, func(r *replica) {
		r.wanted = Run
		r.clear(good | forced)
		if delay > 0 {
			r.set(waits)
		}
	})
	if delay > 0 {
		h.backOff = e.timers.add(e.now+delay, func() {
			h.backOff = nil
			e.change(id, func(r *replica) { r.clear(waits) })
		})
	}
}

// dropBackOff ends the back-off of a replica early.
func (e *Engine) dropBackOff(id ReplicaID) {
	if h := e.restarts[id]; h != nil && h.backOff != nil {
		e.timers.cancel(h.backOff)
		h.backOff = nil
		e.change(id, func(r *replica) { r.clear(waits) })
	}
}
