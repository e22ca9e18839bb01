package lastcall

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lastcall-go/lastcall/internal/engine"
)

// Stop stops one worker while the group runs on: softly, then with the time that the group would have for its stop.
// Workers that require it, see [Requires], are stopped before it, and start again when it does; other workers that
// depend on it run on. The worker stays in the group, stopped, until [Group.Start]; the group waits for that and does not
// end because everything else has ended.
//
// Stop returns when the worker has ended, with the error that it ended with, which is not in that of Run; it is nil if
// the worker had ended before. When ctx ends, Stop returns and the stop goes on.
//
// Here as in Start, Restart, Replace and Remove, "group/worker" is a worker in a nested group, "web-2" is the second replica
// of a member that was added as "web" with [Group.AddN], and "web" is all its replicas: they stop and start together, and
// the error has a [WorkerError] for each that failed. The error is a [ConfigError] where there is no such worker, and
// matches [ErrStopping] once the group leaves.
func (g *Group) Stop(ctx context.Context, name string) error {
	return g.operate(ctx, name, workerFirst, func(r *run, t *target, op *operation) (engine.Input, error) {
		op.result = func(engine.Result) error { return t.ends() }
		return engine.Suspend{Op: op.id, Member: t.place, Index: t.index}, nil
	})
}

// Start starts a worker that was stopped, failed or completed, now rather than after its back-off, and returns when it
// is ready. A start that fails is its error, also where a restart policy goes on to try. When ctx ends, Start returns and
// the start goes on.
func (g *Group) Start(ctx context.Context, name string) error {
	return g.operate(ctx, name, workerFirst, func(r *run, t *target, op *operation) (engine.Input, error) {
		op.result = t.startResult
		return engine.Resume{Op: op.id, Member: t.place, Index: t.index}, nil
	})
}

// Restart stops a worker and those that require it, as [Group.Stop] does, and starts it again, however it ended; those
// that require it follow. It returns when the worker is ready, as [Group.Start] does. The replicas of a member restart one
// after another, until one is not ready; where something requires the member, they restart together, so that it does so
// only once.
func (g *Group) Restart(ctx context.Context, name string) error {
	var list []string // of what is to restart one after another
	err := g.operate(ctx, name, workerFirst, func(r *run, t *target, op *operation) (engine.Input, error) {
		if len(t.list) > 1 && !r.engine.Requiring(t.place) {
			group := strings.TrimSuffix(name, t.path[len(r.prefix):])
			for _, m := range t.list {
				list = append(list, group+m.name)
			}
			return nil, errOneByOne
		}
		op.result = t.startResult
		return engine.Recycle{Op: op.id, Member: t.place, Index: t.index}, nil
	})
	if err != errOneByOne { //nolint:errorlint // it is the very one
		return err
	}
	for _, name := range list {
		if err := g.Restart(ctx, name); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

var errOneByOne = errors.New("lastcall: one by one")

// startResult is the error of an operation that starts workers.
func (t *target) startResult(result engine.Result) error {
	switch {
	case result == engine.OK:
		return nil
	case result == engine.Leaving:
		return ErrStopping
	case t.index == engine.All:
		return startsOf(t.list)
	}
	m := t.list[0]
	if err := m.err(); err != nil {
		return errorLater("%s: %w", m.path(), err)
	}
	return fmt.Errorf("%s: stopped before it was ready", m.path())
}

// ends are the errors that workers have ended with.
func (t *target) ends() error {
	if t.index == engine.All {
		return joinErrors(errorsOf(t.list, false))
	}
	return t.list[0].err()
}

// Replace starts w beside the named worker, with the name and in the place of it; as soon as w is ready, the old one is
// stopped softly and forgotten. What depends on the name depends on w from then on, and is not restarted. Replace returns
// when the old one has ended: with nil, or the error that it ended with.
//
// If w fails or completes with an error before it is ready, or ctx ends before that, w is stopped and the old one
// stays: the error then matches [ErrNotReplaced], and Replace returns it when w has ended, so that the name can be replaced or removed
// again.
//
// It replaces one worker, or one replica of a member; [Group.ReplaceN] replaces all replicas.
func (g *Group) Replace(ctx context.Context, name string, w Worker, opts ...Option) error {
	return g.operate(ctx, name, workerFirst, func(r *run, t *target, op *operation) (engine.Input, error) {
		if t.index == engine.All {
			return nil, configError("worker %q has replicas, see ReplaceN", t.path)
		}
		m := t.list[0]
		s := newSpec(m.name, w, opts)
		problems := append(r.placeProblems(s), r.cycleProblems(s, m.place, "it")...)
		if r.engine.Wanted(m.id) == engine.Gone {
			problems = append(problems, fmt.Sprintf("worker %q is being removed", m.path()))
		}
		if len(problems) > 0 {
			return nil, &ConfigError{Problems: problems}
		}
		if m.opt.pool != nil {
			own := *s.opt
			own.pool, s.opt = m.opt.pool, &own
		}
		r.orders++
		next := r.newMember(s.name, s.w, s.opt, r.orders)
		op.coming = map[int]*member{t.index: next}
		op.result = func(result engine.Result) error {
			switch result {
			case engine.OK:
				if p := m.opt.pool; p != nil && next.id != forgotten && r.engine.IsModel(next.id) {
					p.opt = next.opt
				}
				return m.err()
			case engine.Leaving:
				return m.notReplaced(ErrStopping)
			}
			return m.notReplaced(next.err())
		}
		op.withdrawn = func(cause error) error {
			if next.extra.replaces == nil {
				return cause
			}
			return m.notReplaced(cause)
		}
		return engine.Replace{Op: op.id, Member: t.place, Index: t.index, Spec: r.specOf(s.opt)}, nil
	})
}

// Remove stops a worker as [Group.Stop] does, and forgets it: its name is free again. It cannot be done while another worker
// that has not ended depends on it. One replica of several can always be removed; with the last
// one goes the member.
func (g *Group) Remove(ctx context.Context, name string) error {
	return g.operate(ctx, name, memberFirst, func(r *run, t *target, op *operation) (engine.Input, error) {
		op.result = func(engine.Result) error { return t.ends() }
		return engine.Remove{Op: op.id, Member: t.place, Index: t.index}, nil
	})
}

// target is what an operation is about: a worker, or the replicas of a member.
type target struct {
	path  string
	list  []*member
	pool  *pool // nil where it is no member with replicas
	place engine.MemberID
	index int // engine.All where it is all replicas
}

// preference is what a name means that both a member and a replica of it have. No member that is added with AddN has such a replica,
// unless it says its name by itself.
type preference uint8

const (
	workerFirst preference = iota
	memberFirst
)

// An operation is something asked of one member, and whom to tell when it is done.
type operation struct {
	id        engine.OpID
	done      chan struct{}
	outcome   error
	path      string
	result    func(engine.Result) error // the error of the operation, with the run locked
	withdrawn func(cause error) error   // the error when the caller's context ended first; nil if that is its cause
	coming    map[int]*member           // by index, those that the engine is about to add for it
}

// operate finds a worker, begins something with it, and waits until that is done.
func (g *Group) operate(ctx context.Context, name string, first preference, begin func(*run, *target, *operation) (engine.Input, error)) error {
	r := g.current()
	if r == nil {
		return configError("worker %q: its group does not run", name)
	}
	r.lock()
	t, inner, rest, err := r.find(name, first)
	if inner != nil {
		r.unlock()
		return inner.operate(ctx, rest, first, begin)
	}
	var op *operation
	if err == nil {
		r.lastOp++
		op = &operation{id: r.lastOp, done: make(chan struct{}), path: t.path}
		var in engine.Input
		if in, err = begin(r, t, op); err == nil {
			r.ops[op.id] = op
			r.stepLocked(in)
		}
	}
	r.unlock()
	if err != nil {
		return err
	}
	select {
	case <-op.done:
		return op.outcome
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	r.lock()
	if r.ops[op.id] == nil { // it was done meanwhile
		r.unlock()
		return op.outcome
	}
	if op.withdrawn != nil {
		cause = op.withdrawn(cause)
	}
	r.stepLocked(engine.Withdraw{Op: op.id})
	r.unlock()
	<-op.done // at once, or when what has not taken its place has ended
	return cause
}

// operationDone tells the caller of an operation.
func (r *run) operationDone(a *engine.Action) {
	op := r.ops[a.Op]
	delete(r.ops, a.Op)
	path := op.path
	switch a.Result {
	case engine.Withdrawn: // the caller knows
	case engine.InUse:
		op.outcome = configError("worker %q cannot be removed: %q depends on it", path, r.nameOf(a.Member))
	case engine.Busy:
		op.outcome = configError("worker %q is being replaced, scaled or removed", path)
	case engine.Unknown:
		op.outcome = configError("there is no worker %q in the group", path)
	default:
		op.outcome = op.result(a.Result)
	}
	done := func(Event) { close(op.done) }
	if !r.observed() {
		r.later(func() { done(Event{}) })
		return
	}
	r.bus.post(Event{}, []func(Event){done}) // after the events of what was done: the caller may forget what they are about
	r.posted = true
}

// nameOf is the path of the worker in that place.
func (r *run) nameOf(place engine.MemberID) string {
	if p := r.poolAt[place]; p != nil {
		return r.prefix + p.name
	}
	for _, id := range r.engine.Replicas(place) {
		return r.members[id].path()
	}
	return ""
}

// find is the named worker or member, or the nested group in which the rest of the name is to be found.
func (r *run) find(name string, first preference) (t *target, inner *Group, rest string, err error) {
	if r.leaving() || r.phase == engine.GroupLameDuck {
		return nil, nil, "", fmt.Errorf("worker %q: its group is stopping: %w", r.prefix+name, ErrStopping)
	}
	m, p := r.memberOf(name), r.pools[name]
	switch {
	case p != nil && (m == nil || first == memberFirst):
		return &target{path: r.prefix + p.name, list: r.replicasOf(p), pool: p, place: p.place, index: engine.All}, nil, "", nil
	case m == nil:
		if outer, rest, ok := strings.Cut(name, "/"); ok {
			if of := r.memberOf(outer); of != nil {
				if inner, ok := of.w.(*Group); ok {
					return nil, inner, rest, nil
				}
			}
		}
		return nil, nil, "", configError("there is no worker %q in the group", r.prefix+name)
	case m.extra != nil && m.extra.candidate != nil:
		return nil, nil, "", configError("worker %q is being replaced", m.path())
	}
	return &target{path: m.path(), list: []*member{m}, place: m.place, index: r.engine.Index(m.id)}, nil, "", nil
}

func configError(format string, args ...any) *ConfigError {
	return &ConfigError{Problems: []string{fmt.Sprintf(format, args...)}}
}
