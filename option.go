package lastcall

import (
	"fmt"
	"slices"
	"time"
)

// An Option says how a worker lives in its group, see [Group.Add].
type Option func(*options)

// options is what the options of one worker say. Workers without options share one.
type options struct {
	after      []string // all that it depends on, requires included
	requires   []string
	selfReady  bool // ready only when the worker says so
	within     time.Duration
	stopWithin time.Duration
	restart    *RestartPolicy // nil: never
	essential  bool
	optional   bool
	pool       *pool    // of which it is a replica; nil if it was added with Add
	problems   []string // what is wrong with the options
}

func (o *options) problem(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

// After makes the worker start when the named workers of its group are ready, and stop before them: each gets its soft
// stop when this one has returned. A worker that completed counts as ready.
func After(names ...string) Option {
	return func(o *options) {
		for _, name := range names {
			if !slices.Contains(o.after, name) {
				o.after = append(o.after, name)
			}
		}
	}
}

// Requires is [After], and the worker restarts with the named ones: when one of them restarts, this one is stopped
// softly first, and started again when that one is ready.
func Requires(names ...string) Option {
	return func(o *options) {
		After(names...)(o)
		for _, name := range names {
			if !slices.Contains(o.requires, name) {
				o.requires = append(o.requires, name)
			}
		}
	}
}

// AwaitReady makes the worker ready when it calls [Ready], instead of when its function is entered. If it does not
// do so within the time, it fails, and with it the start of the group. 0 means no limit.
//
// A worker that has the method ReadyWithin() time.Duration is added as with AwaitReady(w.ReadyWithin()): groups, and the
// workers of packages serve and process, report their own readiness.
func AwaitReady(within time.Duration) Option {
	return func(o *options) {
		o.selfReady, o.within = true, within
		if within < 0 {
			o.problem("AwaitReady: the time must not be negative (%v)", within)
		}
	}
}

// StopWithin is the worker's own limit inside the group's grace period: its hard stop comes no later than d after its
// soft stop, and cuts only this worker. 0 means none.
func StopWithin(d time.Duration) Option {
	return func(o *options) {
		o.stopWithin = d
		if d < 0 {
			o.problem("StopWithin: the time must not be negative (%v)", d)
		}
	}
}

// Restart starts the worker again after it failed, with p.Always also after it completed. The zero policy has sensible
// defaults. Without this option a failure stops the group, and completion is completion.
func Restart(p RestartPolicy) Option {
	return func(o *options) {
		o.restart = &p
		o.problems = append(o.problems, p.problems()...)
	}
}

// Optional lets the group run on when the worker fails. The failure is in the report and, unless the worker is started
// again, in the error of Run. Dependents that have not started by then never start.
func Optional() Option {
	return func(o *options) { o.optional = true }
}

// Essential makes the worker's return, even without an error, stop the group.
func Essential() Option {
	return func(o *options) { o.essential = true }
}
