package lastcall

import (
	"errors"
	"runtime"
	"slices"
	"time"
)

// leakChecks are the pauses between looks for goroutines that were left behind: one that is seen may be just about to
// exit. Nothing waits when there is none.
var leakChecks = []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond}

// manyWorkers is from how many workers on a look for leaks costs more than it may: it visits every goroutine that there was.
const manyWorkers = 1000

// noneLeft reports, for many workers, that there are no more goroutines than when the run began. It can be wrong where
// others ended meanwhile.
func (r *run) noneLeft() bool {
	if len(r.members) < manyWorkers {
		return false
	}
	for range 3 { // the last workers may be just about to exit
		if runtime.NumGoroutine() <= r.before {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// findLeaks looks for goroutines that workers of this tree left behind.
func (r *run) findLeaks() {
	if r.noneLeft() {
		return
	}
	abandoned := map[string]bool{}
	for _, err := range r.errs { // all is over: nothing changes them any more
		if left, ok := err.(*WorkerError); ok && left.Kind == ErrAbandoned {
			abandoned[left.Name] = true
		}
	}
	var leaks map[string]string
	kept := slices.Concat(keptGoroutines, r.group.KeptGoroutines)
	for _, pause := range leakChecks {
		time.Sleep(pause)
		leaks = goroutines(r.label, kept...)
		for path := range leaks {
			if abandoned[path] || slices.ContainsFunc(parents(path), func(p string) bool { return abandoned[p] }) {
				delete(leaks, path)
			}
		}
		if len(leaks) == 0 {
			return
		}
	}
	r.lock()
	defer r.unlock()
	r.leaks = leaks
	for path, stacks := range leaks {
		r.emit(Event{Name: path, Kind: EventLeak, State: StateStopped, Stacks: stacks})
	}
}

// parents are the paths of the groups around path.
func parents(path string) (above []string) {
	for i, c := range path {
		if c == '/' {
			above = append(above, path[:i])
		}
	}
	return above
}

// reportPanic tells of a panic or runtime.Goexit at once, before anything waits for work in flight.
func (r *run) reportPanic(a *attempt, err error) {
	var stack string
	var p *PanicError
	if errors.As(err, &p) {
		stack = string(p.Stack)
	}
	r.lock()
	defer r.unlock()
	if !r.observed() {
		path := a.m.path()
		r.later(func() { logError("lastcall: "+path+": "+textOf(err), "stack", stack) })
	}
	r.emit(Event{Name: a.m.path(), Kind: EventPanic, State: a.m.state, Err: err, Stacks: stack})
}
