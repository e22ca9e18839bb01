//go:build unix

package supervisor

import (
	"context"
	"slices"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

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
			next, old := i.next, i.old
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
	d := control.Instance{Name: i.name, Process: i.def.Name, Description: i.def.Description, PID: i.proc.PID(), Exit: i.exit(), Status: i.proc.Notes().Status}
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

// states are those of all workers.
func (s *Supervisor) states() map[string]lastcall.State {
	report := s.group.Report()
	states := make(map[string]lastcall.State, len(report.Workers))
	for _, w := range report.Workers {
		states[w.Name] = w.State
	}
	return states
}
