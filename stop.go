package lastcall

import (
	"cmp"
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// budget is how the time of a stop is shared: one total, in which every layer but the first to stop keeps a reserve.
type budget struct {
	grace   time.Duration // soft stop → hard stop of the last layer
	ends    time.Time     // when that is
	wait    time.Duration // hard stop → abandon
	height  int           // of the first layers to stop: so many more come after them
	hard    *StopCause    // the whole group was cut; from here on
	cutFrom time.Time     // the time since then is shared in equal slots,
	slot    time.Duration // one for each layer
}

// newBudget shares the time from now on. In a nested group it is what the group around it gave, less a margin, so that
// the inner end comes first and names the worker rather than the group.
func (r *run) newBudget() budget {
	now := time.Now()
	b := budget{grace: r.group.Grace, wait: r.group.HardStop}
	orDefault(&b.wait, DefaultHardStop)
	var left time.Duration
	if r.parent != nil {
		if at := r.parent.moment.hardAt.Load(); at != nil {
			left = withoutMargin(at.Sub(now))
			orDefault(&b.grace, left)
			b.grace = min(b.grace, left)
		}
	}
	orDefault(&b.grace, DefaultGrace)
	b.ends = now.Add(b.grace)
	if r.parent != nil {
		if at := r.parent.moment.abandonAt.Load(); at != nil {
			b.wait = min(b.wait, withoutMargin(at.Sub(b.ends)))
		}
	}
	for _, l := range r.layers {
		if !l.over && l.up {
			b.height = max(b.height, l.height)
		}
	}
	return b
}

// withoutMargin leaves some of d to the group around.
func withoutMargin(d time.Duration) time.Duration {
	return max(d-min(d/10, 250*time.Millisecond), 0)
}

// plan is when a layer that is told to stop now is cut, and when it is abandoned.
func (r *run) plan(l *layer) (hardAt, abandonAt time.Time) {
	now, b := time.Now(), r.budget
	within := l.members[0].options().stopWithin
	limit := func(at time.Time) time.Time {
		if own := now.Add(within); within > 0 && own.Before(at) {
			return own
		}
		return at
	}
	switch {
	case r.phase < phaseStopping: // stopped alone
		b = r.newBudget()
		hardAt = limit(now.Add(b.grace))
		return hardAt, hardAt.Add(b.wait)
	case b.hard != nil:
		ends := b.cutFrom.Add(b.slot * time.Duration(b.height-l.height+1))
		return limit(ends.Add(-b.slot / 2)), ends
	}
	reserve := b.grace / time.Duration(2*(b.height+1))
	wait := b.wait
	if l.height > 0 {
		wait = min(wait, reserve/2)
	}
	hardAt = limit(b.ends.Add(-reserve * time.Duration(l.height)))
	return hardAt, hardAt.Add(wait)
}

// share is what plan gives a layer at the least, foreseen.
func (r *run) share(l *layer) time.Duration {
	grace := r.group.Grace
	if r.parent != nil {
		around := withoutMargin(r.parent.m.run().share(r.parent.m.layer))
		orDefault(&grace, around)
		grace = min(grace, around)
	}
	orDefault(&grace, DefaultGrace)
	r.mu.Lock()
	defer r.mu.Unlock()
	reserve := grace / time.Duration(2*(r.highest+1))
	share := reserve
	if l.counts.users == 0 {
		share = grace - reserve*time.Duration(l.height)
	}
	if within := l.members[0].options().stopWithin; within > 0 {
		share = min(share, within)
	}
	return share
}

// contextEnded begins the stop that the end of Run's context asks for, after the lame-duck delay if there is one.
func (r *run) contextEnded() {
	cause := r.requested()
	r.mu.Lock()
	defer r.unlock()
	if r.phase != phaseRunning {
		return
	}
	if r.group.LameDuck == 0 || !r.wasReady || cause.Reason == StopSignal && cause.Signal == os.Interrupt {
		r.softStop(cause)
		return
	}
	r.phase, r.cause, r.duckAt = phaseLameDuck, cause, r.now()
	closeOnce(r.lameDuck)
	r.emitOwn(Event{Kind: EventLameDuck, State: StateReady, Cause: cause, Delay: r.group.LameDuck})
	r.deadlines.add(time.Now().Add(r.group.LameDuck), func() { r.softStop(cause) })
}

// beginLeaving passes the lame duck of the group around on to the workers.
func (r *run) beginLeaving() {
	r.mu.Lock()
	defer r.unlock()
	closeOnce(r.lameDuck)
}

// closeOnce closes c unless it is closed. Calls are made with the run locked.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// softStop begins the stop: nothing is started any more, and the layers that nothing depends on are told.
func (r *run) softStop(cause *StopCause) {
	if r.phase >= phaseStopping {
		return
	}
	r.phase, r.cause, r.stopAt = phaseStopping, cause, r.now()
	r.stopping.Store(true)
	r.budget = r.newBudget()
	closeOnce(r.lameDuck)
	r.emitOwn(Event{State: StateStopping, Cause: cause})
	for _, l := range r.layers {
		if !l.over && !l.up {
			r.endIdle(l, cause)
		}
	}
	for _, l := range r.layers {
		switch {
		case !l.up || l.over:
		case l.told:
			r.shorten(l)
		case l.counts.users == 0:
			r.tell(l, cause)
		}
	}
	r.later(runtime.Gosched) // first those who were told, all of them, then the rest of what this goroutine has to do
	if r.control != nil {
		r.later(func() { r.control.endReload(cause) })
	}
	if r.parent == nil && r.observed() {
		r.awaitingIn(time.Second)
	}
	r.endBy(r.budget.ends.Add(r.budget.wait))
	r.poke()
}

// endIdle ends a layer whose workers do not run: they wait for others or for the end of a back-off.
func (r *run) endIdle(l *layer, cause *StopCause) {
	for i := range l.members {
		m := &l.members[i]
		if !m.live() {
			continue
		}
		if m.extra != nil {
			r.deadlines.cancel(m.extra.restarts.delay)
			m.extra.restarts.delay = nil
		}
		r.enter(m, StateStopped, Event{Cause: cause})
	}
	l.counts.live.Store(0)
	r.layerEnded(l)
}

// tell begins the soft stop of a layer. Everything that depends on it has ended.
func (r *run) tell(l *layer, cause *StopCause) {
	hardAt, abandonAt := r.plan(l)
	l.moment.hardAt.Store(&hardAt)
	l.moment.abandonAt.Store(&abandonAt)
	l.told, l.toldAt, l.cause, l.softCause = true, r.now(), cause, cause
	r.await(l)
	for i := range l.members {
		m := &l.members[i]
		for m.is() == StateStarting && !m.swap(StateStarting, StateStopping) {
		}
		if !m.swap(StateReady, StateStopping) && m.is() != StateStopping {
			continue
		}
		inFlight := m.present().flight.close()
		if inFlight > 0 {
			m.more().inFlight = inFlight
		}
		if r.observed() {
			r.emit(Event{Name: m.path(), State: StateStopping, Cause: cause, InFlight: inFlight})
		}
	}
	end := l.moment.endSoft
	r.later(func() { end(cause) })
	r.poke()
}

// await sets the deadline of a layer that was told: its hard stop, then the end of waiting.
func (r *run) await(l *layer) {
	r.deadlines.cancel(l.ending)
	if l.cut {
		l.ending = r.deadlines.add(*l.moment.abandonAt.Load(), func() { r.abandoning = append(r.abandoning, l.attempt()) })
		return
	}
	hardAt := *l.moment.hardAt.Load()
	given := hardAt.Sub(r.time(l.toldAt))
	l.ending = r.deadlines.add(hardAt, func() {
		r.cut(l, &StopCause{Hard: true, Reason: StopGraceExpired, After: given})
	})
}

// shorten takes from a layer that was stopped alone, to be restarted, what it was given beyond its share of the stop of
// the whole group, which begins now.
func (r *run) shorten(l *layer) {
	hardAt, abandonAt := r.plan(l)
	if hardAt.Before(*l.moment.hardAt.Load()) {
		l.moment.hardAt.Store(&hardAt)
	}
	if abandonAt.Before(*l.moment.abandonAt.Load()) {
		l.moment.abandonAt.Store(&abandonAt)
	}
	r.await(l)
}

// cut begins the hard stop of a layer.
func (r *run) cut(l *layer, cause *StopCause) {
	if l.cut || l.over || !l.up {
		return
	}
	l.cut, l.cutAt, l.cause = true, r.now(), cause
	if r.phase == phaseStopping && r.cutAt == 0 && !time.Now().Before(r.budget.ends) {
		r.cutAt = l.cutAt
	}
	for i := range l.members {
		m := &l.members[i]
		if m.swap(StateStopping, StateCut) && r.observed() {
			r.emit(Event{Name: m.path(), State: StateCut, Cause: cause, InFlight: m.present().flight.units()})
		}
	}
	end := l.moment.endHard
	r.later(func() { end(cause) })
	r.await(l)
	r.poke()
}

// hardStopNow cuts what has been told to stop, and shares the time that is left among it and what has not. ctx has ended.
func (r *run) hardStopNow(ctx context.Context) {
	if r.phase == phaseOver || r.budget.hard != nil {
		return
	}
	cause := &StopCause{Hard: true, Reason: StopRequested}
	errors.As(context.Cause(ctx), &cause)
	soft := *cause
	soft.Hard = false
	if r.ctx.Err() != nil {
		soft = *r.requested()
	}
	r.softStop(&soft)
	b := &r.budget
	total := r.group.HardStop
	orDefault(&total, DefaultHardStop)
	total = min(total, time.Until(b.ends.Add(b.wait))) // the stop does not get longer by it
	if r.parent != nil {
		if at := r.parent.moment.abandonAt.Load(); at != nil {
			total = min(total, withoutMargin(time.Until(*at)))
		}
	}
	b.height = 0
	for _, l := range r.layers {
		if !l.over {
			b.height = max(b.height, l.height)
		}
	}
	b.hard, b.cutFrom, b.slot = cause, time.Now(), total/time.Duration(b.height+1)
	r.cutAt = r.now()
	r.endBy(b.cutFrom.Add(total))
	for _, l := range r.layers {
		if !l.told || l.over {
			continue
		}
		_, abandonAt := r.plan(l)
		l.moment.abandonAt.Store(&abandonAt)
		r.await(l)
		r.cut(l, cause)
	}
	r.poke()
}

// An attempt is one start of a layer. What is decided about it while the run is unlocked is looked at again when it
// is locked: the layer may have ended by then, and started again.
type attempt struct {
	l      *layer
	moment *moment
}

func (l *layer) attempt() attempt { return attempt{l, l.moment} }

// current reports whether the layer is still in this start, and runs.
func (a attempt) current() bool { return a.l.up && a.l.moment == a.moment }

// abandon gives up the workers of attempts that still run, nil for all of the group's. The stacks are taken without the
// lock: it takes a while.
func (r *run) abandon(attempts []attempt) {
	var stacks map[string]string
	if r.labels {
		stacks = goroutines(r.id)
	}
	r.giveUp(attempts, stacks, r.requested)
}

// giveUp is abandon with the stacks at hand. A group is not given up itself: its workers are, so that they are named, and
// it returns by that. With attempts nil, the whole group is given up, also what has not been told or cut yet; it still
// sees why.
func (r *run) giveUp(attempts []attempt, stacks map[string]string, cause func() *StopCause) {
	r.mu.Lock()
	if attempts == nil {
		r.softStop(cause())
		for _, l := range r.layers {
			if l.up {
				attempts = append(attempts, l.attempt())
			}
		}
	}
	groups := map[*member]*scope{}
	slices.SortStableFunc(attempts, func(a, b attempt) int { return cmp.Compare(b.l.height, a.l.height) })
	for _, a := range attempts {
		if !a.current() {
			continue
		}
		l := a.l
		if !l.told {
			r.tell(l, r.cause)
		}
		if !l.cut {
			hard := *cause()
			hard.Hard = true
			r.cut(l, &hard)
		}
		for i := range l.members {
			if m := &l.members[i]; m.running() {
				if _, ok := m.w.(*Group); ok {
					groups[m] = m.present()
				}
			}
		}
	}
	r.unlock()
	for m, s := range groups {
		if inner := m.w.(*Group).current(); inner != nil && inner.parent == s {
			inner.giveUp(nil, stacks, cause)
		} else {
			delete(groups, m) // it has not come to run
		}
	}

	r.mu.Lock()
	defer r.unlock()
	for _, a := range attempts {
		for i := range a.l.members {
			m := &a.l.members[i]
			if a.current() && (groups[m] == nil || groups[m] != m.present()) {
				r.abandonMember(m, stacks)
			}
		}
	}
}

// abandonMember gives up a worker if it runs.
func (r *run) abandonMember(m *member, stacks map[string]string) {
	l, was := m.layer, m.is()
	if !m.running() || !m.swap(was, StateAbandoned) {
		return
	}
	m.ended.Store(r.now())
	x := m.more()
	x.stacks = stacksOf(stacks, m.path())
	left := &AbandonedError{Name: m.path(), Status: x.status, Stacks: x.stacks}
	if l.told {
		left.For = time.Duration(r.now() - l.toldAt)
	}
	x.err = left
	r.errs = append(r.errs, left)
	r.emit(Event{Name: left.Name, State: StateAbandoned, Cause: l.cause, Err: left, Stacks: x.stacks, InFlight: m.present().flight.units()})
	r.memberEnded(m)
	if r.phase < phaseStopping && !l.held && !l.retired && l.replaces == nil { // it was to restart, and cannot
		r.softStop(&StopCause{Reason: StopFailure, Worker: left.Name, Err: left})
	}
}

// stacksOf are those of the worker at path and, where it is a group, of its workers.
func stacksOf(stacks map[string]string, path string) string {
	text := stacks[path]
	var inner []string
	for name := range stacks {
		if strings.HasPrefix(name, path+"/") {
			inner = append(inner, name)
		}
	}
	slices.Sort(inner)
	for _, name := range inner {
		text += name + ":\n" + stacks[name]
	}
	return text
}

// returned is the end of one start of a worker. When its layer stops and nobody looks on, the worker's goroutine does the
// little that there is to do without the lock, and with a small frame: a larger one would reach below what the worker
// had touched of its stack, which is most of what the stop of very many workers costs.
func (r *run) returned(s *scope, err error) {
	m := s.m
	known := factsOf(err)
	if m.plain && !m.self && (err == nil || known.stopped) && !r.observed() && m.is() == StateStopping {
		m.ended.Store(r.now())
		if m.swap(StateStopping, StateStopped) {
			if m.layer.counts.live.Add(-1) == 0 {
				r.mu.Lock()
				r.layerEnded(m.layer)
				r.unlock()
			}
			return
		}
	}
	r.startEnded(s, err, known)
}

// startEnded is returned with the run locked.
func (r *run) startEnded(s *scope, err error, known facts) {
	m, l := s.m, s.m.layer
	r.mu.Lock()
	defer r.unlock()
	if m.present() != s || !m.running() { // abandoned
		return
	}
	m.ended.Store(r.now())
	if m.extra != nil {
		r.deadlines.cancel(m.extra.startBy)
	}
	was := m.is()
	told := was == StateStopping || was == StateCut
	end := r.judge(m, was, err, known)
	policy, recycled := m.options().restart, told && l.recycle != nil && !l.held && !l.retired
	if l.held || l.retired || l.replaces != nil {
		policy = RestartPolicy{}
	}
	restarts := recycled || policy.When != RestartNever
	var left *AbandonedError
	if i := slices.IndexFunc(end.errs, isAbandoned); i >= 0 && restarts { // it was to restart, and cannot
		left = end.errs[i].(*AbandonedError)
	}

	if !r.leaves() && left == nil {
		if recycled && (end.failure == nil || l.again) { // it starts again when what it requires is ready
			r.enter(m, StateWaiting, Event{Cause: l.cause})
			r.wentDown(l)
			r.startIfDue(l)
			return
		}
		failure := end.failure
		if end.known {
			failure = err
		}
		if told && m.extra != nil && m.extra.err != nil { // it was not ready in time
			failure = m.extra.err
			if err != nil && end.failure != nil {
				failure = errorLater("%w, then: %w", m.extra.err, err)
			}
		}
		lasted := time.Duration(m.ended.Load() - m.started.Load())
		delay, again, tooMany := m.more().restarts.next(policy, failure, known.permanent, lasted, time.Now())
		if again {
			r.backOff(m, failure, delay)
			return
		}
		switch {
		case tooMany != nil:
			end.failure, end.known = tooMany, false
			end.errs = slices.DeleteFunc(end.errs, isFailure) // tooMany has them
		case !end.known:
			end.failure = failure
		}
	}

	state := StateStopped
	if end.failure != nil {
		state = StateFailed
		m.more().err = end.failure
	} else if len(end.errs) > 0 {
		m.more().err = end.errs[0]
	}
	r.enter(m, state, Event{Err: end.failure, Cause: l.cause, InFlight: s.flight.units()})
	if end.failure != nil && !end.known {
		end.errs = append(end.errs, &WorkerError{Name: m.path(), Starting: m.readied.Load() == 0, Err: end.failure})
	}
	switch own := !r.leaves(); {
	case own && (l.held || l.retired || l.replaces != nil): // whoever asked for it has the error
	case own && m.options().optional:
		m.more().ends = end.errs
	default:
		r.errs = append(r.errs, end.errs...)
		r.consequences(m, end, left)
	}
	if end.failure == nil && m.readied.Load() == 0 && l.counts.unready.Add(-1) == 0 {
		r.layerReady(l) // it completed
	}
	r.memberEnded(m)
	if end.failure != nil {
		r.endWaiting(l)
	}
}

// consequences is what the end of a worker means for its group. left is one in it that was to restart and cannot.
func (r *run) consequences(m *member, end verdict, left *AbandonedError) {
	switch {
	case end.failure != nil && end.known:
		r.softStop(&StopCause{Reason: StopFailure, Worker: end.worker, Err: end.failure})
	case end.failure != nil:
		r.softStop(&StopCause{Reason: StopFailure, Worker: m.path(), Err: end.failure})
	case left != nil:
		r.softStop(&StopCause{Reason: StopFailure, Worker: left.Name, Err: left})
	case m.options().essential:
		r.softStop(&StopCause{Reason: StopEssential, Worker: m.path()})
	}
}

// verdict is how a worker ended.
type verdict struct {
	failure error   // nil if it did not fail
	known   bool    // errs has the failure already
	worker  string  // whose failure that is
	errs    []error // what goes into the group's error besides
}

// judge says how a worker ended that returned err in the state was.
func (r *run) judge(m *member, was State, err error, known facts) verdict {
	told := was == StateStopping || was == StateCut
	var v verdict
	_, group := m.w.(*Group)
	if inner := innerErrors(err, group); inner != nil { // of a group in this one: its workers' names are known
		v.errs = slices.Clone(inner)
		for _, err := range inner {
			if isFailure(err) {
				v.failure, v.known, v.worker = err, true, m.path()
				if failed, ok := err.(*WorkerError); ok {
					v.failure, v.worker = failed.Err, failed.Name
				}
				break
			}
		}
		return v
	}
	switch {
	case (was == StateCut || told && known.hard) && !known.broke && !group:
		cut := &InterruptedError{Name: m.path(), Err: err}
		if m.extra != nil {
			cut.Units = m.extra.interrupted
		}
		if known.unit != nil {
			cut.Err = known.unit.Err
		}
		v.errs = append(v.errs, cut)
	case err != nil && !(told && known.stopped && !known.broke):
		v.failure = err
	}
	if v.failure == nil && m.extra != nil && m.extra.late {
		v.failure, v.known, v.worker = m.extra.err, true, m.path()
	}
	return v
}

// innerErrors are the errors of a group's Run, nil for any other error. An InterruptedError is one only from a worker that
// is a group: others have it from [Do].
func innerErrors(err error, group bool) []error {
	switch e := err.(type) {
	case *GroupError:
		return e.Errs
	case *WorkerError, *AbandonedError, *ConfigError:
		return []error{err}
	case *InterruptedError:
		if group {
			return []error{err}
		}
	}
	return nil
}

// memberEnded counts a worker that will not run again.
func (r *run) memberEnded(m *member) {
	if m.layer.counts.live.Add(-1) == 0 {
		r.layerEnded(m.layer)
	}
}

// layerEnded tells the layers below, if the group stops, and the goroutine that called Run, if it was the last.
func (r *run) layerEnded(l *layer) {
	if l.over {
		return
	}
	l.over, l.up = true, false
	r.deadlines.cancel(l.ending)
	if l.moment != nil {
		end, cause := l.moment.endSoft, l.endCause()
		r.later(func() { end(cause) })
	}
	if l.held {
		r.held++
	}
	for _, dep := range l.deps {
		below := dep.to
		if below.counts.users--; below.counts.users == 0 && r.phase == phaseStopping && below.up && !below.told {
			r.tell(below, r.cause)
		}
	}
	if !r.leaves() {
		r.release(l)
	}
	if r.live--; r.live == 0 {
		r.poke()
	}
	if l.retired || l.replaces != nil {
		r.forget(l)
	}
}

// endCause is why the context of a layer ends at its own end at the latest. A layer that was told has its cause already,
// or is about to: whoever told it does so when it has unlocked the run.
func (l *layer) endCause() *StopCause {
	if l.told {
		return l.softCause
	}
	return &StopCause{Reason: StopCompleted}
}

// interrupted counts a unit of work that was cut.
func (r *run) interrupted(s *scope) {
	r.mu.Lock()
	defer r.unlock()
	if s.m.present() == s {
		s.m.more().interrupted++
	}
}

// awaitDrained returns what drained will close.
func (r *run) awaitDrained(s *scope) <-chan struct{} {
	r.mu.Lock()
	defer r.unlock()
	empty := make(chan struct{})
	s.m.more().drained = empty
	return empty
}

// drained tells a worker that nothing of it is in flight any more.
func (r *run) drained(s *scope) {
	r.mu.Lock()
	defer r.unlock()
	if x := s.m.more(); x.drained != nil {
		close(x.drained)
		x.drained = nil
	}
}

// awaitingIn tells the listeners after a pause who is awaited, and then again after twice the pause.
func (r *run) awaitingIn(pause time.Duration) {
	r.deadlines.add(time.Now().Add(pause), func() {
		r.awaitingIn(2 * pause)
		r.later(func() {
			awaited := r.awaited()
			r.mu.Lock()
			defer r.unlock()
			if len(awaited) > 0 && r.phase == phaseStopping {
				r.emitOwn(Event{Kind: EventAwaiting, State: r.state(), Cause: r.cause, Awaited: awaited})
			}
		})
	})
}

// awaited are the workers that the group waits for, in groups the workers rather than the group.
func (r *run) awaited() []Awaited {
	r.mu.Lock()
	groups := map[*Group]int{}
	var list []Awaited
	for m := range r.members() {
		state := m.is()
		if state != StateStopping && state != StateCut {
			continue
		}
		a := Awaited{Name: m.path(), State: state, For: time.Duration(r.now() - m.layer.toldAt), InFlight: m.present().flight.units()}
		if m.extra != nil {
			a.Status = m.extra.status
		}
		if g, ok := m.w.(*Group); ok {
			groups[g] = len(list)
		}
		list = append(list, a)
	}
	r.unlock()
	for g, i := range groups {
		if inner := g.current(); inner != nil {
			if leaves := inner.awaited(); len(leaves) > 0 {
				list[i].Name = ""
				list = append(list, leaves...)
			}
		}
	}
	list = slices.DeleteFunc(list, func(a Awaited) bool { return a.Name == "" })
	slices.SortFunc(list, func(a, b Awaited) int {
		return cmp.Or(cmp.Compare(b.For, a.For), strings.Compare(a.Name, b.Name))
	})
	return list
}
