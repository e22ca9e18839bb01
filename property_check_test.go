package lastcall_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall"
)

// leakPause is how long Run may look for leaks after everything has ended, in virtual time.
const leakPause = 50 * time.Millisecond

// outcome is what is known of a trial when it is over, put in order for the checks.
type outcome struct {
	*trial
	rep     map[string]lastcall.WorkerReport
	states  map[string][]lastcall.Event // EventState, by path
	errs    []error                     // what Run's error consists of
	workers []*subject                  // sorted by path
	stops   stops
}

// stops are the times at which the trial was told to stop from outside; negative: never.
type stops struct{ soft, hard, force time.Duration }

func (p *plan) stops() stops {
	s := stops{p.Cancel, -1, -1}
	var last time.Duration
	n := 0
	for _, sig := range p.Signals {
		if n > 0 && sig.At-last < 100*time.Millisecond {
			continue
		}
		last = sig.At
		switch n++; n {
		case 1:
			s.soft = min(s.soft, sig.At)
		case 2:
			s.hard = sig.At
		case 3:
			s.force = sig.At
		}
	}
	return s
}

// check holds what was seen against what the package promises.
func (c *trial) check() {
	o := &outcome{trial: c, rep: map[string]lastcall.WorkerReport{}, states: map[string][]lastcall.Event{}, workers: c.subjects(), stops: c.plan.stops()}
	for _, w := range c.report.Workers {
		if _, twice := o.rep[w.Name]; twice {
			c.wrongf("%s is in the report twice", w.Name)
		}
		o.rep[w.Name] = w
	}
	for _, e := range c.events {
		if e.Kind == lastcall.EventState {
			o.states[e.Name] = append(o.states[e.Name], e)
		}
	}
	err := c.err
	if forced := (*lastcall.ForcedError)(nil); errors.As(err, &forced) {
		err = forced.Err
	}
	o.errs = flatten(err)

	o.checkWhole()
	o.checkExitCode()
	o.checkEventOrder()
	for _, s := range o.workers {
		o.checkEvents(s)
		o.checkRestarts(s)
		if s.plan.Group != nil {
			if o.rep[s.path].State == lastcall.StateAbandoned {
				c.wrongf("%s: the group was abandoned, and not a worker in it", s.path)
			}
			continue
		}
		o.checkStarts(s)
		o.checkStartsAgain(s)
		o.checkTold(s)
		o.checkUnits(s)
		o.checkEnd(s)
		o.checkReport(s)
		o.checkStacks(s)
	}
}

func (c *trial) subjects() (list []*subject) {
	for _, s := range c.workers {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *subject) int { return strings.Compare(a.path, b.path) })
	return list
}

// flatten is what an error of Run consists of.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	return []error{err}
}

// since is a time of a report or an event in the trial's time; negative: never.
func (o *outcome) since(t time.Time) time.Duration {
	if t.IsZero() {
		return -1
	}
	return t.Sub(o.began)
}

// same reports whether two times are the same. To tell it from never, the time 0 of a run is its first nanosecond.
func same(a, b time.Duration) bool { return a-b <= 1 && b-a <= 1 }

// last is the last start of a worker, nil if there was none.
func (s *subject) last() *startRecord {
	if len(s.starts) == 0 {
		return nil
	}
	return s.starts[len(s.starts)-1]
}

// restarts reports whether the worker may be started again.
func (s *subject) restarts() bool { return s.plan.Restart != nil || len(s.plan.Requires) > 0 }

// above are the groups around a worker.
func (o *outcome) above(s *subject) (groups []*subject) {
	for path := s.parent; path != ""; path = groups[len(groups)-1].parent {
		groups = append(groups, o.trial.workers[path])
	}
	return groups
}

// once reports whether all groups around a worker run once, so that nothing of it is forgotten.
func (o *outcome) once(s *subject) bool {
	return !slices.ContainsFunc(o.above(s), (*subject).restarts)
}

// users are the workers of the same group that depend on s.
func (o *outcome) users(s *subject) (users []*subject) {
	for _, u := range o.workers {
		if u.parent == s.parent && (slices.Contains(u.plan.After, s.plan.Name) || slices.Contains(u.plan.Requires, s.plan.Name)) {
			users = append(users, u)
		}
	}
	return users
}

// leaves are the workers that are no groups in s, or s itself.
func (o *outcome) leaves(s *subject) (leaves []*subject) {
	for _, w := range o.workers {
		if w.plan.Group == nil && (w == s || strings.HasPrefix(w.path, s.path+"/")) {
			leaves = append(leaves, w)
		}
	}
	return leaves
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// checkWhole checks the stop as a whole: when it began and how long it took.
func (o *outcome) checkWhole() {
	root := o.plan.Root
	grace, hardStop := orElse(root.Grace, lastcall.DefaultGrace), orElse(root.HardStop, lastcall.DefaultHardStop)
	soft, ended := o.since(o.report.SoftStop), o.since(o.report.Ended)
	if ended < 0 {
		o.wrongf("Run returned at %v and the report has no end", o.ended)
		return
	}
	asked := soft
	if duck := o.since(o.report.LameDuck); duck >= 0 {
		asked = duck
	}
	if soft >= 0 && ended-asked > grace+hardStop {
		o.wrongf("the stop took %v, more than Grace + HardStop (%v)", ended-asked, grace+hardStop)
	}
	if latest := o.stops.soft + root.LameDuck; ended > latest+1 && (soft < 0 || soft > latest+1) {
		o.wrongf("stopped at %v, told to at %v", soft, o.stops.soft)
	}
	if hard := o.stops.hard; hard >= 0 && hard+1 < ended {
		if soft > hard+1 {
			o.wrongf("soft stop at %v, after the second signal at %v", soft, hard)
		}
		if at := o.since(o.report.HardStop); at < 0 || at > hard+1 {
			o.wrongf("hard stop at %v, after the second signal at %v", at, hard)
		}
		if ended > hard+hardStop+1 {
			o.wrongf("ended at %v, more than HardStop (%v) after the second signal at %v", ended, hardStop, hard)
		}
	}
	var forced *lastcall.ForcedError
	if force := o.stops.force; errors.As(o.err, &forced) {
		if force < 0 || force > o.ended {
			o.wrongf("forced: %v", o.err)
		}
	} else if force >= 0 && force+1 < ended {
		o.wrongf("not forced by the third signal at %v: %v", force, o.err)
	}
	if force := o.stops.force; force >= 0 && force+1 < ended {
		o.wrongf("ended at %v, forced at %v", ended, force)
	}
	if limit := ended + leakPause; o.ended > limit || !o.plan.Labels && !same(o.ended, ended) {
		o.wrongf("ended at %v, Run returned at %v", ended, o.ended)
	}
	for _, err := range o.errs {
		name := ""
		switch err := err.(type) {
		case *lastcall.WorkerError:
			name = err.Name
		case *lastcall.ConfigError:
			if o.twice.Load() == 0 {
				o.wrongf("Run returned %v", err)
			}
			continue
		}
		if o.trial.workers[name] == nil {
			o.wrongf("Run's error has a %T of %q: %v", err, name, err)
		}
	}
	if o.err == nil && o.report.State != lastcall.StateStopped {
		o.wrongf("Run returned nil and the report says %v", o.report.State)
	}
}

// checkExitCode compares the exit code with the errors, however deep they are.
func (o *outcome) checkExitCode() {
	want := 0
	var visit func(err error)
	visit = func(err error) {
		code := 1
		switch err := err.(type) {
		case *lastcall.ConfigError:
			code = 3
		case *lastcall.WorkerError:
			switch {
			case err.Kind == lastcall.ErrInterrupted || err.Kind == lastcall.ErrAbandoned:
				code = 4
			case err.Starting:
				code = 3
			}
		}
		want = max(want, code)
		switch err := err.(type) {
		case interface{ Unwrap() []error }:
			for _, inner := range err.Unwrap() {
				visit(inner)
			}
		case interface{ Unwrap() error }:
			if inner := err.Unwrap(); inner != nil {
				visit(inner)
			}
		}
	}
	for _, err := range o.errs {
		visit(err)
	}
	if forced := (*lastcall.ForcedError)(nil); errors.As(o.err, &forced) {
		want = 130
		if forced.Signal != (signalPlan{Int: true}).signal() {
			want = 143
		}
	}
	if code := lastcall.ExitCode(o.err); code != want {
		o.wrongf("ExitCode is %d and not %d for %v", code, want, o.err)
	}
}

// next are the states that may follow a state.
var next = map[lastcall.State][]lastcall.State{
	lastcall.StateWaiting:    {lastcall.StateStarting, lastcall.StateStopped},
	lastcall.StateStarting:   {lastcall.StateReady, lastcall.StateStopping, lastcall.StateStopped, lastcall.StateFailed, lastcall.StateAbandoned, lastcall.StateRestarting},
	lastcall.StateReady:      {lastcall.StateStopping, lastcall.StateStopped, lastcall.StateFailed, lastcall.StateAbandoned, lastcall.StateRestarting},
	lastcall.StateStopping:   {lastcall.StateCut, lastcall.StateStopped, lastcall.StateFailed, lastcall.StateAbandoned, lastcall.StateWaiting},
	lastcall.StateCut:        {lastcall.StateStopped, lastcall.StateFailed, lastcall.StateAbandoned, lastcall.StateWaiting},
	lastcall.StateFailed:     {lastcall.StateRestarting},
	lastcall.StateRestarting: {lastcall.StateStarting, lastcall.StateStopped},
}

// checkEvents checks the path of one worker through the states.
func (o *outcome) checkEvents(s *subject) {
	state := lastcall.StateWaiting
	var at time.Time
	for _, e := range o.states[s.path] {
		again := e.State == lastcall.StateWaiting || e.State == lastcall.StateRestarting
		newRun := state.Ended() && e.State != lastcall.StateRestarting && !o.once(s) // its group was started again
		if newRun {
			state = lastcall.StateWaiting
		}
		if !slices.Contains(next[state], e.State) || again && !s.restarts() {
			o.wrongf("%s: from %v to %v at %v", s.path, state, e.State, o.since(e.Time))
		}
		if e.Time.Before(at) {
			o.wrongf("%s: %v at %v comes after %v", s.path, e.State, o.since(e.Time), o.since(at))
		}
		state, at = e.State, e.Time
	}
	w, ran := o.rep[s.path]
	if len(o.states[s.path]) == 0 || !o.once(s) {
		return
	}
	if !ran || w.State != state || !state.Ended() {
		o.wrongf("%s: %v is its last event, and its report says %v", s.path, state, w.State)
	}
	if w.State != lastcall.StateStopped && !same(o.since(w.Ended), o.since(at)) { // it may never have run
		o.wrongf("%s: %v at %v, and its report says %v", s.path, state, o.since(at), o.since(w.Ended))
	}
}

// checkEventOrder follows all events: what starts has what it depends on, what is told is not depended on any more,
// and nothing starts after the soft stop.
func (o *outcome) checkEventOrder() {
	now := map[string]lastcall.State{}
	wasReady := map[string]bool{}
	started := map[string]bool{}
	stopping := false
	told := map[string]time.Time{} // groups
	for _, e := range o.events {
		if e.Kind != lastcall.EventState {
			continue
		}
		s := o.trial.workers[e.Name]
		if s == nil {
			stopping = stopping || e.Name == "" && e.State == lastcall.StateStopping
			continue
		}
		switch e.State {
		case lastcall.StateStarting:
			if stopping && s.parent == "" {
				o.wrongf("%s: started after the soft stop", s.path)
			}
			if at, ok := told[s.parent]; ok && e.Time.After(at) {
				o.wrongf("%s: started after the soft stop of its group", s.path)
			}
			for _, deps := range [][]string{s.plan.After, s.plan.Requires} {
				for _, name := range deps {
					dep := join(s.parent, name)
					is := now[dep]
					completed := is == lastcall.StateStopped
					if is == lastcall.StateReady || completed {
						continue
					}
					if started[s.path] && wasReady[dep] && !slices.Contains(s.plan.Requires, name) {
						continue // it starts again by itself
					}
					// What was ready may be about to end.
					if d := o.trial.workers[dep]; wasReady[dep] && d.plan.Group != nil && is != lastcall.StateRestarting {
						continue
					}
					o.wrongf("%s: started when %s was %v", s.path, dep, is)
				}
			}
			started[s.path] = true
			delete(told, s.path)
			for path := range now {
				if strings.HasPrefix(path, s.path+"/") { // a new run of a group
					delete(now, path)
					delete(wasReady, path)
					delete(started, path)
					delete(told, path)
				}
			}
		case lastcall.StateReady:
			wasReady[s.path] = true
		case lastcall.StateStopping:
			if s.plan.Group != nil {
				told[s.path] = e.Time
			}
			cause := e.Cause
			if cause == nil {
				o.wrongf("%s: told to stop without a cause", s.path)
				continue
			}
			for _, u := range o.users(s) {
				requires := slices.Contains(u.plan.Requires, s.plan.Name)
				if cause.Reason == lastcall.StopRestart && !requires {
					continue
				}
				if o.since(e.Time) == o.stops.force { // everything is told, at once
					break
				}
				if is := now[u.path]; is >= lastcall.StateStarting && is <= lastcall.StateCut {
					o.wrongf("%s: told to stop at %v when %s was %v", s.path, o.since(e.Time), u.path, is)
				}
			}
		}
		now[s.path] = e.State
	}
}

// checkStarts checks when a worker was started.
func (o *outcome) checkStarts(s *subject) {
	if len(s.starts) > 1 && !s.restarts() && o.once(s) {
		o.wrongf("%s: started %d times", s.path, len(s.starts))
	}
	soft := o.since(o.report.SoftStop)
	for i, r := range s.starts {
		if soft >= 0 && r.began.at > soft {
			o.wrongf("%s: started at %v, after the soft stop at %v", s.path, r.began.at, soft)
		}
		if i > 0 {
			if before := s.starts[i-1]; before.returned.never() || before.returned.order > r.began.order {
				o.wrongf("%s: start %d before start %d had ended", s.path, i+1, i)
			}
		}
		// What says by itself when it is ready says so first. Of others, only the events know.
		for _, d := range o.workers {
			depends := slices.Contains(s.plan.After, d.plan.Name) || slices.Contains(s.plan.Requires, d.plan.Name)
			if d.parent != s.parent || !depends || !d.plan.AwaitReady {
				continue
			}
			if !slices.ContainsFunc(d.starts, func(dr *startRecord) bool {
				said := !dr.ready.never() && dr.ready.order < r.began.order
				return said || !dr.returned.never() && dr.returned.order < r.began.order
			}) {
				o.wrongf("%s: started before %s was ready", s.path, d.path)
			}
		}
	}
}

// checkStartsAgain checks that a worker that was stopped because the only one that it requires restarts starts again with it.
func (o *outcome) checkStartsAgain(s *subject) {
	r := s.last()
	if r == nil || s.parent != "" || len(s.plan.Requires) != 1 || len(s.plan.After) > 0 || r.returned.never() {
		return
	}
	var cause *lastcall.StopCause
	if !errors.As(r.toldBy, &cause) || cause.Reason != lastcall.StopRestart || cause.Worker == s.path || r.result != lastsUntilTold {
		return
	}
	dep := o.trial.workers[s.plan.Requires[0]]
	soft := o.since(o.report.SoftStop)
	for _, dr := range dep.starts {
		ready := dr.began
		if dep.plan.AwaitReady {
			ready = dr.ready
		}
		if !dr.told.never() && dr.told.at == ready.at {
			continue // it was too late
		}
		if !ready.never() && ready.order > r.returned.order && ready.at > r.returned.at && (soft < 0 || soft > ready.at) && o.rep[s.path].State != lastcall.StateAbandoned {
			o.wrongf("%s: it was stopped because %s restarts, and not started again with it at %v", s.path, dep.path, ready.at)
		}
	}
}

// checkTold checks that a worker was told after what depends on it had returned, and with time left.
func (o *outcome) checkTold(s *subject) {
	for _, r := range s.starts {
		if r.told.never() || r.toldBy == nil {
			continue
		}
		var cause *lastcall.StopCause
		if !errors.As(r.toldBy, &cause) || cause.Reason == lastcall.StopCompleted {
			o.wrongf("%s: told by %v", s.path, r.toldBy)
			continue
		}
		if r.hardAt <= r.told.at && r.told.at != o.stops.hard && r.told.at != o.stops.force {
			o.wrongf("%s: told to stop at %v with a hard stop at %v", s.path, r.told.at, r.hardAt)
		}
		if own := s.plan.StopWithin; own > 0 && r.hardAt > r.told.at+own {
			o.wrongf("%s: told to stop at %v with a hard stop at %v, and a limit of %v", s.path, r.told.at, r.hardAt, own)
		}
		cutAbove := slices.ContainsFunc(o.above(s), func(g *subject) bool { return same(o.since(o.rep[g.path].HardStop), r.told.at) })
		if !r.graced && r.told.at != o.stops.hard && r.told.at != o.stops.force && !cutAbove {
			o.wrongf("%s: told to stop at %v when its grace had ended", s.path, r.told.at)
		}
		for _, u := range o.users(s) {
			if r.told.at == o.stops.force { // everything is told, at once
				break
			}
			if cause.Reason == lastcall.StopRestart && !slices.Contains(u.plan.Requires, s.plan.Name) {
				continue
			}
			for _, leaf := range o.leaves(u) {
				o.checkReturnedBefore(leaf, s, r)
			}
		}
		if s.parent == "" && cause.Reason != lastcall.StopRestart {
			o.checkReserve(s, r)
		}
	}
}

// checkReturnedBefore checks that u had returned, and all its work had ended, when s was told.
func (o *outcome) checkReturnedBefore(u, s *subject, r *startRecord) {
	if w := o.rep[u.path]; w.State == lastcall.StateAbandoned && o.since(w.Ended) <= r.told.at {
		return
	}
	for _, ur := range u.starts {
		if ur.began.order > r.told.order {
			continue
		}
		if ur.returned.never() || ur.returned.order > r.told.order {
			o.wrongf("%s: told to stop at %v before %s returned at %v", s.path, r.told.at, u.path, ur.returned.at)
		}
		for _, unit := range ur.units {
			if !unit.tracked && unit.began.order < r.told.order && unit.ended.order > r.told.order {
				o.wrongf("%s: told to stop at %v when %s had work in flight until %v", s.path, r.told.at, u.path, unit.ended.at)
			}
		}
	}
}

// checkReserve checks that a worker of the root had its share of the time when it was told.
func (o *outcome) checkReserve(s *subject, r *startRecord) {
	layers := 0
	depth := map[string]int{}
	for range o.workers { // the longest chain has no more links than there are workers
		for _, w := range o.workers {
			for _, names := range [][]string{w.plan.After, w.plan.Requires} {
				for _, name := range names {
					depth[w.path] = max(depth[w.path], depth[join(w.parent, name)]+1)
				}
			}
			if w.parent == "" {
				layers = max(layers, depth[w.path]+1)
			}
		}
	}
	share := (orElse(o.plan.Root.Grace, lastcall.DefaultGrace) - o.plan.Root.LameDuck) / time.Duration(4*layers)
	if r.told.at == o.stops.hard || r.told.at == o.stops.force {
		return
	}
	if o.stops.hard >= 0 && r.told.at > o.stops.hard {
		share = orElse(o.plan.Root.HardStop, lastcall.DefaultHardStop) / time.Duration(2*layers)
		if o.since(o.report.HardStop) < o.stops.hard { // the time was up already
			return
		}
	}
	if own := s.plan.StopWithin; own > 0 {
		share = min(share, own)
	}
	const rounding = 100 // ns
	if r.hardAt-r.told.at < share-rounding {
		o.wrongf("%s: told to stop at %v with a hard stop at %v, less than its share of %v", s.path, r.told.at, r.hardAt, share)
	}
}

// checkUnits checks the work in flight.
func (o *outcome) checkUnits(s *subject) {
	w := o.rep[s.path]
	for i, r := range s.starts {
		cut, most := 0, 0
		for _, u := range r.units {
			if u.ended.never() {
				o.wrongf("%s: work that began at %v did not end", s.path, u.began.at)
			}
			if !r.told.never() && u.began.at > r.told.at && !u.tracked {
				o.wrongf("%s: work began at %v, after the soft stop at %v", s.path, u.began.at, r.told.at)
			}
			if u.cut {
				most++
				if !r.missed(u) {
					cut++
				}
			}
			if i == len(s.starts)-1 && o.once(s) && w.State != lastcall.StateAbandoned && o.since(w.Ended) < u.ended.at && !u.tracked {
				o.wrongf("%s: ended at %v with work in flight until %v", s.path, o.since(w.Ended), u.ended.at)
			}
		}
		if i == len(s.starts)-1 && o.once(s) && w.State != lastcall.StateAbandoned {
			for _, err := range o.errs {
				if e, ok := err.(*lastcall.WorkerError); ok && e.Kind == lastcall.ErrInterrupted && e.Name == s.path && (e.Units < cut || e.Units > most) {
					o.wrongf("%s: %d to %d units were cut and its error says %d", s.path, cut, most, e.Units)
				}
			}
			if w.Interrupted < cut || w.Interrupted > most {
				o.wrongf("%s: %d to %d units were cut and its report says %d", s.path, cut, most, w.Interrupted)
			}
		}
	}
	// Of what the event says to be in flight, only what began or ended at that very instant is open to doubt.
	for _, e := range o.states[s.path] {
		if e.State != lastcall.StateStopping {
			continue
		}
		at, least, most := o.since(e.Time), 0, 0
		for _, r := range s.starts {
			for _, u := range r.units {
				if u.began.at < at && u.ended.at > at && !r.missed(u) {
					least++
				}
				if u.began.at <= at && u.ended.at >= at {
					most++
				}
			}
		}
		if e.InFlight < least || e.InFlight > most {
			o.wrongf("%s: told to stop at %v with %d in flight, and not %d to %d", s.path, at, e.InFlight, least, most)
		}
	}
}

// checkEnd checks that a worker ended as it deserved, and that Run's error says so.
func (o *outcome) checkEnd(s *subject) {
	w, ran := o.rep[s.path]
	r := s.last()
	if r == nil || !o.once(s) {
		return
	}
	if !ran || !w.State.Ended() {
		o.wrongf("%s: it ran, and in the end its report says %v", s.path, w.State)
		return
	}
	var failed, interrupted, abandoned int
	for _, err := range o.errs {
		w, ok := err.(*lastcall.WorkerError)
		if !ok || w.Name != s.path {
			continue
		}
		switch w.Kind {
		case lastcall.ErrFailed:
			failed++
		case lastcall.ErrInterrupted:
			interrupted++
		case lastcall.ErrAbandoned:
			abandoned++
		}
	}
	cut := !w.HardStop.IsZero()
	stopped := w.State == lastcall.StateStopped
	if (w.State == lastcall.StateFailed) != (failed > 0) && abandoned == 0 {
		o.wrongf("%s: %v with %d failures in Run's error", s.path, w.State, failed)
	}
	if (w.State == lastcall.StateAbandoned) != (abandoned == 1) || abandoned > 1 {
		o.wrongf("%s: %v and abandoned %d times in Run's error", s.path, w.State, abandoned)
	}
	if failed == 0 && !(stopped && s.restarts()) && (stopped && cut && w.Err != "") != (interrupted == 1) || interrupted > 1 || interrupted == 1 && !cut {
		o.wrongf("%s: %v, cut: %t (%s), and interrupted %d times in Run's error", s.path, w.State, cut, w.Err, interrupted)
	}
	if abandoned > 0 {
		if !r.returned.never() && r.returned.at+1 < o.since(w.Ended) && len(r.units) == 0 {
			o.wrongf("%s: abandoned at %v, and it returned at %v", s.path, o.since(w.Ended), r.returned.at)
		}
		return
	}
	late := s.plan.Within > 0 && o.since(w.Ended)-r.began.at >= s.plan.Within && strings.Contains(w.Err, "not ready within")
	broke := r.result == panics || r.result == panicsWithText || r.result == goexits
	bad := broke || r.failure != nil
	preempted := stopped && s.restarts() // by a stop, in its back-off or while it was being restarted
	switch {
	case bad && (!cut || broke) && w.State != lastcall.StateFailed && !preempted:
		o.wrongf("%s: it failed with %v and is %v", s.path, r.failure, w.State)
	case cut && w.Ended.After(w.HardStop) && !broke && !late && w.State == lastcall.StateFailed:
		o.wrongf("%s: it was cut and is %v: %s", s.path, w.State, w.Err)
	case !bad && !cut && !stopped && !late && (s.plan.Restart == nil || !s.plan.Restart.Always):
		o.wrongf("%s: it ended well and is %v: %s", s.path, w.State, w.Err)
	}
	if preempted {
		return
	}
	if r.failure != nil && !errors.Is(o.err, r.failure) {
		o.wrongf("%s: it failed with %q, which is not in Run's error: %v", s.path, r.failure, o.err)
	}
	if broke && !slices.ContainsFunc(o.errs, func(err error) bool { return isBreak(err, s, r) }) {
		o.wrongf("%s: it ended with %s, which is not in Run's error: %v", s.path, endingNames[r.result], o.err)
	}
	stopsGroup := failed > 0 || s.plan.Essential && stopped && !cut && r.told.never()
	if soft := o.since(o.report.SoftStop); stopsGroup && s.parent == "" && (soft < 0 || soft > o.since(w.Ended)) {
		o.wrongf("%s: its end at %v did not stop the group before %v", s.path, o.since(w.Ended), soft)
	}
}

// isBreak reports whether err is s's panic or Goexit.
func isBreak(err error, s *subject, r *startRecord) bool {
	failed, ok := err.(*lastcall.WorkerError)
	if !ok || failed.Name != s.path {
		return false
	}
	if r.result == goexits {
		return strings.Contains(err.Error(), "runtime.Goexit")
	}
	var p *lastcall.PanicError
	if !errors.As(err, &p) || !strings.Contains(string(p.Stack), "property_model_test.go") {
		return false
	}
	return p.Value == any(r.failure) || p.Value == any("text of "+s.path)
}

// checkReport compares a worker's report with what it saw itself.
func (o *outcome) checkReport(s *subject) {
	w, r := o.rep[s.path], s.last()
	if r == nil || !o.once(s) || w.State == lastcall.StateAbandoned {
		return
	}
	if at := o.since(w.Started); !same(at, r.began.at) {
		o.wrongf("%s: started at %v, and its report says %v", s.path, r.began.at, at)
	}
	ended := r.returned.at
	for _, u := range r.units {
		ended = max(ended, u.ended.at)
	}
	if at := o.since(w.Ended); at > ended+1 || at < r.returned.at {
		o.wrongf("%s: ended at %v, and its report says %v", s.path, ended, at)
	}
	if at := o.since(w.SoftStop); !r.told.never() && !same(at, r.told.at) {
		o.wrongf("%s: told to stop at %v, and its report says %v", s.path, r.told.at, at)
	}
	if at := o.since(w.HardStop); !r.cut.never() && !same(at, r.cut.at) {
		o.wrongf("%s: cut at %v, and its report says %v", s.path, r.cut.at, at)
	}
	if w.Restarts != len(s.starts)-1 {
		o.wrongf("%s: started %d times, and its report says %d restarts", s.path, len(s.starts), w.Restarts)
	}
}

// checkStacks checks whose goroutines are shown as whose.
func (o *outcome) checkStacks(s *subject) {
	w, r := o.rep[s.path], s.last()
	if r == nil {
		return
	}
	own := fmt.Sprintf(".mark%d\n", o.markOf(s))
	for i := range marks {
		if mark := fmt.Sprintf(".mark%d\n", i); mark != own && (strings.Contains(w.Leaks, mark) || w.State == lastcall.StateAbandoned && strings.Contains(w.Stacks, mark)) {
			o.wrongf("%s: its stacks show goroutines of another", s.path)
		}
	}
	if !o.plan.Labels {
		if w.Leaks != "" {
			o.wrongf("%s: leaks without labels", s.path)
		}
		return
	}
	leaves := slices.ContainsFunc(s.starts, func(r *startRecord) bool { return r.life.Leaves })
	switch {
	case w.State == lastcall.StateAbandoned:
		if r.life.Told == isStuck && r.life.Each == nil && r.told.at < o.since(w.Ended) && !strings.Contains(w.Stacks, own) && r.returned.at > o.since(w.Ended) && !r.told.never() {
			o.wrongf("%s: abandoned, and its stacks do not show where it is stuck:\n%s", s.path, w.Stacks)
		}
	case o.stops.force >= 0: // nobody looked
	case leaves && !strings.Contains(w.Leaks, own):
		o.wrongf("%s: its report does not show that it left a goroutine behind", s.path)
	case !leaves && w.Leaks != "" && !s.tookLate():
		o.wrongf("%s: its report shows a goroutine that it did not leave behind:\n%s", s.path, w.Leaks)
	}
}

// missed reports whether a unit was tracked at the very instant at which the worker returned: nobody may wait for it.
func (r *startRecord) missed(u *unitRecord) bool { return u.tracked && u.began.at >= r.returned.at }

func (s *subject) tookLate() bool {
	return slices.ContainsFunc(s.starts, func(r *startRecord) bool { return slices.ContainsFunc(r.units, r.missed) })
}

func (o *outcome) markOf(s *subject) int { return s.index % len(marks) }

// checkRestarts checks restarts against their policy.
func (o *outcome) checkRestarts(s *subject) {
	if s.plan.Restart == nil || !o.once(s) || !o.plan.Observe {
		return
	}
	p := *s.plan.Restart
	minDelay, maxDelay := orElse(p.MinDelay, 100*time.Millisecond), orElse(p.MaxDelay, 30*time.Second)
	stable, within, limit := orElse(p.Stable, time.Minute), orElse(p.Within, time.Minute), p.Limit
	if limit == 0 {
		limit = 10
	}
	required := len(s.plan.Requires) > 0 || slices.ContainsFunc(o.users(s), func(u *subject) bool { return slices.Contains(u.plan.Requires, s.plan.Name) })
	var at []time.Time
	attempts := 0
	var began time.Time
	events := o.states[s.path]
	for i, e := range events {
		if e.State == lastcall.StateStarting {
			began = e.Time
		}
		if e.State != lastcall.StateRestarting {
			continue
		}
		if e.Time.Sub(began) >= stable {
			attempts = 0
		}
		longest := min(minDelay<<min(attempts, 20), maxDelay)
		attempts++
		if e.Delay > longest || e.Delay < longest/2 {
			o.wrongf("%s: a back-off of %v at %v, and not of %v to %v", s.path, e.Delay, o.since(e.Time), longest/2, longest)
		}
		at = append(at, e.Time)
		inWindow := 0
		for _, t := range at {
			if e.Time.Sub(t) <= within {
				inWindow++
			}
		}
		if inWindow > limit {
			o.wrongf("%s: restarted %d times within %v at %v", s.path, inWindow, within, o.since(e.Time))
		}
		if i+1 == len(events) || events[i+1].State != lastcall.StateStarting {
			continue
		}
		if wait := events[i+1].Time.Sub(e.Time); wait < e.Delay || wait > e.Delay && !required {
			o.wrongf("%s: started again after %v, with a back-off of %v", s.path, wait, e.Delay)
		}
	}
}
