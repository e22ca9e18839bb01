package lastcall

import (
	"errors"
	"maps"
	"slices"
)

// A loss is the work that a worker has lost.
type loss struct {
	aborted   int // units that the soft stop aborted, since they used the worker's context
	left      int // items left in a source of [Drain] or [DrainFunc]
	shutdowns int // calls of Shutdown that gave up, since their context had ended
}

// The reasons of [ErrLost].
var (
	errWrongContext = errors.New("used the worker's context; use the one it was given")
	errLeft         = errors.New("left in the source that it drains")
	errShutdown     = errors.New("called Shutdown with a context that had ended; use lastcall.Closer")
)

// lost notes work that a worker has lost.
func (a *attempt) lost(l loss) {
	top := a.m.run.root()
	top.lock()
	defer top.unlock()
	top.lostLocked(a.m.path(), l)
}

// lostLocked notes it in the run of the outermost group, since the worker, and its group, may be replaced.
func (r *run) lostLocked(path string, l loss) {
	if r.losses == nil {
		r.losses = map[string]loss{}
	}
	sum := r.losses[path]
	sum.aborted += l.aborted
	sum.left += l.left
	sum.shutdowns += l.shutdowns
	r.losses[path] = sum
}

// errs are the errors that a loss comes to.
func (l loss) errs(path string) (errs []*WorkerError) {
	for _, part := range []struct {
		units int
		why   error
	}{{l.aborted, errWrongContext}, {l.left, errLeft}, {l.shutdowns, errShutdown}} {
		if part.units > 0 {
			errs = append(errs, &WorkerError{Kind: ErrLost, Name: path, Units: part.units, Err: part.why})
		}
	}
	return errs
}

// reportLossesLocked puts what was lost into the group's error and tells the listeners.
func (r *run) reportLossesLocked() {
	for _, path := range slices.Sorted(maps.Keys(r.losses)) {
		for _, err := range r.losses[path].errs(path) {
			r.errs = append(r.errs, err)
			r.emit(Event{Name: path, Kind: EventLost, State: StateStopped, Err: err})
		}
	}
}

// addLosses puts what workers lost into their reports, or, of a worker that is not in the report, into that of the one
// around it.
func (r *Report) addLosses(losses map[string]loss) {
	for _, path := range slices.Sorted(maps.Keys(losses)) {
		names := append(parents(path), path)
		for at := len(names) - 1; at >= 0; at-- {
			i := slices.IndexFunc(r.Workers, func(w WorkerReport) bool { return w.Name == names[at] })
			if i < 0 {
				continue
			}
			w, l := &r.Workers[i], losses[path]
			w.Lost += l.aborted + l.left + l.shutdowns
			for _, err := range l.errs(path) {
				if w.Err != "" {
					w.Err += "; "
				}
				if path != w.Name {
					w.Err += path + ": "
				}
				w.Err += err.what()
			}
			break
		}
	}
}
