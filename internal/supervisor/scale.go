//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// Scale sets the number of instances of processes.
func (s *Supervisor) Scale(ctx context.Context, instances map[string]int, progress func(string)) error {
	list, err := s.targets(slices.Collect(maps.Keys(instances)))
	if err != nil {
		return err
	}
	for _, t := range list {
		n, ok := instances[t.name]
		switch {
		case !ok:
			return &control.Error{Kind: control.KindUsage, Text: fmt.Sprintf("scale is for processes, and %s is an instance", t.instances[0].name)}
		case n < 0:
			return &control.Error{Kind: control.KindUsage, Text: fmt.Sprintf("%s cannot have %d instances", t.name, n)}
		case n > 1 && t.def.Schedule != "":
			return &control.Error{Kind: control.KindUsage, Text: t.name + " has a schedule, and never runs twice at once"}
		}
	}
	err = each(list, false, func(t *target) error {
		return s.change(ctx, t.program, true, func(ctx context.Context) error {
			return s.scale(ctx, t.program, instances[t.name], progress)
		})
	})
	return asError(err)
}

// scale makes a process have n instances. The new ones have the next numbers, and the highest go first. It adds all or none: if one
// cannot be made or does not become ready, those that did go again, and nothing is left of any.
func (s *Supervisor) scale(ctx context.Context, p *program, n int, progress func(string)) error {
	s.mu.Lock()
	has, d := slices.Clone(p.instances), p.def
	s.mu.Unlock()
	first := has[0]
	parked := first.parked.Load()
	switch {
	case n == 0 && parked:
		return nil
	case n == 0:
		if err := s.drop(ctx, p, has[1:], progress); err != nil {
			return err
		}
		return s.park(ctx, first, progress)
	case n < len(has):
		return s.drop(ctx, p, has[n:], progress)
	}
	var extra need
	if parked {
		extra.add(d, n)
	} else {
		extra.add(d, n-len(has))
	}
	if err := extra.fits(); err != nil {
		return err
	}
	more, err := s.newInstances(d, len(has)+1, n)
	if err != nil {
		return err
	}
	if parked {
		if first, err = s.unpark(ctx, first, progress); err != nil {
			for _, i := range more {
				i.discard(nil)
			}
			return err
		}
	}
	if err = s.joinAll(ctx, p, more, first, progress); err != nil && parked && ctx.Err() == nil {
		err = errors.Join(err, s.park(context.WithoutCancel(ctx), first, progress))
	}
	return err
}

// newInstances makes those with the numbers from first to last, or none.
func (s *Supervisor) newInstances(d *definition, first, last int) (list []*instance, err error) {
	for n := first; n <= last; n++ {
		i, err := s.newInstance(d, n, nil)
		if err != nil {
			for _, i := range list {
				i.discard(nil)
			}
			return nil, err
		}
		list = append(list, i)
	}
	return list, nil
}

// errOther ends the start of an instance of which another has failed.
var errOther = errors.New("another instance did not start")

// joinAll puts new instances into the running group, all or none, beside the first one of the process. Where ctx ends it (the client is
// gone, or somebody asked for something else), those that are ready stay.
func (s *Supervisor) joinAll(ctx context.Context, p *program, list []*instance, first *instance, progress func(string)) error {
	joining, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := together(list, func(i *instance) error {
		err := s.join(joining, p, i, lastcall.Beside(first.name))
		switch {
		case err == nil:
			progress(i.name + ": ready")
		case errors.Is(context.Cause(joining), errOther):
			return nil // the other's error is the reason
		default:
			cancel(errOther)
		}
		return err
	})
	if err == nil || ctx.Err() != nil || errors.Is(err, lastcall.ErrStopping) {
		return err
	}
	list = slices.DeleteFunc(list, func(i *instance) bool { return s.instance(i.name) != i })
	return errors.Join(err, s.drop(context.WithoutCancel(ctx), p, list, progress))
}

// unpark starts the one instance of a process that has none at the moment. If it does not become ready, there is still none.
func (s *Supervisor) unpark(ctx context.Context, old *instance, progress func(string)) (*instance, error) {
	next, err := s.newInstance(old.def, old.number, old)
	if err != nil {
		return nil, err
	}
	if err := s.replace(ctx, old, next); err != nil {
		return nil, startError(ctx, old.name, err)
	}
	progress(next.name + ": ready")
	return next, nil
}

// park stops the last instance of a process, and keeps its place.
func (s *Supervisor) park(ctx context.Context, i *instance, progress func(string)) error {
	pid := i.proc.PID()
	i.parked.Store(true)
	i.held.Store(false)
	if err := s.group.Restart(ctx, i.name); err != nil {
		return err
	}
	if pid != 0 {
		progress(i.name + ": stopped")
	}
	return nil
}

// join puts a new instance into the running group, and returns when it is ready. It first keeps its place and runs nothing, so
// that one that does not become ready is no failure of the whole: it is taken out again.
func (s *Supervisor) join(ctx context.Context, p *program, i *instance, beside ...lastcall.Option) error {
	place := lastcall.Func(func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
	s.mu.Lock()
	p.instances = append(p.instances, i)
	slices.SortFunc(p.instances, func(a, b *instance) int { return a.number - b.number })
	s.names[i.name] = i
	s.mu.Unlock()
	opts := s.options(i.def)
	s.group.Add(i.name, place, slices.Concat(opts, beside, []lastcall.Option{lastcall.AwaitReady(0)})...)
	err := s.replace(ctx, i, i)
	invalid := (*lastcall.ConfigError)(nil)
	if errors.Is(err, lastcall.ErrNotReplaced) || errors.As(err, &invalid) {
		_ = s.group.Remove(context.WithoutCancel(ctx), i.name)
		s.forget(p, i)
	}
	return err
}

// drop stops instances and forgets them.
func (s *Supervisor) drop(ctx context.Context, p *program, list []*instance, progress func(string)) error {
	slices.Reverse(list)
	return together(list, func(i *instance) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := s.group.Remove(context.WithoutCancel(ctx), i.name) // once begun it is not taken back
		invalid := (*lastcall.ConfigError)(nil)
		if errors.Is(err, lastcall.ErrStopping) || errors.As(err, &invalid) {
			return err // it is still there
		}
		s.forget(p, i)
		progress(i.name + ": stopped and gone")
		return err
	})
}

// forget takes an instance that has ended, or never was, from the process.
func (s *Supervisor) forget(p *program, i *instance) {
	s.mu.Lock()
	p.instances = slices.DeleteFunc(slices.Clone(p.instances), func(other *instance) bool { return other == i })
	delete(s.names, i.name)
	s.mu.Unlock()
	i.discard(nil)
}
