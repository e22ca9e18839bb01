//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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

// scale makes a process have n instances. The new ones have the lowest free numbers, and the highest go. It adds all or none: if one
// cannot be made or does not become ready, those that did go again, and nothing is left of any.
func (s *Supervisor) scale(ctx context.Context, p *program, n int, progress func(string)) error {
	s.mu.Lock()
	has, d := slices.Clone(p.instances), p.def
	s.mu.Unlock()
	if n <= len(has) {
		return s.shrink(ctx, p, n, has[n:], progress)
	}
	var extra need
	extra.add(d, n-len(has))
	if err := extra.fits(); err != nil {
		return err
	}
	more, err := s.newInstances(d, freeNumbers(has, n-len(has)))
	if err != nil {
		return err
	}
	return s.grow(ctx, p, n, more, func(i *instance) { progress(i.name + ": ready") })
}

// freeNumbers are the n lowest that no instance has.
func freeNumbers(has []*instance, n int) (free []int) {
	for number := 1; len(free) < n; number++ {
		if !slices.ContainsFunc(has, func(i *instance) bool { return i.number == number }) {
			free = append(free, number)
		}
	}
	return free
}

// newInstances makes those with these numbers, or none.
func (s *Supervisor) newInstances(d *definition, numbers []int) (list []*instance, err error) {
	for _, n := range numbers {
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

// replicas gives the group the instances of a process by their numbers. They are made before.
func (s *Supervisor) replicas(p *program) func(number int) lastcall.Worker {
	return func(number int) lastcall.Worker {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, i := range p.instances {
			if i.number == number {
				return i
			}
		}
		return nil
	}
}

// grow makes new instances of a process run in the group, which has n then. Where ctx ends it (the client is gone, or somebody asked for
// something else), those that are ready stay.
func (s *Supervisor) grow(ctx context.Context, p *program, n int, more []*instance, started func(*instance)) error {
	limit, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if d := more[0].def; d.Ready.Within == 0 && !d.Oneshot { // its own limit it may extend, and a task takes its time
		timer := time.AfterFunc(readyWithin, func() { cancel(fmt.Errorf("not ready within %v", readyWithin)) })
		defer timer.Stop()
	}
	s.mu.Lock()
	p.instances = append(slices.Clone(p.instances), more...)
	slices.SortFunc(p.instances, func(a, b *instance) int { return a.number - b.number })
	for _, i := range more {
		s.names[i.name] = i
	}
	s.mu.Unlock()
	ready := s.follow(more, started, lastcall.StateReady)
	err := s.group.Scale(limit, p.name, n)
	said := ready()
	if limit.Err() != nil && ctx.Err() == nil && err != nil && !errors.Is(err, lastcall.ErrStopping) { // those that are ready do not stay either
		err = s.withdraw(ctx, p, n-len(more), more, &lastcall.WorkerError{Name: p.name, Starting: true, Err: err})
	}
	states := s.states()
	for _, i := range more {
		if _, stays := states[i.name]; !stays {
			s.forget(p, i)
		} else if !said[i] && (err == nil || states[i.name] == lastcall.StateReady) {
			started(i)
		}
	}
	return err
}

// withdraw takes new instances out again that are in the group, for the reason err.
func (s *Supervisor) withdraw(ctx context.Context, p *program, before int, more []*instance, err error) error {
	ctx = context.WithoutCancel(ctx)
	if before == 0 {
		return errors.Join(err, s.group.Scale(ctx, p.name, 0))
	}
	states := s.states()
	return errors.Join(err, together(more, func(i *instance) error {
		if _, is := states[i.name]; !is {
			return nil
		}
		return s.group.Remove(ctx, i.name)
	}))
}

// shrink stops the surplus of a process that is to have n instances, and forgets it.
func (s *Supervisor) shrink(ctx context.Context, p *program, n int, surplus []*instance, progress func(string)) error {
	if len(surplus) == 0 {
		return nil
	}
	say := func(i *instance) { progress(i.name + ": stopped and gone") }
	ended := s.follow(surplus, say, lastcall.StateStopped, lastcall.StateFailed)
	err := s.group.Scale(context.WithoutCancel(ctx), p.name, n) // once begun it is not taken back
	said := ended()
	return s.gone(p, surplus, err, func(i *instance) {
		if !said[i] {
			say(i)
		}
	})
}

// gone forgets instances of which the group says that they have ended with err, unless that says that they are still there.
func (s *Supervisor) gone(p *program, list []*instance, err error, say func(*instance)) error {
	if errors.Is(err, lastcall.ErrStopping) || errors.As(err, new(*lastcall.ConfigError)) {
		return err
	}
	for _, i := range slices.Backward(list) {
		s.forget(p, i)
		say(i)
	}
	return err
}

// forget takes an instance that has ended, or never was, from the process.
func (s *Supervisor) forget(p *program, i *instance) {
	s.mu.Lock()
	p.instances = slices.DeleteFunc(slices.Clone(p.instances), func(other *instance) bool { return other == i })
	delete(s.names, i.name)
	s.mu.Unlock()
	i.discard(nil)
}
