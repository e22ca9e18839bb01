//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
)

// onReload is what SIGHUP does.
func (s *Supervisor) onReload(ctx context.Context) error {
	over, cancel := context.WithCancel(ctx)
	var saying sync.WaitGroup
	saying.Go(func() { s.sayAwaited(over) })
	defer saying.Wait()
	defer cancel()
	return s.reread(ctx, func(line string) { s.say("reload: %s", line) })
}

// sayAwaited says at growing intervals who is on their way, until ctx ends.
func (s *Supervisor) sayAwaited(ctx context.Context) {
	for pause := time.Second; lastcall.Sleep(ctx, pause) == nil; pause *= 2 {
		list, _ := s.List(ctx, false)
		if text := control.WaitingFor(control.Awaited(list, nil), time.Now()); text != "" {
			s.say("reload: %s", text)
		}
	}
}

// reread reads the file again, and starts, stops and replaces what changed. A file that cannot be used changes nothing. Log files are
// opened anew in any case, for who has renamed them.
func (s *Supervisor) reread(ctx context.Context, progress func(string)) error {
	if err := s.out.Reopen(); err != nil {
		s.say("%s", text.Error(err))
	}
	return s.withFile(ctx, func() error {
		ended := s.manager.reloads()
		file, err := s.opts.Load()
		if err == nil {
			err = s.apply(ctx, file, progress)
		}
		if err != nil {
			ended("not everything was reloaded: " + text.Error(err))
			return err
		}
		ended("reloaded")
		return nil
	})
}

// withFile calls do while nobody else changes what is to run.
func (s *Supervisor) withFile(ctx context.Context, do func() error) error {
	select {
	case s.filing <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-s.filing }()
	return do()
}

// choose adds processes that are in the file and were left out until now.
func (s *Supervisor) choose(ctx context.Context, names []string, progress func(string)) error {
	return s.withFile(ctx, func() error {
		s.mu.Lock()
		file, before := s.file, s.chosen
		var more []string
		for _, name := range names {
			if s.programs[name] == nil && s.names[name] == nil {
				more = append(more, name)
			}
		}
		s.mu.Unlock()
		if len(more) == 0 || before == nil {
			return nil
		}
		all, err := chosen(file, more)
		if err != nil {
			return err
		}
		maps.Copy(all, before)
		s.mu.Lock()
		s.chosen = all
		s.mu.Unlock()
		return s.apply(ctx, file, progress)
	})
}

// apply makes a file run. progress is told what is done. What cannot be started leaves what was there before in place.
func (s *Supervisor) apply(ctx context.Context, file *config.File, progress func(string)) error {
	s.mu.Lock()
	old := s.file
	wanted := s.wanted(file)
	s.mu.Unlock()
	defs, err := s.defineAll(wanted)
	if err != nil {
		return err
	}
	defer s.closeSockets()
	for _, d := range defs {
		if err := s.sockets.open(d.Name, d.Listen); err != nil {
			return err
		}
	}
	d := s.differ(file, defs)
	if err := s.room(d); err != nil {
		return err
	}
	for _, what := range onlyAtStart(old, file) {
		progress(what + ": changed, which counts when lastcall up is started again")
	}
	s.mu.Lock()
	s.file = file
	s.mu.Unlock()

	err = each(d.stop, true, func(t *target) error { return s.halt(ctx, t, progress) })
	err = errors.Join(err, s.remove(ctx, d.removed, func(t *target) bool { return !d.later[t.name] }))
	if ctx.Err() != nil || errors.Is(err, lastcall.ErrStopping) {
		return err
	}
	var mu sync.Mutex
	failed := map[string]bool{}
	bring := func(t *target, do func() error) error {
		mu.Lock()
		for _, dep := range t.def.dependencies() {
			if failed[dep] {
				failed[t.name] = true
				mu.Unlock()
				return &control.Error{Kind: control.KindStart, Text: fmt.Sprintf("%s: left as it was, since %s did not start", t.name, dep)}
			}
		}
		mu.Unlock()
		err := do()
		if err != nil {
			mu.Lock()
			failed[t.name] = true
			mu.Unlock()
		}
		return err
	}
	err = errors.Join(err, each(slices.Concat(d.added, d.changed), false, func(t *target) error {
		return bring(t, func() error {
			if t.added {
				return s.bringIn(ctx, t, progress)
			}
			return s.alter(ctx, t, progress)
		})
	}))
	err = errors.Join(err, s.remove(ctx, d.removed, func(t *target) bool { return d.later[t.name] }))
	for name, n := range d.scaled {
		s.mu.Lock()
		p := s.programs[name]
		s.mu.Unlock()
		if p == nil || failed[name] {
			continue
		}
		err = errors.Join(err, s.change(ctx, p, false, func(ctx context.Context) error {
			err := s.scale(ctx, p, n, progress)
			if err == nil {
				s.setCount(p, n)
			}
			return err
		}))
	}
	s.sort(file)
	if err := s.watchFiles(); err != nil {
		progress(err.Error())
	}
	if len(d.added)+len(d.changed)+len(d.removed)+len(d.scaled) == 0 {
		progress("nothing has changed")
	}
	return err
}

// halt stops the instances of a process that goes, or is about to be replaced.
func (s *Supervisor) halt(ctx context.Context, t *target, progress func(string)) error {
	return s.change(ctx, t.program, true, func(ctx context.Context) error {
		return together(t.instances, func(i *instance) error {
			err := s.group.Stop(ctx, i.name)
			if err == nil {
				progress(i.name + ": stopped")
			}
			return err
		})
	})
}

// remove forgets processes, those that need others first.
func (s *Supervisor) remove(ctx context.Context, list []*target, which func(*target) bool) error {
	return each(slices.DeleteFunc(slices.Clone(list), func(t *target) bool { return !which(t) }), true, func(t *target) error {
		return s.change(ctx, t.program, true, func(ctx context.Context) error {
			s.mu.Lock()
			instances := slices.Clone(t.program.instances)
			s.mu.Unlock()
			err := s.group.Remove(context.WithoutCancel(ctx), t.name) // once begun it is not taken back
			if err := s.gone(t.program, instances, err, func(*instance) {}); err != nil {
				return err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.programs, t.name)
			s.order = slices.DeleteFunc(s.order, func(p *program) bool { return p == t.program })
			return nil
		})
	})
}

// bringIn starts a process that is new, with all its instances or none.
func (s *Supervisor) bringIn(ctx context.Context, t *target, progress func(string)) error {
	p := t.program
	return s.change(ctx, p, false, func(ctx context.Context) error {
		n := t.def.Instances
		list, err := s.newInstances(t.def, freeNumbers(nil, n))
		if err != nil {
			return err
		}
		s.mu.Lock()
		p.count = 0
		s.programs[p.name] = p
		s.order = append(s.order, p)
		s.mu.Unlock()
		s.group.AddN(p.name, 0, s.replicas(p), s.options(p.def)...)
		if n > 0 {
			err = s.grow(ctx, p, n, list, func(i *instance) { progress(i.name + ": started") })
		}
		if err == nil {
			s.setCount(p, n)
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, lastcall.ErrStopping) {
			return err // what was done stays done, and the next reload goes on
		}
		_ = s.group.Remove(context.WithoutCancel(ctx), p.name)
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.programs, p.name)
		s.order = slices.DeleteFunc(s.order, func(other *program) bool { return other == p })
		return err
	})
}

// setCount notes how many instances the file wants.
func (s *Supervisor) setCount(p *program, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.count = n
}

// alter gives a process its new definition: to one instance after another, with held sockets the new one first.
func (s *Supervisor) alter(ctx context.Context, t *target, progress func(string)) error {
	return s.change(ctx, t.program, true, func(ctx context.Context) error {
		for _, i := range t.instances {
			if err := s.alterOne(ctx, i, t.def, progress); err != nil {
				return err
			}
		}
		if len(t.instances) == 0 { // those to come
			if err := s.group.ReplaceN(ctx, t.name, s.replicas(t.program), s.options(t.def)...); err != nil {
				return err
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		t.program.def = t.def
		return nil
	})
}

func (s *Supervisor) alterOne(ctx context.Context, i *instance, d *definition, progress func(string)) error {
	began, pid := time.Now(), i.proc.PID()
	if i.rolls() && pid != 0 && len(d.Listen) > 0 && sameLog(i.def, d) {
		next, err := s.roll(ctx, i, d)
		if err == nil {
			progress(fmt.Sprintf("%s: replaced, pid %d by %d, in %v", i.name, pid, next.proc.PID(), since(began)))
		}
		return err
	}
	next, err := s.newInstance(d, i.number, i) // first: while this fails, nothing has happened to i
	if err != nil {
		return err
	}
	held := i.held.Load()
	if err := s.group.Stop(ctx, i.name); err != nil && (ctx.Err() != nil || errors.Is(err, lastcall.ErrStopping)) {
		next.discard(i)
		if !held && !errors.Is(err, lastcall.ErrStopping) { // the reload is given up, and it runs as before
			_ = s.group.Start(context.WithoutCancel(ctx), i.name)
		}
		return err
	}
	next.idle.Store(held)
	if err := s.replace(ctx, i, next); err != nil {
		if s.instance(i.name) == i {
			next.discard(i)
		}
		if errors.Is(err, lastcall.ErrNotReplaced) && !held && s.group.Start(context.WithoutCancel(ctx), i.name) == nil {
			err = fmt.Errorf("%w; it runs as before", err)
		}
		return err
	}
	i.discard(next)
	if held { // somebody stopped it, and it stays so
		err := s.group.Stop(ctx, next.name)
		next.held.Store(true)
		next.idle.Store(false)
		progress(next.name + ": has a new definition, and stays stopped")
		return err
	}
	progress(fmt.Sprintf("%s: restarted with its new definition, pid %d, in %v", i.name, next.proc.PID(), since(began)))
	return nil
}

// sameLog reports whether the output of two definitions of a process goes to the same place.
func sameLog(a, b *definition) bool { return a.Log == b.Log && a.log.Equal(b.log) }

// sort puts the processes in the order of the file.
func (s *Supervisor) sort(file *config.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := map[string]int{}
	for n, p := range file.Processes {
		at[p.Name] = n
	}
	slices.SortStableFunc(s.order, func(a, b *program) int { return at[a.name] - at[b.name] })
}

// closeSockets closes those that no process has any more, nor any of its instances: one may still have an older definition.
func (s *Supervisor) closeSockets() {
	wanted := map[config.Listener]bool{}
	need := func(d *definition) {
		for _, l := range d.Listen {
			wanted[l] = true
		}
	}
	s.mu.Lock()
	for _, p := range s.order {
		need(p.def)
		for _, i := range p.instances {
			need(i.def)
		}
	}
	s.mu.Unlock()
	s.sockets.keep(wanted)
}
