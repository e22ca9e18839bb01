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

// scale makes a process have n instances. The new ones have the next numbers, and the highest go first.
func (s *Supervisor) scale(ctx context.Context, p *program, n int, progress func(string)) error {
	s.mu.Lock()
	has, d := slices.Clone(p.instances), p.def
	s.mu.Unlock()
	first := has[0]
	switch {
	case n == 0 && !first.parked.Load():
		if err := s.drop(ctx, p, has[1:], progress); err != nil {
			return err
		}
		return s.park(ctx, first, progress)
	case n == 0:
		return nil
	case first.parked.Load():
		first.parked.Store(false)
		first.held.Store(false)
		if err := s.group.Restart(ctx, first.name); err != nil {
			return startError(ctx, first.name, err)
		}
		progress(first.name + ": ready")
	}
	if n < len(has) {
		return s.drop(ctx, p, has[n:], progress)
	}
	var more []*instance
	for number := len(has) + 1; number <= n; number++ {
		i, err := s.newInstance(d, number, nil)
		if err != nil {
			return err
		}
		more = append(more, i)
	}
	return together(more, func(i *instance) error {
		if err := s.join(ctx, p, i, lastcall.Beside(first.name)); err != nil {
			return err
		}
		progress(i.name + ": ready")
		return nil
	})
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
	if not := (*lastcall.ReplaceError)(nil); errors.As(err, &not) {
		s.forget(p, i)
		_ = s.group.Remove(context.WithoutCancel(ctx), i.name)
		return err
	}
	return err
}

// drop stops instances and forgets them.
func (s *Supervisor) drop(ctx context.Context, p *program, list []*instance, progress func(string)) error {
	slices.Reverse(list)
	return together(list, func(i *instance) error {
		err := s.group.Remove(ctx, i.name)
		invalid := (*lastcall.ConfigError)(nil)
		if errors.Is(err, lastcall.ErrStopping) || ctx.Err() != nil || errors.As(err, &invalid) {
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
	if i.source != nil {
		i.source.Close()
	}
}
