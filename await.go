package lastcall

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/engine"
	"github.com/lastcall-go/lastcall/internal/text"
)

// Awaited is a worker that a starting or a stopping group waits for.
type Awaited struct {
	Name     string        // the worker's path
	PID      int           // of the process that it runs, see package process; 0 if none
	State    State         // while the group stops, StateStopping or StateCut; while it starts, StateStarting, StateRestarting or StateWaiting
	For      time.Duration // since its soft stop, or its start; 0 for a worker that waits for others
	InFlight int           // units of work still under way, while the group stops
	Status   string        // what it last said of itself, see [Status]
	Reason   string        // why it is not ready, see [Unready], or how the last start failed
	WaitsFor []string      // StateWaiting: the paths of those that it is [After] and that are not ready
}

// String is one readable piece, such as "web (3s, 2 in flight)", "db to be ready (12s, replaying the journal)" or
// "api (waits for db)".
func (a Awaited) String() string {
	if len(a.WaitsFor) > 0 {
		return fmt.Sprintf("%s (waits for %s)", a.Name, strings.Join(a.WaitsFor, ", "))
	}
	piece := fmt.Sprintf("%s (%s", a.Name, text.Round(a.For))
	switch a.State {
	case StateStarting:
		piece = fmt.Sprintf("%s to be ready (%s", a.Name, text.Round(a.For))
	case StateRestarting:
		piece = fmt.Sprintf("%s to be ready (restarting for %s", a.Name, text.Round(a.For))
	case StateCut:
		piece += ", cut"
	}
	if a.InFlight > 0 {
		piece += fmt.Sprintf(", %d in flight", a.InFlight)
	}
	if a.PID != 0 {
		piece += fmt.Sprintf(", pid %d", a.PID)
	}
	for _, said := range []string{a.Reason, a.Status} {
		if said != "" {
			piece += ", " + said
		}
	}
	return piece + ")"
}

// remindLocked tells the listeners which workers the group waits for.
func (r *run) remindLocked() {
	phase := r.phase
	if phase != engine.GroupRunning && phase != engine.GroupStopping {
		return
	}
	r.later(func() {
		awaited := r.awaited()
		r.lock()
		defer r.unlock()
		if len(awaited) > 0 && r.phase == phase {
			r.emitGroup(Event{Kind: EventAwaiting, State: r.state(), Cause: r.cause, Awaited: awaited})
		}
	})
}

// awaited are the workers that the group waits for: while it starts, those that are not ready, and while it stops,
// those that have not returned. In groups these are the workers rather than the group.
func (r *run) awaited() []Awaited {
	r.lock()
	starting := r.phase == engine.GroupRunning && !r.engine.WasReady()
	r.unlock()
	list := r.awaitedIn(starting)
	slices.SortFunc(list, func(a, b Awaited) int {
		waits := cmp.Compare(btoi(a.State == StateWaiting), btoi(b.State == StateWaiting))
		return cmp.Or(waits, cmp.Compare(b.For, a.For), strings.Compare(a.Name, b.Name))
	})
	return list
}

// awaitedIn is awaited without an order.
func (r *run) awaitedIn(starting bool) (list []Awaited) {
	r.lock()
	groups := map[*Group]int{}
	failures := map[int]error{}
	var unready map[string][]string
	if starting {
		unready = r.unreadyLocked()
	}
	for _, m := range r.members {
		if m == nil {
			continue
		}
		a, awaited := r.awaitedStop(m)
		if starting {
			a, awaited = r.awaitedStart(m, unready)
		}
		if !awaited {
			continue
		}
		if m.extra != nil {
			a.Status, a.PID = m.extra.status, m.extra.pid
		}
		if a.State == StateRestarting && m.err() != nil {
			failures[len(list)] = m.err()
		}
		if g, ok := m.w.(*Group); ok {
			groups[g] = len(list)
		}
		list = append(list, a)
	}
	r.unlock()
	for i, err := range failures {
		list[i].Reason = textOf(err)
	}
	for g, i := range groups {
		if inner := g.current(); inner != nil && list[i].State != StateWaiting {
			if leaves := inner.awaitedIn(starting); len(leaves) > 0 {
				list[i].Name = ""
				list = append(list, leaves...)
			}
		}
	}
	return slices.DeleteFunc(list, func(a Awaited) bool { return a.Name == "" })
}

// awaitedStop says of a worker that the stop waits for how long it has been stopping.
func (r *run) awaitedStop(m *member) (a Awaited, awaited bool) {
	if m.state != StateStopping && m.state != StateCut {
		return a, false
	}
	told := int64(r.engine.Plan(m.id).Told)
	return Awaited{Name: m.path(), State: m.state, For: time.Duration(r.now() - told), InFlight: m.attempt().work.units()}, true
}

// unreadyLocked are the paths of the workers that are not ready, by the names under which others depend on them.
func (r *run) unreadyLocked() map[string][]string {
	pools := map[engine.MemberID]string{}
	for name, p := range r.pools {
		pools[p.place] = name
	}
	unready := map[string][]string{}
	for _, m := range r.members {
		if m == nil || m.state == StateReady || m.state.Ended() {
			continue
		}
		unready[m.name] = append(unready[m.name], m.path())
		if name, ok := pools[m.place]; ok {
			unready[name] = append(unready[name], m.path())
		}
	}
	return unready
}

// awaitedStart says of a worker that is not ready since when, and why.
func (r *run) awaitedStart(m *member, unready map[string][]string) (a Awaited, awaited bool) {
	a = Awaited{Name: m.path(), State: m.state}
	switch m.state {
	case StateStarting:
		a.For = time.Duration(r.now() - cmp.Or(m.started, r.now()))
		if m.extra != nil {
			a.Reason = m.extra.unready
		}
	case StateRestarting:
		a.For = time.Duration(r.now() - m.ended)
	case StateWaiting:
		for _, name := range m.opt.after {
			a.WaitsFor = append(a.WaitsFor, unready[name]...)
		}
	default:
		return a, false
	}
	return a, true
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
