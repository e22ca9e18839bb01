package engine

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	plans = flag.Int("plans", 20_000, "how many random plans TestPlans plays")
	seed  = flag.Uint64("seed", 0, "play only the plan with this seed")
)

// TestPlans plays random plans: groups of every shape, workers of every temper, all operations, at any instant. After
// each step everything that the engine counts is recounted, and what its actions say is held against the promises of the
// package's contract.
func TestPlans(t *testing.T) {
	first, n := uint64(1), *plans
	if *seed != 0 {
		first, n = *seed, 1
	} else if testing.Short() {
		n /= 10
	}
	for s := first; s < first+uint64(n); s++ {
		if err := playPlan(s); err != nil {
			t.Fatalf("seed %d: %v", s, err)
		}
	}
}

// playPlan plays one plan, and returns what went wrong with the plan as code.
func playPlan(seed uint64) (err error) {
	w := newWorld(seed)
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
			if v, ok := v.(error); ok {
				err = v
			}
		}
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, w.code())
		}
	}()
	w.play()
	return nil
}

// world is what an engine decides about: workers with tempers, and somebody who operates them.
type world struct {
	rand   *rand.Rand
	cfg    Config
	e      *Engine
	now    Time
	events []event // sorted by time
	steps  []step

	members  map[MemberID]*shadowMember
	replicas map[ReplicaID]*shadow
	specs    map[ReplicaID]Spec
	ops      map[OpID]*shadowOp
	nextOp   OpID

	group   GroupPhase
	asked   Time // when the stop was asked for
	stopped Time // when the soft stop began
	hard    bool
	ready   bool
}

type event struct {
	at Time
	do func()
}

type step struct {
	at Time
	in Input
}

type shadowMember struct {
	spec     Spec
	removing bool
}

// shadow is what the actions have said of a replica.
type shadow struct {
	id        ReplicaID
	member    MemberID
	index     int
	phase     Phase
	attempt   Attempt
	wasReady  bool // in the present attempt, or it completed
	joining   bool // an operation made it, and it has not been ready
	forgotten bool
	final     bool // it has ended so that a restart cannot mend it
	temper    temper
	told      Time
	prompt    bool // it returns in time
}

func newWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 17))
	w := &world{
		rand:     r,
		members:  map[MemberID]*shadowMember{},
		replicas: map[ReplicaID]*shadow{},
		specs:    map[ReplicaID]Spec{},
		ops:      map[OpID]*shadowOp{},
	}
	w.cfg = Config{
		Grace:    w.pick(time.Second, 5*time.Second, 25*time.Second),
		HardStop: w.pick(time.Second, 3*time.Second),
		Random:   func(n int64) int64 { return n / 2 },
		Remind:   r.IntN(2) == 0,
	}
	if r.IntN(3) == 0 {
		w.cfg.LameDuck = w.cfg.Grace / 4
	}
	w.e = New(w.cfg)
	w.e.piece = 1 + int(seed%5)
	return w
}

func (w *world) pick(list ...time.Duration) time.Duration { return list[w.rand.IntN(len(list))] }

func (w *world) chance(percent int) bool { return w.rand.IntN(100) < percent }

func (w *world) at(in time.Duration, do func()) {
	ev := event{w.now + in, do}
	i, _ := slices.BinarySearchFunc(w.events, ev, func(a, b event) int {
		if a.at <= b.at {
			return -1
		}
		return 1
	})
	w.events = slices.Insert(w.events, i, ev)
}

// play plays the plan to the end of the group.
func (w *world) play() {
	w.now = 1
	for range w.rand.IntN(8) {
		w.addMember()
	}
	w.step(Begin{})
	horizon := w.pick(10*time.Millisecond, time.Second, 10*time.Second)
	for range w.rand.IntN(12) {
		w.at(time.Duration(w.rand.Int64N(int64(horizon))), w.operate)
	}
	w.at(horizon+time.Duration(w.rand.Int64N(int64(horizon))), func() { w.askStop() })
	for steps := 0; w.group != GroupOver; steps++ {
		if steps > 20_000 {
			panic("the group does not end")
		}
		next := w.e.Next()
		switch {
		case len(w.events) > 0 && (next == 0 || w.events[0].at <= next):
			ev := w.events[0]
			w.events = w.events[1:]
			w.now = max(w.now, ev.at)
			ev.do()
		case next != 0:
			w.now = max(w.now, next)
			w.step(Tick{})
		default:
			panic("nothing will ever happen any more, and the group is not over")
		}
		w.checkTime()
	}
	for id, op := range w.ops {
		if !op.done {
			panic(fmt.Sprintf("operation %d, %#v, was never done", id, op.in))
		}
	}
}

func (w *world) askStop() {
	if w.group >= GroupStopping {
		return
	}
	if w.asked == 0 {
		w.asked = w.now
	}
	w.step(SoftStop{Now: w.chance(30)})
	if w.chance(20) {
		w.at(time.Duration(w.rand.Int64N(int64(w.cfg.Grace))), func() { w.hard = true; w.step(HardStop{}) })
	}
	if w.chance(10) {
		w.at(time.Duration(w.rand.Int64N(int64(w.cfg.Grace))), func() { w.hard = true; w.step(Force{}) })
	}
}

// nextMember is the identifier that the engine gives next.
func (w *world) nextMember() MemberID {
	if n := len(w.e.free); n > 0 {
		return MemberID(w.e.free[n-1])
	}
	return MemberID(len(w.e.replicas))
}

func (w *world) newOp(make func(OpID) Input) {
	w.nextOp++
	w.ask(make(w.nextOp))
}

// operate does one thing that an operator may do.
func (w *world) operate() {
	if w.group != GroupRunning && w.group != GroupLameDuck {
		return
	}
	member, ok := w.anyMember()
	if !ok {
		if w.group == GroupRunning {
			w.addMember()
		}
		return
	}
	if w.chance(5) { // perhaps none, or one that is being removed
		member = MemberID(w.rand.IntN(len(w.e.replicas) + 2))
	}
	index := All
	if w.chance(30) {
		index = w.rand.IntN(3)
	}
	switch w.rand.IntN(12) {
	case 0:
		if w.group == GroupRunning {
			w.addMember()
		}
	case 1:
		w.newOp(func(op OpID) Input { return Scale{op, member, 0} })
	case 2:
		w.newOp(func(op OpID) Input { return Suspend{op, member, index} })
	case 3:
		w.newOp(func(op OpID) Input { return Resume{op, member, index} })
	case 4:
		w.newOp(func(op OpID) Input { return Recycle{op, member, index} })
	case 5, 6:
		spec := w.anySpec(func(dep MemberID) bool { return dep != member && !w.e.DependsOn(dep, member) })
		if m := w.members[member]; m != nil && w.chance(50) {
			spec = m.spec.without(func(dep MemberID) bool {
				return w.members[dep] == nil || w.members[dep].removing || w.e.DependsOn(dep, member)
			})
		}
		w.newOp(func(op OpID) Input { return Replace{op, member, index, spec} })
	case 7, 8:
		w.newOp(func(op OpID) Input { return Scale{op, member, w.rand.IntN(5)} })
	case 9:
		w.newOp(func(op OpID) Input { return Remove{op, member, index} })
	case 10:
		if w.nextOp > 0 {
			op := 1 + OpID(w.rand.IntN(int(w.nextOp)))
			w.ops[op].withdrawn = true
			w.step(Withdraw{op})
		}
	case 11:
		if w.chance(30) {
			w.askStop()
		}
	}
}

// step feeds the engine, and lives through its actions.
func (w *world) step(in Input) {
	w.steps = append(w.steps, step{w.now, in})
	var actions []Action
	for more := w.e.Step(w.now, in); len(more) > 0; more = w.e.Continue() {
		actions = append(actions, more...)
	}
	if err := w.e.recount(); err != nil {
		panic(err)
	}
	for _, a := range actions {
		w.act(a)
	}
	w.checkOps()
}

func (w *world) act(a Action) {
	if w.group == GroupOver && a.Kind != Done && a.Kind != Forget {
		panic(fmt.Sprintf("the group is over, and then %+v", a))
	}
	switch a.Kind {
	case Added:
		if a.Replica == none {
			break
		}
		if w.replicas[a.Replica] != nil {
			panic(fmt.Sprintf("replica %d was added twice", a.Replica))
		}
		r := &shadow{id: a.Replica, member: a.Member, index: int(a.Index)}
		if op := w.ops[a.Op]; op != nil {
			r.joining = true
			op.made = append(op.made, r)
		}
		w.replicas[a.Replica] = r
		w.specs[a.Replica] = w.e.replicas[a.Replica].version().Spec
	case Forget:
		if a.Replica != none {
			if r := w.replicas[a.Replica]; r == nil || r.phase.Running() {
				panic(fmt.Sprintf("replica %d was forgotten while it runs", a.Replica))
			} else {
				r.forgotten = true
				w.noteSetback(r)
			}
			delete(w.replicas, a.Replica)
		}
		if a.Member >= 0 {
			delete(w.members, a.Member)
			is := func(dep MemberID) bool { return dep == a.Member }
			for id, spec := range w.specs {
				w.specs[id] = spec.without(is)
			}
			for _, m := range w.members {
				m.spec = m.spec.without(is)
			}
		}
	case Turn:
		if a.Group <= w.group {
			panic(fmt.Sprintf("the group went from %d to %d", w.group, a.Group))
		}
		w.group = a.Group
		switch a.Group {
		case GroupStopping:
			w.stopped = w.now
			if w.asked == 0 {
				w.asked = w.now
			}
		case GroupOver:
			for id, r := range w.replicas {
				if !r.phase.Ended() {
					panic(fmt.Sprintf("the group is over and replica %d is %v", id, r.phase))
				}
			}
		}
	case GroupReady:
		if w.ready {
			panic("the group was ready twice")
		}
		w.ready = true
	case Done:
		w.checkDone(a)
	case Overdue:
		w.noteSetback(w.replicas[a.Replica])
	case Enter:
		w.enter(a)
	}
}

func (w *world) enter(a Action) {
	r := w.replicas[a.Replica]
	if r == nil {
		panic(fmt.Sprintf("replica %d entered %v, and does not exist", a.Replica, a.Phase))
	}
	was := r.phase
	r.phase = a.Phase
	if a.Phase.Ended() || a.Phase == Restarting {
		w.noteSetback(r)
	}
	switch a.Phase {
	case Starting:
		w.checkStart(a, r)
		r.attempt, r.wasReady, r.told, r.prompt = a.Attempt, false, 0, false
		r.temper = w.anyTemper()
		w.live(a.Replica, r)
	case Ready:
		r.wasReady, r.joining = true, false
	case Stopping:
		w.checkTold(a, r)
		r.told = w.now
		if d := r.temper.soft; d >= 0 {
			plan := w.e.Plan(a.Replica)
			r.prompt = w.now+d < plan.HardAt
			w.at(d, func() { w.end(a.Replica, a.Attempt, r.temper.failed && !r.wasReady) })
		}
	case Cut:
		if was != Stopping {
			panic(fmt.Sprintf("replica %d was cut out of %v", a.Replica, was))
		}
		if plan := w.e.Plan(a.Replica); w.now < plan.HardAt && !w.hard {
			panic(fmt.Sprintf("replica %d was cut before its time, %v", a.Replica, plan.HardAt))
		}
		if d := r.temper.hard; d >= 0 {
			w.at(d, func() { w.end(a.Replica, a.Attempt, false) })
		}
	case Stopped:
		if r.attempt != 0 && was.Running() {
			r.wasReady = true
			r.joining = r.joining && was >= Stopping
		}
	case Failed, Waiting, Restarting:
		r.wasReady = r.wasReady && a.Phase == Failed
	}
}

// live makes an attempt behave as its temper says.
func (w *world) live(id ReplicaID, r *shadow) {
	attempt := r.attempt
	if !w.specs[id].AwaitReady {
		w.at(0, func() { w.step(BecameReady{id, attempt}) })
	} else if d := r.temper.ready; d >= 0 {
		w.at(d, func() { w.step(BecameReady{id, attempt}) })
	}
	if d := r.temper.ends; d >= 0 {
		w.at(d, func() { w.end(id, attempt, r.temper.failed) })
	}
}

func (w *world) end(id ReplicaID, attempt Attempt, failed bool) {
	r := w.replicas[id]
	if r != nil && r.attempt == attempt && r.phase == Cut && r.prompt && !w.hard && w.group < GroupStopping {
		panic(fmt.Sprintf("replica %d returned in time, and was cut", id))
	}
	final := failed && w.chance(5)
	if r != nil && r.attempt == attempt {
		r.final = final
	}
	w.step(Ended{Replica: id, Attempt: attempt, Failed: failed, Final: final})
}

// code is the plan as a test that can be pasted.
func (w *world) code() string {
	var b strings.Builder
	fmt.Fprintf(&b, "func TestPasted(t *testing.T) {\n\te := New(Config{Grace: %d, HardStop: %d, LameDuck: %d, Random: func(n int64) int64 { return n / 2 }, Remind: %v})\n",
		w.cfg.Grace, w.cfg.HardStop, w.cfg.LameDuck, w.cfg.Remind)
	b.WriteString("\tstep := func(now Time, in Input) {\n\t\tfor more := e.Step(now, in); len(more) > 0; more = e.Continue() {\n\t\t}\n\t}\n")
	for _, s := range w.steps {
		fmt.Fprintf(&b, "\tstep(%d, %s)\n", s.at, strings.ReplaceAll(fmt.Sprintf("%#v", s.in), "engine.", ""))
	}
	b.WriteString("\tif err := e.recount(); err != nil {\n\t\tt.Error(err)\n\t}\n}")
	return b.String()
}
