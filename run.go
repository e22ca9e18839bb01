package lastcall

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// phase is where a run is in its life.
type phase uint8

const (
	phaseRunning  phase = iota // started, or starting
	phaseLameDuck              // leaving, serving on
	phaseStopping              // the soft stop began
	phaseOver                  // every worker has ended
)

// A run is one run of a group. Workers' goroutines make its changes themselves, with mu held; the goroutine that called
// Run only waits: for its context, for the run's deadlines, and for the end. So an idle group has no goroutine of its own.
//
// User code, listeners included, is never called with mu held: what is to be called is put off with later and emit, and
// done by unlock.
type run struct {
	group     *Group
	ctx       context.Context // Run's
	base      context.Context // its values, without its end
	parent    *scope          // the worker that the group is in the group around it; nil at the root
	control   *control        // the signals that the root is under, if it is
	prefix    string          // of the workers' paths
	labels    bool            // workers' goroutines are labelled
	id        string          // the label that tells this tree of runs apart
	bus       *bus            // the tree's
	listeners []func(Event)   // this group's, then those of the groups around it
	lameDuck  chan struct{}   // closed when the group begins to leave
	wake      chan struct{}   // wakes the goroutine that called Run
	began     time.Time
	before    int // goroutines of the process when it began

	stopping atomic.Bool // the soft stop began; for groups in this one, which cannot lock it

	mu            sync.Mutex
	phase         phase
	layers        []*layer
	places        int // how many there have been, see layer.place
	highest       int // the height of the highest layer that there ever was
	live          int // layers that are not over
	held          int // layers that are over because they were asked to stop, and may be started again
	unreadyLayers int // layers that have never been ready
	wasReady      bool
	deadlines     deadlines
	byName        map[string]*member // made when first needed
	problems      []string           // what was rejected
	errs          []error            // what went wrong, in order
	cause         *StopCause         // of the soft stop
	duckAt        int64              // when the lame duck began, in the run's time
	stopAt        int64              // when the soft stop began
	cutAt         int64              // when the whole group was cut
	endedAt       int64              // when the last worker ended
	budget        budget             // of the stop
	abandoning    []attempt          // whose time after the hard stop is over
	backstop      *deadline          // the end of the stop, whatever state anything is in
	overdue       bool               // it has come
	leaks         map[string]string  // stacks of goroutines that were left behind, by their worker's path
	todo          []func()           // put off until mu is unlocked
	posted        bool               // events were put on the bus
	changed       chan struct{}      // closed at the next change; nil if nobody waits for one
}

// newRun makes the run of a group whose specs have been checked. The group is locked.
func newRun(ctx context.Context, g *Group, parent *scope) *run {
	r := &run{
		group:    g,
		ctx:      ctx,
		base:     context.WithoutCancel(ctx),
		parent:   parent,
		labels:   !g.NoLabels,
		lameDuck: make(chan struct{}),
		wake:     make(chan struct{}, 1),
		began:    time.Now(),
		before:   runtime.NumGoroutine(),
	}
	if g.Observe != nil {
		r.listeners = append(r.listeners, g.Observe)
	}
	if parent != nil {
		above := parent.m.run()
		r.prefix = parent.m.path() + "/"
		r.id, r.bus = above.id, above.bus
		r.labels = r.labels && above.labels
		r.listeners = append(r.listeners, above.listeners...)
	} else {
		r.id, r.bus = nextRunID(), new(bus)
		if r.control, _ = ctx.Value(controlKey{}).(*control); r.control != nil {
			r.listeners = append(r.listeners, r.control.listeners...)
		}
	}
	r.layers = r.layersOf(g.specs)
	r.measure()
	r.live, r.unreadyLayers = len(r.layers), len(r.layers)
	return r
}

// forced reports whether repeated signals force the end.
func (r *run) forced() bool {
	for r.parent != nil {
		r = r.parent.m.run()
	}
	return r.control != nil && r.control.forced()
}

// now is the run's time: nanoseconds since it began, never 0.
func (r *run) now() int64 { return int64(max(time.Since(r.began), 1)) }

// time is the run's time t as a time, zero for 0.
func (r *run) time(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return r.began.Add(time.Duration(t))
}

// leaves reports whether nothing may be started any more: the group stops, or one around it does.
func (r *run) leaves() bool {
	for above := r.parent; above != nil; above = above.m.run().parent {
		if above.m.run().stopping.Load() {
			return true
		}
	}
	return r.phase >= phaseStopping
}

func (r *run) observed() bool { return len(r.listeners) > 0 }

// named is " name" for messages about the group, empty at the root.
func (r *run) named() string {
	if r.parent == nil {
		return ""
	}
	return " " + r.parent.m.path()
}

// members are all workers, layer by layer.
func (r *run) members() iter.Seq[*member] {
	return func(yield func(*member) bool) {
		for _, l := range r.layers {
			for i := range l.members {
				if !yield(&l.members[i]) {
					return
				}
			}
		}
	}
}

// later puts f off until the run is unlocked.
func (r *run) later(f func()) { r.todo = append(r.todo, f) }

// emit tells the listeners of this group and of those around it; unlock delivers it.
func (r *run) emit(event Event) { r.post(event, r.listeners) }

// emitOwn is emit for an event of the group itself. In a nested group only its own listener gets it: for those around it
// the group is a worker, whose events they have.
func (r *run) emitOwn(event Event) {
	listeners := r.listeners
	if r.parent != nil {
		listeners = listeners[:len(listeners)-len(r.parent.m.run().listeners)]
	}
	event.Name = r.name()
	r.post(event, listeners)
}

func (r *run) post(event Event, listeners []func(Event)) {
	if len(listeners) > 0 {
		event.Time = time.Now()
		r.bus.post(event, listeners)
		r.posted = true
	}
}

// enter makes m enter a state and tells the listeners. Extra facts come in event.
func (r *run) enter(m *member, state State, event Event) {
	m.enter(state)
	event.Name, event.State = m.path(), state
	r.emit(event)
}

// unlock ends a change of the run: it wakes who waits for one, unlocks, then does what was put off.
func (r *run) unlock() {
	todo, posted := r.todo, r.posted
	r.todo, r.posted = nil, false
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
	r.mu.Unlock()
	for _, f := range todo {
		f()
	}
	if posted {
		r.bus.deliver()
	}
}

// poke wakes the goroutine that called Run, because the deadlines changed or all is over.
func (r *run) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// main runs the workers to their end.
func (r *run) main() error {
	var requested *StopCause
	if r.ctx.Err() != nil {
		requested = r.requested()
	}
	r.mu.Lock()
	r.emitOwn(Event{State: StateStarting})
	if requested != nil {
		r.softStop(requested)
	}
	for _, l := range r.layers {
		if !l.started && !l.over && l.counts.unreadyDeps == 0 {
			r.start(l)
		}
	}
	if len(r.layers) == 0 {
		r.allReady()
	}
	r.unlock()
	r.wait()
	return r.end()
}

// name is the group's own path, "" at the root.
func (r *run) name() string { return strings.TrimSuffix(r.prefix, "/") }

// wait returns when every worker has ended, and does what has to be done at a time until then.
func (r *run) wait() {
	stop := r.ctx.Done()
	var hard, leave, force <-chan struct{}
	var hardContext context.Context
	switch {
	case r.parent != nil:
		hardContext, leave = r.parent.moment.hard, r.parent.m.run().lameDuck
	case r.control != nil:
		hardContext, force = r.control.moment.hard, r.control.force
	}
	if hardContext != nil {
		hard = hardContext.Done()
	}
	var timer *time.Timer
	var expired <-chan time.Time
	for {
		r.mu.Lock()
		now := time.Now()
		for due := r.deadlines.due(now); due != nil; due = r.deadlines.due(now) {
			due.do()
		}
		abandoning := r.abandoning
		r.abandoning = nil
		if r.overdue && len(abandoning) == 0 {
			r.endAll()
		}
		if r.live == 0 && (r.held == 0 || r.phase == phaseStopping) && r.phase != phaseOver {
			r.phase, r.endedAt = phaseOver, r.now()
		}
		over := r.phase == phaseOver
		var next time.Time
		if len(r.deadlines) > 0 {
			next = r.deadlines[0].at
		}
		r.unlock()
		switch {
		case over:
			if timer != nil {
				timer.Stop()
			}
			return
		case len(abandoning) > 0:
			r.abandon(abandoning)
			continue
		case next.IsZero():
			expired = nil
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
			r.contextEnded()
		case <-leave:
			leave = nil
			r.beginLeaving()
		case <-hard:
			hard = nil
			r.mu.Lock()
			r.hardStopNow(hardContext)
			r.unlock()
		case <-force:
			force = nil
			r.abandon(nil)
		}
	}
}

// requested is the cause of the soft stop that the end of Run's context asks for.
func (r *run) requested() *StopCause {
	cause := context.Cause(r.ctx)
	stop, ok := cause.(*StopCause) // as a rule
	if ok || errors.As(cause, &stop) {
		soft := *stop
		soft.Hard = false
		return &soft
	}
	return &StopCause{Reason: StopRequested, Err: cause}
}

// end does what is left to do when every worker has ended, and says how it went.
func (r *run) end() error {
	forced := r.forced() // at once: no looking round, and no waiting for a listener that hangs
	r.mu.Lock()
	if r.cause == nil {
		r.cause = &StopCause{Reason: StopCompleted}
	}
	closeOnce(r.lameDuck)
	for _, l := range r.layers {
		if l.moment != nil {
			cause := l.endCause()
			r.later(func() { l.moment.end(cause) })
		}
	}
	r.unlock()
	if r.parent == nil && r.labels && !forced {
		r.findLeaks() // what waited for the contexts has gone
	}
	r.mu.Lock()
	for m := range r.members() {
		if m.extra != nil {
			r.errs = append(r.errs, m.extra.ends...)
		}
	}
	err := joinErrors(r.errs)
	r.emitOwn(Event{State: r.state(), Cause: r.cause, Err: err})
	r.unlock()
	if r.parent == nil && !forced {
		r.bus.flush()
	}
	return err
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
	case r.wasReady:
		return StateReady
	}
	return StateStarting
}

// isFailure tells a failure from work that was cut or abandoned.
func isFailure(err error) bool {
	switch err.(type) {
	case *InterruptedError, *AbandonedError:
		return false
	}
	return true
}

// isAbandoned tells a worker that was left behind.
func isAbandoned(err error) bool {
	_, ok := err.(*AbandonedError)
	return ok
}

// leakChecks are the pauses between looks for goroutines that were left behind: one that is seen may be just about to
// exit. Nothing waits when there is none.
var leakChecks = []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond}

// manyWorkers is from how many workers on a look for leaks costs more than it may: it visits every goroutine that there was.
const manyWorkers = 1000

// noneLeft reports, for many workers, that there are no more goroutines than when the run began. It can be wrong where
// others ended meanwhile.
func (r *run) noneLeft() bool {
	workers := 0
	for _, l := range r.layers {
		workers += len(l.members)
	}
	if workers < manyWorkers {
		return false
	}
	for range 3 { // the last workers may be just about to exit
		if runtime.NumGoroutine() <= r.before {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// findLeaks looks for goroutines that workers of this tree left behind.
func (r *run) findLeaks() {
	if r.noneLeft() {
		return
	}
	abandoned := map[string]bool{}
	for _, err := range r.errs { // all is over: nothing changes them any more
		if left, ok := err.(*AbandonedError); ok {
			abandoned[left.Name] = true
		}
	}
	var leaks map[string]string
	kept := slices.Concat(keptGoroutines, r.group.KeptGoroutines)
	for _, pause := range leakChecks {
		time.Sleep(pause)
		leaks = goroutines(r.id, kept...)
		for path := range leaks {
			if abandoned[path] || slices.ContainsFunc(parents(path), func(p string) bool { return abandoned[p] }) {
				delete(leaks, path)
			}
		}
		if len(leaks) == 0 {
			return
		}
	}
	r.mu.Lock()
	defer r.unlock()
	r.leaks = leaks
	for path, stacks := range leaks {
		r.emit(Event{Name: path, Kind: EventLeak, State: StateStopped, Stacks: stacks})
	}
}

// parents are the paths of the groups around path.
func parents(path string) (above []string) {
	for i, c := range path {
		if c == '/' {
			above = append(above, path[:i])
		}
	}
	return above
}

// renewable reports whether the group may run again: it has ended, and the group around it restarts it, or was itself
// restarted and starts it as the same worker.
func (r *run) renewable(parent *scope) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.endedAt == 0 || parent == nil || r.parent == nil || parent == r.parent {
		return false
	}
	return parent.m.run().group == r.parent.m.run().group && parent.m.name == r.parent.m.name
}

// specs are the group's workers as they were added, for its next run.
func (r *run) specs() (specs []spec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for m := range r.members() {
		if m.layer.replaces != nil || m.layer.retired {
			continue
		}
		specs = append(specs, spec{name: m.name, w: m.w, opt: m.options()})
	}
	return specs
}

// broke tells of a panic or runtime.Goexit at once, before anything waits for work in flight.
func (r *run) broke(s *scope, err error) {
	var stack string
	var p *PanicError
	if errors.As(err, &p) {
		stack = string(p.Stack)
	}
	r.mu.Lock()
	defer r.unlock()
	if !r.observed() {
		path := s.m.path()
		r.later(func() { logError("lastcall: "+path+": "+textOf(err), "stack", stack) })
	}
	r.emit(Event{Name: s.m.path(), Kind: EventPanic, State: s.m.is(), Err: err, Stacks: stack})
}

// unreadyError says who is not ready.
func (r *run) unreadyError() error {
	r.mu.Lock()
	var nested []*Group
	var unready []string
	switch r.phase {
	case phaseLameDuck:
		r.unlock()
		return errors.New("lame duck: " + r.causeText())
	case phaseStopping, phaseOver:
		r.unlock()
		return errors.New("stopping: " + r.causeText())
	}
	for m := range r.members() {
		state := m.is()
		switch {
		case state == StateStopped: // completed
		case state != StateReady:
			unready = append(unready, fmt.Sprintf("%s (%s)", m.path(), state))
		case m.extra != nil && m.extra.unready != "":
			unready = append(unready, fmt.Sprintf("%s (%s)", m.path(), m.extra.unready))
		}
		if g, ok := m.w.(*Group); ok && state == StateReady {
			nested = append(nested, g)
		}
	}
	r.unlock()
	for _, g := range nested {
		if err := g.Ready(); err != nil {
			unready = append(unready, strings.TrimPrefix(err.Error(), "not ready: "))
		}
	}
	if len(unready) == 0 {
		return nil
	}
	const most = 10
	if more := len(unready) - most; more > 0 {
		unready = append(unready[:most], fmt.Sprintf("and %d more", more))
	}
	return errors.New("not ready: " + strings.Join(unready, ", "))
}

// causeText is why the group leaves.
func (r *run) causeText() string {
	r.mu.Lock()
	cause := r.cause
	r.mu.Unlock()
	if cause == nil {
		return "its group leaves"
	}
	return reasonText(cause)
}
