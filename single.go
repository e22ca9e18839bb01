package lastcall

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Stop stops one worker while the group runs on: softly, then with the time that the group would have for its stop.
// Workers that require it, see [Requires], are stopped before it, and start again when it does; other workers that
// depend on it run on. The worker stays in the group, stopped, until [Group.Start]; the group waits for that and does not
// end because everything else has ended.
//
// Stop returns when the worker has ended, with the error that it ended with, which is not in that of Run; it is nil if
// the worker had ended before. When ctx ends, Stop returns and the stop goes on.
//
// Here as in Start, Restart, Replace and Remove, name is a worker that was added with [Alone], or has a layer of its own
// for another reason (a restart policy, Requires, [Optional]); "group/worker" is one in a nested group. The error is a
// [ConfigError] where there is no such worker, and matches [ErrStopping] once the group leaves.
func (g *Group) Stop(ctx context.Context, name string) error {
	return g.single(ctx, name, func(r *run, l *layer) (done, error) {
		r.hold(l)
		return func() (bool, error) { return l.over, l.err() }, nil
	})
}

// Start starts a worker that was stopped, failed or completed, now rather than after its back-off, and returns when it
// is ready. A start that fails is its error, also where a restart policy goes on to try. When ctx ends, Start returns and
// the start goes on.
func (g *Group) Start(ctx context.Context, name string) error {
	return g.single(ctx, name, func(r *run, l *layer) (done, error) {
		r.startAlone(l)
		return r.started(l, nil), nil
	})
}

// Restart stops a worker and those that require it, as [Group.Stop] does, and starts it again, however it ended; those
// that require it follow. It returns when the worker is ready, as [Group.Start] does.
func (g *Group) Restart(ctx context.Context, name string) error {
	return g.single(ctx, name, func(r *run, l *layer) (done, error) {
		if !l.up {
			r.startAlone(l)
			return r.started(l, nil), nil
		}
		l.again = true
		if l.held { // it is on its way out
			l.held = false
		}
		r.recycleLayer(l, &StopCause{Reason: StopRestart, Worker: l.members[0].path()})
		return r.started(l, l.members[0].present()), nil
	})
}

// Replace starts w beside the named worker, with the name and in the place of it; as soon as w is ready, the old one is
// stopped softly and forgotten. What depends on the name depends on w from then on, and is not restarted. Replace returns
// when the old one has ended: with nil, or the error that it ended with.
//
// If w fails or completes with an error before it is ready, or ctx ends before that, w is stopped and the old one
// stays: the error is then a [ReplaceError], and Replace returns it when w has ended, so that the name can be replaced or removed
// again.
func (g *Group) Replace(ctx context.Context, name string, w Worker, opts ...Option) error {
	var l2 *layer
	err := g.single(ctx, name, func(r *run, l *layer) (done, error) {
		m := &l.members[0]
		s := newSpec(m.name, w, opts)
		if problems := r.replaceProblems(l, s); len(problems) > 0 {
			return nil, &ConfigError{Problems: problems}
		}
		l2 = r.place(s)
		l2.replaces, l.candidate = l, l2
		if l2.counts.unreadyDeps == 0 {
			r.start(l2)
		}
		return func() (bool, error) {
			switch {
			case l2.replaces == nil:
				return l.over, l.err()
			case l2.over:
				return true, &ReplaceError{Name: m.path(), Err: l2.err()}
			}
			return false, nil
		}, nil
	})
	if l2 == nil || ctx.Err() == nil {
		return err
	}
	r := l2.run
	r.mu.Lock()
	if l2.replaces == nil {
		r.unlock()
		return err
	}
	r.retire(l2, &StopCause{Reason: StopRequested, Err: context.Cause(ctx)})
	r.unlock()
	_ = r.waitUntil(context.WithoutCancel(ctx), func() (bool, error) { return l2.over, nil })
	return &ReplaceError{Name: l2.members[0].path(), Err: context.Cause(ctx)}
}

// Remove stops a worker as [Group.Stop] does, and forgets it: its name is free again. It cannot be done while another worker
// that has not ended depends on it, unless there is one [Beside] it.
func (g *Group) Remove(ctx context.Context, name string) error {
	return g.single(ctx, name, func(r *run, l *layer) (done, error) {
		for _, user := range l.users {
			if !user.to.over && !user.to.retired && !r.hasCompanion(l) {
				return nil, &ConfigError{Problems: []string{fmt.Sprintf("worker %q cannot be removed: %q depends on it", l.members[0].path(), user.to.members[0].path())}}
			}
		}
		r.retire(l, &StopCause{Reason: StopRequested})
		return func() (bool, error) { return l.over, l.err() }, nil
	})
}

// ReplaceError is a replacement that did not come to be: the old worker runs on.
type ReplaceError struct {
	Name string // the worker's path
	Err  error  // why the new one did not become ready
}

// Error names the worker and says why.
func (e *ReplaceError) Error() string {
	if e.Err == nil {
		return e.Name + ": not replaced: it ended before it was ready"
	}
	return e.Name + ": not replaced: " + e.Err.Error()
}

// Unwrap returns Err.
func (e *ReplaceError) Unwrap() error { return e.Err }

// done reports, with the run locked, whether what was begun is done, and how it went.
type done func() (bool, error)

// single finds a worker, begins something with it, and waits until that is done.
func (g *Group) single(ctx context.Context, name string, begin func(*run, *layer) (done, error)) error {
	r := g.current()
	if r == nil {
		return &ConfigError{Problems: []string{fmt.Sprintf("worker %q: its group does not run", name)}}
	}
	r.mu.Lock()
	l, inner, rest, err := r.find(name)
	if inner != nil {
		r.unlock()
		return inner.single(ctx, rest, begin)
	}
	var done done
	if err == nil {
		done, err = begin(r, l)
	}
	r.unlock()
	if err != nil {
		return err
	}
	return r.waitUntil(ctx, done)
}

// waitUntil waits until something is done, and returns how it went.
func (r *run) waitUntil(ctx context.Context, done done) error {
	for {
		r.mu.Lock()
		over, err := done()
		if !over && r.phase == phaseOver {
			over, err = true, ErrStopping
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if over {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// find is the layer of the named worker, or the nested group in which the rest of the name is to be found.
func (r *run) find(name string) (l *layer, inner *Group, rest string, err error) {
	if r.leaves() || r.phase == phaseLameDuck {
		return nil, nil, "", fmt.Errorf("worker %q: its group leaves: %w", r.prefix+name, ErrStopping)
	}
	m := r.index()[name]
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
	switch l := m.layer; {
	case !m.options().ownLayer() && len(l.members) > 1:
		return nil, nil, "", &ConfigError{Problems: []string{fmt.Sprintf("worker %q stops together with others: it was added without Alone", m.path())}}
	case l.candidate != nil:
		return nil, nil, "", &ConfigError{Problems: []string{fmt.Sprintf("worker %q is being replaced", m.path())}}
	default:
		return l, nil, "", nil
	}
}

// index is byName, made if need be.
func (r *run) index() map[string]*member {
	if r.byName == nil {
		r.byName = make(map[string]*member)
		for m := range r.members() {
			r.byName[m.name] = m
		}
	}
	return r.byName
}

// err is how a worker with a layer of its own ended, or failed to start.
func (l *layer) err() error {
	if x := l.members[0].extra; x != nil {
		return x.err
	}
	return nil
}

// hold stops a layer after those that require it, and keeps it stopped.
func (r *run) hold(l *layer) {
	if l.over || l.held {
		return
	}
	l.held = true
	cause := &StopCause{Reason: StopRequested, Worker: l.members[0].path()}
	r.recycleLayer(l, cause)
	if !l.up {
		r.endIdle(l, cause)
	}
	r.countOut(l)
}

// startAlone starts a layer that does not run, as soon as what it waits for is ready.
func (r *run) startAlone(l *layer) {
	if l.over {
		l.withdraw()
		if l.held {
			r.held--
		}
		l.over = false
		l.counts.live.Store(1)
		r.live++
		for _, dep := range l.deps {
			dep.to.counts.users++
		}
		m := &l.members[0]
		x := m.more()
		x.err, x.ends, x.restarts.at, x.restarts.attempts = nil, nil, nil, 0
		r.enter(m, StateWaiting, Event{})
	}
	if l.held && l.up { // it is on its way out
		l.again = true
	}
	l.held, l.recycle = false, nil
	if l.up && l.told {
		l.recycle = l.softCause
	}
	if x := l.members[0].extra; x != nil && x.restarts.delay != nil {
		r.deadlines.cancel(x.restarts.delay)
		x.restarts.delay = nil
	}
	r.startIfDue(l)
}

// started is done when the layer is ready in a start after the one that was.
func (r *run) started(l *layer, was *scope) done {
	m := &l.members[0]
	return func() (bool, error) {
		switch {
		case m.present() == was && l.up:
			return false, nil
		case l.ready:
			return true, nil
		case l.over, m.is() == StateRestarting:
			if err := l.err(); err != nil {
				return true, errorLater("%s: %w", m.path(), err)
			}
			return true, fmt.Errorf("%s: stopped before it was ready", m.path())
		case r.leaves():
			return true, ErrStopping
		}
		return false, nil
	}
}

// replaceProblems is what is wrong with s in the place of l.
func (r *run) replaceProblems(l *layer, s spec) []string {
	problems := r.placeProblems(s)
	if l.retired {
		problems = append(problems, fmt.Sprintf("worker %q is being removed", l.members[0].path()))
	}
	for _, name := range s.opt.after {
		m := r.byName[name]
		if m == nil {
			continue
		}
		if m.layer == l || m.layer.dependsOnLayer(l) {
			problems = append(problems, fmt.Sprintf("worker %q cannot start after %q, which depends on it", r.prefix+s.name, r.prefix+name))
		}
	}
	return problems
}

// dependsOnLayer reports whether l starts after other, directly or not.
func (l *layer) dependsOnLayer(other *layer) bool {
	return slices.ContainsFunc(l.deps, func(dep edge) bool { return dep.to == other || dep.to.dependsOnLayer(other) })
}

// takeOver gives a layer that has become ready the place of the one that it replaces.
func (r *run) takeOver(l *layer) {
	old := l.replaces
	l.replaces, old.candidate = nil, nil
	if r.byName != nil {
		r.byName[l.members[0].name] = &l.members[0]
	}
	old.withdraw()
	l.place, l.wasReady = old.place, old.wasReady
	l.inherit(old)
	if l.height > old.height {
		r.measure()
	}
	r.retire(old, &StopCause{Reason: StopReplaced, Worker: old.members[0].path()})
}

// retire stops a layer for good, to be forgotten.
func (r *run) retire(l *layer, cause *StopCause) {
	l.retired = true
	switch {
	case l.over:
		r.forget(l)
	case !l.up:
		r.endIdle(l, cause)
	case !l.told:
		l.recycle = cause // so that its end does not count as having become ready
		r.tell(l, cause)
	}
}

// countOut ends the group's waiting for a layer that has never been ready.
func (r *run) countOut(l *layer) {
	if !l.wasReady {
		l.wasReady = true
		r.countReady()
	}
}

// forget takes out a layer that is over. The list is made anew, since somebody may be walking along the old one.
func (r *run) forget(l *layer) {
	if !slices.Contains(r.layers, l) {
		return
	}
	if l.replaces != nil {
		l.replaces.candidate = nil
	} else {
		r.countOut(l)
	}
	if l.held {
		r.held--
		r.poke()
	}
	layers := make([]*layer, 0, len(r.layers))
	for _, other := range r.layers {
		if other != l {
			layers = append(layers, other)
		}
	}
	r.layers = layers
	users := l.users
	l.unlink()
	for _, user := range users {
		r.startIfDue(user.to)
	}
	if m := &l.members[0]; r.byName[m.name] == m {
		delete(r.byName, m.name)
	}
}

// endWaiting ends what waits for a layer that has failed before it was ever ready, and has not started.
func (r *run) endWaiting(l *layer) {
	if l.ready || l.replaces != nil || l.retired || r.leaves() {
		return
	}
	for _, user := range l.users {
		if u := user.to; !u.started && !u.over {
			r.endIdle(u, &StopCause{Reason: StopFailure, Worker: l.members[0].path(), Err: l.err()})
			r.countOut(u)
			r.endWaiting(u)
		}
	}
	r.countOut(l)
}
