package lastcall

import (
	"maps"
	"slices"
	"time"
)

// Report describes a group's run up to now. Its String is the waterfall of the stop; package timeline draws it as a
// picture, and reads and writes it as JSON.
type Report struct {
	State    State          `json:"state"`              // of the group as a whole
	Cause    string         `json:"cause,omitempty"`    // why it stops or stopped
	Started  time.Time      `json:"started,omitzero"`   // Run was called
	LameDuck time.Time      `json:"lame_duck,omitzero"` // the lame-duck delay began
	SoftStop time.Time      `json:"soft_stop,omitzero"` // the soft stop of the first workers
	HardStop time.Time      `json:"hard_stop,omitzero"` // the whole group was cut: its grace expired or a second signal came
	Ended    time.Time      `json:"ended,omitzero"`     // the last worker returned or was abandoned
	Taken    time.Time      `json:"taken"`              // when this report was made
	Grace    time.Duration  `json:"grace_ns"`           // soft stop → hard stop
	Workers  []WorkerReport `json:"workers"`            // in stop order, a nested group before its workers
	Problems []string       `json:"problems,omitempty"` // what was rejected, see [EventRejected]
}

// WorkerReport describes one worker. If it restarted, the times are those of its last attempt.
type WorkerReport struct {
	Name        string    `json:"name"`                  // path: "group/worker"
	Member      string    `json:"member,omitempty"`      // path of its member: Name, unless it was added with AddN
	Replica     int       `json:"replica,omitempty"`     // its number among the member's replicas, from 1; 0 if it was added with Add
	Attempt     int       `json:"attempt,omitempty"`     // which start it is, from 1; 0 before the first
	PID         int       `json:"pid,omitempty"`         // of the process that it runs now, see package process; 0 if none
	After       []string  `json:"after,omitempty"`       // paths of what it depends on
	Group       bool      `json:"group,omitempty"`       // it is a group; its workers follow
	State       State     `json:"state"`                 //
	Cause       string    `json:"cause,omitempty"`       // of its soft stop, or of its hard stop
	Started     time.Time `json:"started,omitzero"`      // its function was entered
	Ready       time.Time `json:"ready,omitzero"`        // it was ready
	SoftStop    time.Time `json:"soft_stop,omitzero"`    // its soft stop
	HardStop    time.Time `json:"hard_stop,omitzero"`    // its hard stop
	Ended       time.Time `json:"ended,omitzero"`        // it returned, or was abandoned
	Unready     string    `json:"unready,omitempty"`     // why it is not ready now
	Status      string    `json:"status,omitempty"`      // its last [Status]
	InFlight    int       `json:"in_flight,omitempty"`   // units of work under way at its soft stop; before it: now
	Interrupted int       `json:"interrupted,omitempty"` // units that the hard stop cut
	Lost        int       `json:"lost,omitempty"`        // units of work that were accepted and not done, see [ErrLost]
	Restarts    int       `json:"restarts,omitempty"`    // starts after the first
	Err         string    `json:"error,omitempty"`       // how it failed, or what was cut
	Stacks      string    `json:"stacks,omitempty"`      // of its panic, or of its goroutines if abandoned
	Leaks       string    `json:"leaks,omitempty"`       // stacks of goroutines that it left behind
}

// report collects what is known now, groups in the group included.
func (r *run) report() Report {
	r.lock()
	rep := Report{
		State:    r.state(),
		Started:  r.began,
		LameDuck: r.time(r.duckAt),
		SoftStop: r.time(r.stopAt),
		HardStop: r.time(r.cutAt),
		Ended:    r.time(r.endedAt),
		Taken:    time.Now(),
		Grace:    r.engine.Grace(),
		Problems: slices.Clone(r.problems),
	}
	if rep.Grace == 0 {
		rep.Grace = r.group.Grace
		orDefault(&rep.Grace, DefaultGrace)
	}
	cause := r.cause
	var texts []reportTexts
	groups := map[string]*Group{}
	members := r.inOrder()
	slices.SortStableFunc(members, func(a, b *member) int { return r.engine.Depth(b.id) - r.engine.Depth(a.id) })
	names := r.pathsOfPools()
	for _, m := range members {
		w, t := r.reportOf(m, names)
		texts = append(texts, t)
		if g, ok := m.w.(*Group); ok {
			groups[w.Name], w.Group = g, true
		}
		rep.Workers = append(rep.Workers, w)
	}
	leaks, losses := r.leaks, maps.Clone(r.losses)
	r.unlock()

	if cause != nil {
		rep.Cause = reasonText(cause)
	}
	for i, t := range texts {
		if t.cause != nil {
			rep.Workers[i].Cause = reasonText(t.cause)
		}
		if t.err != nil {
			rep.Workers[i].Err = textOf(t.err)
		}
	}

	slices.SortStableFunc(rep.Workers, stopOrder)
	if len(groups) > 0 {
		var all []WorkerReport
		for _, w := range rep.Workers {
			all = append(all, w)
			if g := groups[w.Name]; g != nil {
				inner := g.Report()
				all = append(all, inner.Workers...)
				rep.Problems = append(rep.Problems, inner.Problems...)
			}
		}
		rep.Workers = all
	}
	for i := range rep.Workers {
		if stacks := leaks[rep.Workers[i].Name]; stacks != "" {
			rep.Workers[i].Leaks = stacks
		}
	}
	rep.addLosses(losses)
	return rep
}

// reportTexts are what is asked for its text when the run is unlocked: its methods may be user code.
type reportTexts struct {
	cause *StopCause
	err   error
}

// pathsOfPools are the paths of the replicas of each member that has some.
func (r *run) pathsOfPools() map[string][]string {
	paths := make(map[string][]string, len(r.pools))
	for name, p := range r.pools {
		for _, m := range r.replicasOf(p) {
			paths[name] = append(paths[name], m.path())
		}
	}
	return paths
}

// reportOf is what is known of one worker, with the run locked.
func (r *run) reportOf(m *member, pools map[string][]string) (WorkerReport, reportTexts) {
	var t reportTexts
	w := WorkerReport{
		Name:    m.path(),
		Member:  m.path(),
		State:   m.state,
		Started: r.time(m.started),
		Ready:   r.time(m.readied()),
		Ended:   r.time(m.ended),
	}
	for _, name := range m.opt.after {
		if r.pools[name] != nil {
			w.After = append(w.After, pools[name]...)
		} else {
			w.After = append(w.After, r.prefix+name)
		}
	}
	if p := m.opt.pool; p != nil {
		w.Member, w.Replica = r.prefix+p.name, r.engine.Index(m.id)+1
	}
	if m.attempt() != nil {
		w.Attempt = 1
	}
	x := m.extra
	if cause := r.whyStopped(m); cause != nil && m.attempt() != nil {
		w.SoftStop, t.cause = r.time(int64(r.engine.Plan(m.id).Told)), cause
		if x != nil {
			w.HardStop = r.time(x.cutAt)
		}
	}
	switch w.State {
	case StateStarting, StateReady:
		w.InFlight = m.attempt().work.units()
	}
	if x != nil {
		w.Unready, w.Status, w.Restarts, w.Stacks, w.PID = x.unready, x.status, x.restarts, x.stacks, x.pid
		w.Attempt += x.restarts
		w.Interrupted = x.interrupted
		if !w.SoftStop.IsZero() {
			w.InFlight = x.inFlight
		}
		if t.err = x.err; x.err != nil {
			if p, ok := x.err.(*PanicError); ok {
				w.Stacks = string(p.Stack)
			}
		}
	}
	return w, t
}

// stopOrder sorts workers by their soft stop, or their failure before it, then by their end; those still running come last.
func stopOrder(a, b WorkerReport) int {
	if c := compareTimes(a.stops(), b.stops()); c != 0 {
		return c
	}
	return compareTimes(a.Ended, b.Ended)
}

// stops is the time of the worker's soft stop, or of its failure before it.
func (w *WorkerReport) stops() time.Time {
	if w.SoftStop.IsZero() && w.State == StateFailed {
		return w.Ended
	}
	return w.SoftStop
}

// compareTimes sorts the zero time, which is still to come, last.
func compareTimes(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}
