//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

// Start starts what does not run, and what that depends on.
func (s *Supervisor) Start(ctx context.Context, names []string, progress func(string)) error {
	names, err := s.inFile(names)
	if err != nil {
		return err
	}
	if err := s.choose(ctx, names, progress); err != nil {
		return asError(err)
	}
	list, err := s.targets(names)
	if err != nil {
		return err
	}
	list = s.withDependencies(list)
	err = each(list, false, func(t *target) error {
		return s.change(ctx, t.program, false, func(context.Context) error {
			return together(t.instances, func(i *instance) error { return s.start(ctx, i, progress) })
		})
	})
	return asError(err)
}

// start starts one instance.
func (s *Supervisor) start(ctx context.Context, i *instance, progress func(string)) error {
	if i.clock != nil && i.clock.runs() {
		progress(i.name + ": running it now")
		return i.clock.runNow(ctx)
	}
	i.held.Store(false)
	if err := s.group.Start(ctx, i.name); err != nil {
		return startError(ctx, i.name, err)
	}
	progress(i.name + ": ready")
	return nil
}

// startError is why something did not start.
func startError(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil || errors.Is(err, lastcall.ErrStopping) {
		return err
	}
	return &control.Error{Kind: control.KindStart, Text: text.Error(err)}
}

// withDependencies adds what the targets need that was stopped or has failed.
func (s *Supervisor) withDependencies(list []*target) []*target {
	states := s.states()
	s.mu.Lock()
	defer s.mu.Unlock()
	has := map[string]bool{}
	for _, t := range list {
		has[t.name] = true
	}
	for n := 0; n < len(list); n++ { // it grows
		for _, name := range list[n].def.dependencies() {
			p := s.programs[name]
			if p == nil || has[name] {
				continue
			}
			has[name] = true
			t := &target{program: p, def: p.def}
			for _, i := range p.instances {
				if i.held.Load() || states[i.name] == lastcall.StateFailed {
					t.instances = append(t.instances, i)
				}
			}
			list = append(list, t)
		}
	}
	return list
}

// Stop stops softly, what depends on others before them: of what is not named, what requires something that is. It starts again with
// that. What only comes after it runs on.
func (s *Supervisor) Stop(ctx context.Context, names []string, progress func(string)) error {
	list, err := s.targets(names)
	if err != nil {
		return err
	}
	requiring, others := s.dependents(list)
	err = each(list, true, func(t *target) error {
		return s.change(ctx, t.program, true, func(context.Context) error {
			return together(t.instances, func(i *instance) error {
				i.held.Store(true)
				err := s.group.Stop(ctx, i.name)
				if err == nil {
					progress(i.name + ": stopped")
				}
				return err
			})
		})
	})
	states := s.states()
	for _, i := range requiring {
		if states[i.name] == lastcall.StateWaiting {
			progress(i.name + ": stopped, and starts again with what it requires")
		}
	}
	for _, i := range others {
		progress(i.name + ": runs on, since it does not require what it comes after")
	}
	return asError(err)
}

// dependents are the instances that run and are not among these, but depend on one: by requires, directly or not, and else by after.
func (s *Supervisor) dependents(list []*target) (requiring, others []*instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stops := map[string]bool{} // by process
	for _, t := range list {
		stops[t.name] = true
	}
	among := func(name string) bool { return stops[name] }
	named := maps.Clone(stops)
	for more := true; more; {
		more = false
		for _, p := range s.order {
			if !stops[p.name] && slices.ContainsFunc(p.def.Requires, among) {
				stops[p.name], more = true, true
			}
		}
	}
	for _, p := range s.order {
		for _, i := range p.instances {
			switch {
			case named[p.name] || i.proc.PID() == 0:
			case stops[p.name]:
				requiring = append(requiring, i)
			case slices.ContainsFunc(p.def.After, among):
				others = append(others, i)
			}
		}
	}
	return requiring, others
}

// Restart starts anew, one instance after another.
func (s *Supervisor) Restart(ctx context.Context, names []string, progress func(string)) error {
	list, err := s.targets(names)
	if err != nil {
		return err
	}
	err = each(list, false, func(t *target) error {
		return s.change(ctx, t.program, false, func(ctx context.Context) error { return s.restart(ctx, t, progress) })
	})
	return asError(err)
}

// restart restarts the instances of one process, one after another: with held sockets the new one comes first.
func (s *Supervisor) restart(ctx context.Context, t *target, progress func(string)) error {
	for _, i := range t.instances {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := s.restartOne(ctx, i, progress); err != nil {
			return err
		}
	}
	return nil
}

func (s *Supervisor) restartOne(ctx context.Context, i *instance, progress func(string)) error {
	began, pid := time.Now(), i.proc.PID()
	if i.rolls() && pid != 0 {
		next, err := s.roll(ctx, i, i.def)
		if err != nil {
			return err
		}
		progress(fmt.Sprintf("%s: replaced, pid %d by %d, in %v", i.name, pid, next.proc.PID(), since(began)))
		return nil
	}
	i.held.Store(false)
	if err := s.group.Restart(ctx, i.name); err != nil {
		return startError(ctx, i.name, err)
	}
	progress(fmt.Sprintf("%s: restarted, pid %d, in %v", i.name, i.proc.PID(), since(began)))
	return nil
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }

// Reload has processes read their configuration; without names it reads the file again.
func (s *Supervisor) Reload(ctx context.Context, names []string, progress func(string)) error {
	if len(names) == 0 {
		return asError(s.reread(ctx, progress))
	}
	list, err := s.targets(names)
	if err != nil {
		return err
	}
	err = each(list, false, func(t *target) error {
		return s.change(ctx, t.program, false, func(ctx context.Context) error { return s.reload(ctx, t, progress) })
	})
	return asError(err)
}

// reloadWithin is how long a process has that says when it has reloaded.
const reloadWithin = time.Minute

// reload tells the instances of one process to read their configuration, in its own way if it has one.
func (s *Supervisor) reload(ctx context.Context, t *target, progress func(string)) error {
	if t.def.reload == 0 && t.def.reloadBy == nil {
		return s.restart(ctx, t, progress)
	}
	for _, i := range t.instances {
		limit, cancel := context.WithTimeoutCause(ctx, reloadWithin, fmt.Errorf("%v are over", reloadWithin))
		err := i.reload(limit)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", i.name, err)
		}
		progress(i.name + ": told to reload")
	}
	return nil
}

// Signal sends a signal to the main process of each.
func (s *Supervisor) Signal(_ context.Context, names []string, name string) error {
	sig, err := process.ParseSignal(name)
	if err != nil {
		return &control.Error{Kind: control.KindUsage, Text: err.Error()}
	}
	list, err := s.targets(names)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range list {
		for _, i := range t.instances {
			if err := i.signal(sig); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return asError(errors.Join(errs...))
}

func (i *instance) signal(sig syscall.Signal) error {
	if i.proc.PID() == 0 {
		return fmt.Errorf("%s does not run", i.name)
	}
	if err := i.proc.Signal(sig); err != nil {
		return fmt.Errorf("%s: %w", i.name, err)
	}
	return nil
}
