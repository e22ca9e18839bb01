//go:build unix

package supervisor

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// target is a process with those of its instances that somebody named.
type target struct {
	*program
	def       *definition
	instances []*instance
	added     bool // the process is new
}

// targets are what these names and patterns mean: instances, or processes, which means all their instances; none means everything. They
// are in the order of the file.
func (s *Supervisor) targets(names []string) (list []*target, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if names, err = control.Match(names, s.knownLocked(), "ps"); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, p := range s.order {
		t := &target{program: p, def: p.def}
		if len(names) == 0 || slices.Contains(names, p.name) {
			found[p.name] = true
			t.instances = slices.Clone(p.instances)
			list = append(list, t)
			continue
		}
		for _, i := range p.instances {
			if slices.Contains(names, i.name) {
				found[i.name] = true
				t.instances = append(t.instances, i)
			}
		}
		if len(t.instances) > 0 {
			list = append(list, t)
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, control.Unknown(name, s.knownLocked(), "ps")
		}
	}
	return list, nil
}

// knownLocked are all names.
func (s *Supervisor) knownLocked() (names []string) {
	for _, p := range s.order {
		names = append(names, p.name)
		for _, i := range p.instances {
			if i.name != p.name {
				names = append(names, i.name)
			}
		}
	}
	return names
}

// each calls do for each target, those that do not depend on each other at the same time: what one depends on comes before it,
// or with reverse after it. It returns all errors.
func each(list []*target, reverse bool, do func(*target) error) error {
	done := make(map[string]chan struct{}, len(list))
	for _, t := range list {
		done[t.name] = make(chan struct{})
	}
	before := make(map[string][]string, len(list))
	for _, t := range list {
		for _, dep := range t.def.dependencies() {
			if reverse {
				before[dep] = append(before[dep], t.name)
			} else {
				before[t.name] = append(before[t.name], dep)
			}
		}
	}
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for n, t := range list {
		all.Go(func() {
			defer close(done[t.name])
			for _, name := range before[t.name] {
				if c := done[name]; c != nil {
					<-c
				}
			}
			errs[n] = do(t)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// together calls do for each instance at the same time.
func together(list []*instance, do func(*instance) error) error {
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for n, i := range list {
		all.Go(func() { errs[n] = do(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// errInterrupted ends what another change takes the place of.
var errInterrupted = errors.New("somebody asked for something else")

// change calls do while nobody else changes the program. What another had begun with instances that are not ready yet is taken
// back if interrupt is set.
func (s *Supervisor) change(ctx context.Context, p *program, interrupt bool, do func(context.Context) error) error {
	if interrupt {
		s.mu.Lock()
		if p.interrupt != nil {
			p.interrupt(errInterrupted)
		}
		s.mu.Unlock()
	}
	select {
	case p.busy <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.over:
		return lastcall.ErrStopping
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	p.interrupt = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		p.interrupt = nil
		s.mu.Unlock()
		cancel(nil)
		<-p.busy
	}()
	return do(ctx)
}
