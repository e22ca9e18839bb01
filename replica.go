package lastcall

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// AddN puts n equal workers into the group, n >= 0: the replicas of one member. worker makes them. It is called with the
// replica's number, from 1, once for each, on the goroutine that called AddN, and later on those that call [Group.Scale].
//
//	group.AddN("consumer", 4, func(replica int) lastcall.Worker { return consumer(queue, replica) }, lastcall.After("store"))
//
// The replicas have the names consumer-1 to consumer-4: in events, in the report, and for [Group.Stop], Start, Restart,
// Replace and Remove. The member's name, consumer, is what others name in [After] and [Requires], and means all replicas.
// What depends on the member starts when all its replicas are ready, and they are told to stop when all of that has returned.
// Each replica fails, restarts and ends by itself, as the options say.
//
// A member with no replicas is parked: for what depends on it it is ready, and the group does not end before it is told to.
//
// Everything else is as for [Group.Add].
func (g *Group) AddN(name string, n int, worker func(replica int) Worker, opts ...Option) {
	g.add(newPool(name, n, worker, opts))
}

// Scale sets the number of replicas of a member that was added with [Group.AddN], n >= 0. New ones have the lowest free
// numbers, and those with the highest numbers go. Scale returns when the new ones are ready, or when the surplus ones have
// ended, with the errors that those ended with.
//
// It adds all or none: if one does not become ready, all that it added are stopped and forgotten, and the error is a
// [WorkerError] for each that failed. When ctx ends, those that are not ready are stopped and forgotten, the others stay, and
// Scale returns when they have ended; a surplus replica ends in any case. What depends on the member runs on meanwhile.
//
// The error is a [ConfigError] where there is no such member, or where it is being replaced, scaled or removed, and matches
// [ErrStopping] once the group leaves.
func (g *Group) Scale(ctx context.Context, name string, n int) error {
	return g.operateN(ctx, name, func(r *run, t *target, op *operation, made map[int]Worker) (engine.Input, error) {
		if n < 0 {
			return nil, configError("worker %q cannot have %d replicas", t.path, n)
		}
		p := t.pool
		numbers := r.engine.NewIndices(p.place, n)
		if err := p.lacks(p.worker, numbers, made); err != nil {
			return nil, err
		}
		list, err := r.newReplicas(op, p, p.opt, numbers, made)
		if err != nil {
			return nil, err
		}
		surplus := t.list[min(n, len(t.list)):]
		op.result = func(result engine.Result) error {
			switch {
			case result == engine.Leaving:
				return ErrStopping
			case result == engine.OK:
				return joinErrors(errorsOf(surplus, false))
			}
			return startsOf(list)
		}
		return engine.Scale{Op: op.id, Member: p.place, Replicas: n}, nil
	})
}

// ReplaceN is [Group.Replace] for all replicas of a member that was added with [Group.AddN], one after another, each by what
// worker makes for its number. Replicas that Scale adds later are made by worker, too, and have these options.
//
// If a new replica does not become ready, or ctx ends before it is, its predecessor and those after it stay; those that were
// replaced before are not taken back.
func (g *Group) ReplaceN(ctx context.Context, name string, worker func(replica int) Worker, opts ...Option) error {
	return g.operateN(ctx, name, func(r *run, t *target, op *operation, made map[int]Worker) (engine.Input, error) {
		p := t.pool
		s := newPool(p.name, 0, worker, opts)
		if problems := append(r.placeProblems(s), r.cycleProblems(s, p.place, "it")...); len(problems) > 0 {
			return nil, &ConfigError{Problems: problems}
		}
		numbers := make([]int, len(t.list))
		for i, m := range t.list {
			numbers[i] = r.engine.Index(m.id)
		}
		if err := p.lacks(worker, numbers, made); err != nil {
			return nil, err
		}
		opt := *s.opt
		opt.pool = p
		list, err := r.newReplicas(op, p, &opt, numbers, made)
		if err != nil {
			return nil, err
		}
		late := func() (old, next *member) { // the first that has not taken its place
			for i, next := range list {
				if next.id == forgotten || next.extra != nil && next.extra.replaces != nil {
					return t.list[i], next
				}
			}
			return nil, nil
		}
		op.result = func(result engine.Result) error {
			if result == engine.OK {
				p.worker, p.opt = worker, &opt
				return t.ends()
			}
			err := ErrStopping
			old, next := late()
			if result != engine.Leaving && next != nil {
				err = next.err()
			}
			if old == nil {
				return err
			}
			return old.notReplaced(err)
		}
		op.withdrawn = func(cause error) error {
			if old, _ := late(); old != nil {
				return old.notReplaced(cause)
			}
			return cause
		}
		return engine.Replace{Op: op.id, Member: p.place, Index: engine.All, Spec: r.specOf(&opt)}, nil
	})
}

// A pool is a member with replicas. What is not set when it is made is guarded by run.mu.
type pool struct {
	name   string
	worker func(replica int) Worker
	opt    *options // of replicas to come; they point here
	first  []pooled // the replicas to begin with

	place  engine.MemberID
	order  int32           // as member.order
	coming map[int]*member // by index, the first ones until they are added
}

// pooled is a replica before the run.
type pooled struct {
	number int // from 1
	w      Worker
}

// newPool is a member with n replicas, as it is added.
func newPool(name string, n int, worker func(replica int) Worker, opts []Option) spec {
	opt := newOptions(opts)
	p := &pool{name: name, worker: worker, opt: opt, coming: map[int]*member{}}
	opt.pool = p
	switch {
	case worker == nil:
		opt.problem("AddN with a nil function")
	case n < 0:
		opt.problem("AddN(%d) is negative", n)
	}
	for number := 1; number <= n && worker != nil; number++ {
		p.first = append(p.first, pooled{number, worker(number)})
	}
	if len(p.first) > 0 {
		p.opt = opt.ofWorker(p.first[0].w)
	}
	return spec{name: name, opt: p.opt}
}

// replicaName is the name of a replica. A worker of package supervisor may have one that its users know.
func (p *pool) replicaName(number int, w Worker) string {
	if named, ok := w.(interface{ ReplicaName() string }); ok && !isNil(w) {
		return named.ReplicaName()
	}
	return p.name + "-" + strconv.Itoa(number)
}

// names are those of the replicas before the run.
func (p *pool) names() (names []string) {
	for _, one := range p.first {
		names = append(names, p.replicaName(one.number, one.w))
	}
	return names
}

// missing asks for replicas, which user code makes with the run unlocked.
type missing struct {
	worker  func(replica int) Worker
	numbers []int
}

func (m *missing) Error() string { return "lastcall: replicas are to be made" }

// lacks is an error if one of the replicas with these indices is still to be made.
func (p *pool) lacks(worker func(int) Worker, indices []int, made map[int]Worker) error {
	var m missing
	for _, i := range indices {
		if _, ok := made[i+1]; !ok {
			m.numbers = append(m.numbers, i+1)
		}
	}
	if m.numbers == nil {
		return nil
	}
	m.worker = worker
	return &m
}

// operateN is operate for a member with replicas. begin is called again when it lacked some.
func (g *Group) operateN(ctx context.Context, name string, begin func(*run, *target, *operation, map[int]Worker) (engine.Input, error)) error {
	made := map[int]Worker{}
	for {
		err := g.operate(ctx, name, memberFirst, func(r *run, t *target, op *operation) (engine.Input, error) {
			if t.pool == nil {
				return nil, configError("worker %q is one worker and has no replicas, see AddN", t.path)
			}
			return begin(r, t, op, made)
		})
		m, ok := err.(*missing)
		if !ok {
			return err
		}
		for _, number := range m.numbers {
			made[number] = m.worker(number)
		}
	}
}

// addPoolLocked adds a checked member with replicas to the engine.
func (r *run) addPoolLocked(s spec, order int32) {
	p := s.opt.pool
	p.order = order
	r.pools[p.name] = p
	indices := make([]int, len(p.first))
	for i, one := range p.first {
		indices[i] = one.number - 1
		p.coming[one.number-1] = r.newMember(p.replicaName(one.number, one.w), one.w, p.opt.ofWorker(one.w), order)
	}
	r.placing = p
	r.stepLocked(engine.Add{Spec: r.specOf(p.opt), Replicas: len(indices), Indices: indices})
}

// newReplicas makes members of a pool, for the engine to add.
func (r *run) newReplicas(op *operation, p *pool, opt *options, indices []int, made map[int]Worker) (list []*member, err error) {
	var problems []string
	for _, i := range indices {
		w := made[i+1]
		name := p.replicaName(i+1, w)
		s := spec{name: name, w: w, opt: noOptions}
		problems = append(problems, s.problems(r.prefix)...)
		problems = append(problems, s.nestedProblems([]*Group{r.group}, r.prefix)...)
		if other := r.pools[name]; other != nil && other != p {
			problems = append(problems, fmt.Sprintf("worker %q was added twice", r.prefix+name))
		} else if m := r.memberOf(name); m != nil && m.opt.pool != p {
			problems = append(problems, fmt.Sprintf("worker %q was added twice", r.prefix+name))
		}
		r.orders++
		list = append(list, r.newMember(name, w, opt.ofWorker(w), r.orders))
	}
	if len(problems) > 0 {
		return nil, &ConfigError{Problems: problems}
	}
	op.coming = make(map[int]*member, len(list))
	for n, i := range indices {
		op.coming[i] = list[n]
	}
	return list, nil
}

// coming is the member that the engine has added: alone, for an operation, or with a pool. It is nil for a pool without any.
func (r *run) coming(a *engine.Action) *member {
	if m := r.adding; m != nil {
		r.adding = nil
		return m
	}
	if p := r.placing; p != nil {
		p.place = a.Member
		r.poolAt[a.Member] = p
		r.placing = nil
	}
	if a.Replica < 0 {
		return nil
	}
	p := r.poolAt[a.Member]
	if op := r.ops[a.Op]; op == nil {
		m := p.coming[int(a.Index)]
		delete(p.coming, int(a.Index))
		return m
	} else if m := op.coming[int(a.Index)]; r.memberOf(m.name) == nil {
		m.order = p.order
		return m
	} else {
		old := r.memberOf(m.name)
		m.more().replaces, old.more().candidate = old, m
		return m
	}
}

// dropPool forgets a member, if it is one with replicas.
func (r *run) dropPool(at engine.MemberID) {
	if p := r.poolAt[at]; p != nil {
		delete(r.poolAt, at)
		delete(r.pools, p.name)
	}
}

// replicasOf are the present replicas of a pool.
func (r *run) replicasOf(p *pool) (list []*member) {
	for _, id := range r.engine.Replicas(p.place) {
		if m := r.members[id]; m.extra == nil || m.extra.replaces == nil {
			list = append(list, m)
		}
	}
	return list
}

// again is the pool as it is now, for the next run of its group.
func (r *run) again(p *pool) spec {
	opt := *p.opt
	next := &pool{name: p.name, worker: p.worker, opt: &opt, coming: map[int]*member{}}
	opt.pool = next
	for _, m := range r.replicasOf(p) {
		next.first = append(next.first, pooled{r.engine.Index(m.id) + 1, m.w})
	}
	return spec{name: p.name, opt: &opt}
}

// startsOf is why workers did not start.
func startsOf(list []*member) error {
	if errs := errorsOf(list, true); len(errs) > 0 {
		return joinErrors(errs)
	}
	return &WorkerError{Name: list[0].path(), Starting: true, Err: errors.New("stopped before it was ready")}
}

// errorsOf are the errors that workers have ended with, or failed to start with.
func errorsOf(list []*member, starting bool) (errs []error) {
	for _, m := range list {
		switch err := m.err(); {
		case err == nil:
		case isFailure(err):
			errs = append(errs, &WorkerError{Name: m.path(), Starting: starting, Err: err})
		default:
			errs = append(errs, err)
		}
	}
	return errs
}
