package lastcall

import (
	"context"
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
// Here as in Start, Restart, Replace and Remove, "group/worker" is a worker in a nested group. The error is a [ConfigError]
// where there is no such worker, and matches [ErrStopping] once the group leaves.
func (g *Group) Stop(ctx context.Context, name string) error {
	return g.operate(ctx, name, func(r *run, m *member, op *operation) (engine.Input, error) {
		op.result = func(engine.Result) error { return m.err() }
		return engine.Suspend{Op: op.id, Member: m.place, Index: r.engine.Index(m.id)}, nil
	})
}

// Start starts a worker that was stopped, failed or completed, now rather than after its back-off, and returns when it
// is ready. A start that fails is its error, also where a restart policy goes on to try. When ctx ends, Start returns and
// the start goes on.
func (g *Group) Start(ctx context.Context, name string) error {
	return g.operate(ctx, name, func(r *run, m *member, op *operation) (engine.Input, error) {
		op.result = m.startResult
		return engine.Resume{Op: op.id, Member: m.place, Index: r.engine.Index(m.id)}, nil
	})
}

// Restart stops a worker and those that require it, as [Group.Stop] does, and starts it again, however it ended; those
// that require it follow. It returns when the worker is ready, as [Group.Start] does.
func (g *Group) Restart(ctx context.Context, name string) error {
	return g.operate(ctx, name, func(r *run, m *member, op *operation) (engine.Input, error) {
		op.result = m.startResult
		return engine.Recycle{Op: op.id, Member: m.place, Index: r.engine.Index(m.id)}, nil
	})
}

// startResult is the error of an operation that starts the worker.
func (m *member) startResult(result engine.Result) error {
	switch result {
	case engine.OK:
		return nil
	case engine.Leaving:
		return ErrStopping
	}
	if err := m.err(); err != nil {
		return errorLater("%s: %w", m.path(), err)
	}
	return fmt.Errorf("%s: stopped before it was ready", m.path())
}

// Replace starts w beside the named worker, with the name and in the place of it; as soon as w is ready, the old one is
// stopped softly and forgotten. What depends on the name depends on w from then on, and is not restarted. Replace returns
// when the old one has ended: with nil, or the error that it ended with.
//
// If w fails or completes with an error before it is ready, or ctx ends before that, w is stopped and the old one
// stays: the error then matches [ErrNotReplaced], and Replace returns it when w has ended, so that the name can be replaced or removed
// again.
func (g *Group) Replace(ctx context.Context, name string, w Worker, opts ...Option) error {
	return g.operate(ctx, name, func(r *run, m *member, op *operation) (engine.Input, error) {
		s := newSpec(m.name, w, opts)
		problems := append(r.placeProblems(s), r.cycleProblems(s, m, "it")...)
		if r.engine.Wanted(m.id) == engine.Gone {
			problems = append(problems, fmt.Sprintf("worker %q is being removed", m.path()))
		}
		if len(problems) > 0 {
			return nil, &ConfigError{Problems: problems}
		}
		r.orders++
		next := &member{name: s.name, w: s.w, run: r, opt: s.opt, order: r.orders, id: forgotten}
		next.first.m = next
		next.more().replaces, m.more().candidate = m, next
		r.adding = next
		op.result = func(result engine.Result) error {
			switch result {
			case engine.OK:
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
		return engine.Replace{Op: op.id, Member: m.place, Index: r.engine.Index(m.id), Spec: r.specOf(s.opt)}, nil
	})
}

// Remove stops a worker as [Group.Stop] does, and forgets it: its name is free again. It cannot be done while another worker
// that has not ended depends on it, unless there is one [Beside] it.
func (g *Group) Remove(ctx context.Context, name string) error {
	return g.operate(ctx, name, func(r *run, m *member, op *operation) (engine.Input, error) {
		op.result = func(engine.Result) error { return m.err() }
		return engine.Remove{Op: op.id, Member: m.place, Index: r.engine.Index(m.id)}, nil
	})
}

// An operation is something asked of one worker, and whom to tell when it is done.
type operation struct {
	id        engine.OpID
	done      chan struct{}
	outcome   error
	m         *member
	result    func(engine.Result) error // the error of the operation, with the run locked
	withdrawn func(cause error) error   // the error when the caller's context ended first; nil if that is its cause
}

// operate finds a worker, begins something with it, and waits until that is done.
func (g *Group) operate(ctx context.Context, name string, begin func(*run, *member, *operation) (engine.Input, error)) error {
	r := g.current()
	if r == nil {
		return &ConfigError{Problems: []string{fmt.Sprintf("worker %q: its group does not run", name)}}
	}
	r.lock()
	m, inner, rest, err := r.find(name)
	if inner != nil {
		r.unlock()
		return inner.operate(ctx, rest, begin)
	}
	var op *operation
	if err == nil {
		r.lastOp++
		op = &operation{id: r.lastOp, done: make(chan struct{}), m: m}
		var in engine.Input
		if in, err = begin(r, m, op); err == nil {
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
	path := op.m.path()
	switch a.Result {
	case engine.Withdrawn: // the caller knows
	case engine.InUse:
		op.outcome = &ConfigError{Problems: []string{fmt.Sprintf("worker %q cannot be removed: %q depends on it", path, r.nameOf(a.Member))}}
	case engine.Busy:
		op.outcome = &ConfigError{Problems: []string{fmt.Sprintf("worker %q is being replaced", path)}}
	case engine.Unknown:
		op.outcome = &ConfigError{Problems: []string{fmt.Sprintf("there is no worker %q in the group", path)}}
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

// nameOf is the path of a worker in that place.
func (r *run) nameOf(place engine.MemberID) string {
	for _, m := range r.members {
		if m != nil && m.place == place {
			return m.path()
		}
	}
	return ""
}

// find is the named worker, or the nested group in which the rest of the name is to be found.
func (r *run) find(name string) (m *member, inner *Group, rest string, err error) {
	if r.leaving() || r.phase == engine.GroupLameDuck {
		return nil, nil, "", fmt.Errorf("worker %q: its group is stopping: %w", r.prefix+name, ErrStopping)
	}
	m = r.byName[name]
	if m == nil {
		if outer, rest, ok := strings.Cut(name, "/"); ok {
			if of := r.byName[outer]; of != nil {
				if inner, ok := of.w.(*Group); ok {
					return nil, inner, rest, nil
				}
			}
		}
		return nil, nil, "", &ConfigError{Problems: []string{fmt.Sprintf("there is no worker %q in the group", r.prefix+name)}}
	}
	if m.extra != nil && m.extra.candidate != nil {
		return nil, nil, "", &ConfigError{Problems: []string{fmt.Sprintf("worker %q is being replaced", m.path())}}
	}
	return m, nil, "", nil
}
