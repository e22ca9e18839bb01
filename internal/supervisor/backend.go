//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/process"
)

var _ control.Backend = (*Supervisor)(nil)

// target is a process with those of its instances that somebody named.
type target struct {
	*program
	def       *definition
	instances []*instance
	added     bool // the process is new
}

// targets are what these names mean: instances, or processes, which means all their instances; none means everything. They are
// in the order of the file.
func (s *Supervisor) targets(names []string) (list []*target, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
			return nil, control.Unknown(name, s.known())
		}
	}
	return list, nil
}

// known are all names. s.mu is held.
func (s *Supervisor) known() (names []string) {
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

// change calls do while nobody else changes the program. What another had begun with instances that are not ready yet is taken
// back if interrupt is set.
func (s *Supervisor) change(ctx context.Context, p *program, interrupt bool, do func(context.Context) error) error {
	if interrupt {
		s.mu.Lock()
		if p.interrupt != nil {
			p.interrupt(errors.New("somebody asked for something else"))
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

// asError is an error for the other side of the socket.
func asError(err error) error {
	var known *control.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, lastcall.ErrStopping):
		return &control.Error{Kind: control.KindLeaving, Text: "lastcall up is stopping"}
	case errors.Is(err, lastcall.ErrNotReplaced), didNotStart(err):
		return &control.Error{Kind: control.KindStart, Text: text.Error(err)}
	case wasCut(err):
		return &control.Error{Kind: control.KindCut, Text: text.Error(err)}
	}
	return &control.Error{Kind: control.KindFailed, Text: text.Error(err)}
}

// didNotStart reports whether err has the failure of a start.
func didNotStart(err error) bool {
	if failed, ok := err.(*lastcall.WorkerError); ok && failed.Starting {
		return true
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(many.Unwrap(), didNotStart)
	}
	inner := errors.Unwrap(err)
	return inner != nil && didNotStart(inner)
}

// Start starts what does not run, and what that depends on.
func (s *Supervisor) Start(ctx context.Context, names []string, progress func(string)) error {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	states := s.states()
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

// states are those of all workers.
func (s *Supervisor) states() map[string]lastcall.State {
	report := s.group.Report()
	states := make(map[string]lastcall.State, len(report.Workers))
	for _, w := range report.Workers {
		states[w.Name] = w.State
	}
	return states
}

// Stop stops softly, what depends on others before them.
func (s *Supervisor) Stop(ctx context.Context, names []string, progress func(string)) error {
	list, err := s.targets(names)
	if err != nil {
		return err
	}
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
	return asError(err)
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

// Logs are lines of output.
func (s *Supervisor) Logs(ctx context.Context, q control.LogQuery, fn func(control.Line) error) error {
	if _, err := s.targets(q.Names); err != nil {
		return err
	}
	err := s.out.Tail(ctx, q.Names, q.Last, q.Follow, func(t time.Time, name, text string) error {
		line := control.Line{Time: t, Name: name, Text: text}
		if i := s.instance(name); i != nil {
			line.Process = i.def.Name
		}
		return fn(line)
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// List is every instance. One that is being replaced, or has been and is still stopping, and the one in its place are two.
func (s *Supervisor) List(_ context.Context, usage bool) ([]control.Instance, error) {
	report := s.group.Report()
	workers := make(map[string][]*lastcall.WorkerReport, len(report.Workers))
	for n := range report.Workers {
		w := &report.Workers[n]
		workers[w.Name] = append(workers[w.Name], w)
	}
	// take is one of that name: rather not in such a state, or, if it is the second of two, rather in it.
	take := func(name string, second bool, states ...lastcall.State) (w *lastcall.WorkerReport) {
		all := workers[name]
		for n := range all {
			if w == nil || slices.Contains(states, all[n].State) == second {
				w = all[n]
			}
		}
		return w
	}
	type row struct {
		*instance
		w *lastcall.WorkerReport
	}
	coming := []lastcall.State{lastcall.StateWaiting, lastcall.StateStarting}
	going := []lastcall.State{lastcall.StateStopping, lastcall.StateCut}
	s.mu.Lock()
	var all []row
	for _, p := range s.order {
		for _, i := range p.instances {
			next, old := s.candidates[i.name], s.replaced[i.name]
			switch {
			case next != nil:
				all = append(all, row{i, take(i.name, false, coming...)}, row{next, take(i.name, true, coming...)})
			case old != nil:
				all = append(all, row{old, take(i.name, true, going...)}, row{i, take(i.name, false, going...)})
			default:
				all = append(all, row{i, take(i.name, false)})
			}
		}
	}
	s.mu.Unlock()
	list := make([]control.Instance, 0, len(all))
	for _, r := range all {
		list = append(list, r.describe(r.w, usage))
	}
	return list, nil
}

// describe is the instance for ps; w is what the group knows of it, which may be nothing yet.
func (i *instance) describe(w *lastcall.WorkerReport, usage bool) control.Instance {
	d := control.Instance{Name: i.name, Process: i.def.Name, PID: i.proc.PID(), Exit: i.exit(), Status: i.proc.Notes().Status}
	if w == nil {
		return d
	}
	d.State, d.Started, d.Restarts, d.Detail = w.State, w.Started, w.Restarts, w.Unready
	switch {
	case w.State.Ended() || w.State == lastcall.StateRestarting:
		d.Since = w.Ended
		if d.Detail = w.Err; d.Detail == "" {
			d.Detail = d.Exit
		}
	case w.State == lastcall.StateStopping, w.State == lastcall.StateCut:
		if d.Since = w.SoftStop; w.State == lastcall.StateCut {
			d.Since = w.HardStop
		}
		if d.Status == "" { // what it was told
			d.Status = w.Status
		}
	case w.State == lastcall.StateReady:
		d.Since = w.Ready
	default:
		d.Since = w.Started
	}
	if i.clock != nil {
		d.Next, d.Detail = i.clock.describe()
	}
	if usage && d.PID != 0 {
		if u, err := i.proc.Usage(); err == nil {
			d.CPU, d.Memory, d.Family = u.CPU, u.Memory, u.Processes
		}
	}
	return d
}

// Changed returns a channel that is closed at the next change of what List says.
func (s *Supervisor) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// Down stops everything, and returns when that is over.
func (s *Supervisor) Down(ctx context.Context, _ func(string)) error {
	s.stop(errors.New("lastcall down"))
	select {
	case <-ctx.Done():
		return asError(context.Cause(ctx))
	case <-s.over:
		return asError(s.err)
	}
}
