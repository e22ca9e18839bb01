package process

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
)

// entry is a line of the log of a trial.
type entry struct {
	at                    time.Time
	family, main, id, pid int
	what                  string
	number                int // what follows: a code, a signal, an id
	index                 int // its place in the log
}

// history is the log of a trial.
type history []entry

func (c *trial) history() (list history) {
	text, err := os.ReadFile(c.log)
	noError(c.t, err)
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 6 {
			c.wrongf("the log has the line %q", line)
			continue
		}
		number := func(i int) int {
			if i >= len(words) {
				return 0
			}
			n, _ := strconv.Atoi(words[i])
			return n
		}
		e := entry{at: time.Unix(0, int64(number(0))), family: number(1), main: number(2), id: number(3), pid: number(4),
			what: words[5], number: number(6), index: len(list)}
		if e.what == "error" {
			c.wrongf("a member could not do what it was to: %s", line)
		}
		list = append(list, e)
	}
	return list
}

// find is the first entry of a process, nil if there is none.
func (h history) find(pid int, what string) *entry {
	for i := range h {
		if h[i].pid == pid && (what == "" || h[i].what == what) {
			return &h[i]
		}
	}
	return nil
}

// of are the entries of one start of a family, by its main process.
func (h history) of(main int) (list history) {
	for _, e := range h {
		if e.main == main {
			list = append(list, e)
		}
	}
	return list
}

// sent reports whether the test sent a process one of these signals, any if there are none.
func (c *trial) sent(pid int, sigs ...syscall.Signal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.kills, func(k kill) bool {
		return k.pid == pid && (len(sigs) == 0 || slices.Contains(sigs, k.sig))
	})
}

// check holds what was seen against what the package promises.
func (c *trial) check(groupErr error) {
	h := c.history()
	seen := map[int]int{}
	c.mu.Lock()
	runs := slices.Clone(c.runs)
	c.mu.Unlock()
	for _, r := range runs {
		name := c.plan.Families[r.family].Name
		switch {
		case r.returned.IsZero():
			c.wrongf("%s: Run has not returned", name)
		case r.exit == nil:
			if !r.over || !errors.Is(r.err, context.Canceled) { // not over before it started
				c.wrongf("%s: Run returned %v without an exit", name, r.err)
			}
		default:
			main := r.exit.PID
			if e := h.find(main, ""); e != nil {
				main = e.main
			}
			seen[main]++
			c.checkExit(r, h)
			c.checkTime(r)
			c.checkOutput(r, h.of(main))
			c.checkFamily(r, main, h.of(main))
			c.checkOrder(r, runs)
		}
	}
	for _, e := range h {
		if e.what == "born" && e.id == 0 && seen[e.pid] != 1 {
			c.wrongf("%s: the status of %d was reported %d times", c.plan.Families[e.family].Name, e.pid, seen[e.pid])
		}
	}
	for _, w := range c.group.Report().Workers {
		// After a short grace period the core gives up soon, and a busy machine may be slower.
		if !w.State.Ended() || w.State == lastcall.StateAbandoned && c.plan.Grace >= longGrace && c.plan.Again == 0 {
			c.wrongf("%s: %v in the end", w.Name, w.State)
		}
	}
}

// checkExit compares the status of a main process with what it was told to do and what was done to it.
func (c *trial) checkExit(r *runRecord, h history) {
	f, x := c.plan.Families[r.family], *r.exit
	e := h.find(x.PID, "born")
	node := f.Nodes[0]
	if e != nil {
		node = f.Nodes[e.id]
	}
	var exit *ExitError
	killed := errors.As(r.err, &exit) && exit.Killed
	var why string
	switch {
	case x.Unknown:
		if e == nil || e.id == 0 {
			why = "its parent is this process"
		}
	case x.Signal == 0:
		if end := h.find(x.PID, "ends"); end == nil || end.number != x.Code {
			why = "it did not exit with that"
		}
	default:
		dies := h.find(x.PID, "dies")
		stops := []syscall.Signal{syscall.SIGTERM}
		if f.Steps != nil {
			stops = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
		}
		switch {
		case dies != nil && syscall.Signal(dies.number) == x.Signal:
		case c.sent(x.PID, x.Signal):
		case x.Signal == syscall.SIGKILL && (killed || r.cut):
		case slices.Contains(stops, x.Signal) && !r.told.IsZero() && (node.Told == "dies" || e == nil):
		default:
			why = "nobody sent that"
		}
	}
	if why != "" {
		c.wrongf("%s: %d: %v, but %s", f.Name, x.PID, x, why)
	}
	// The error says what the status says.
	clean := !x.Unknown && x.Signal == 0 && x.Code == 0 || (x.Unknown || x.Signal == syscall.SIGTERM || x.Signal == syscall.SIGINT && f.Steps != nil) && !r.told.IsZero()
	var ready *ReadyError
	switch {
	case errors.As(r.err, &ready):
		if f.Ready != "fd" || h.find(x.PID, "ready") != nil {
			c.wrongf("%s: %v", f.Name, r.err)
		}
	case clean != (exit == nil):
		// Death by a signal that is one of a stop, or one that nobody told, is clean if such a signal was sent: it may have come just before.
		if x.Signal == 0 && !x.Unknown || x.Signal == syscall.SIGKILL || r.told.IsZero() {
			c.wrongf("%s: %v, and Run returned %v", f.Name, x, r.err)
		}
	case exit != nil && exit.Exit != x:
		c.wrongf("%s: %v, and Run returned %v", f.Name, x, r.err)
	}
	rest := slices.ContainsFunc(r.found, func(l Relative) bool { return l.Killed || l.OutOfReach })
	if family := (*FamilyError)(nil); ready == nil && errors.As(r.err, &family) != rest {
		c.wrongf("%s: left behind %v, and Run returned %v", f.Name, r.found, r.err)
	}
}

// checkTime checks that a stop took no longer than it may.
func (c *trial) checkTime(r *runRecord) {
	if took := r.returned.Sub(r.told); !r.told.IsZero() && took > r.budget+limit/2 {
		c.wrongf("%s: its stop took %v, and it had %v", c.plan.Families[r.family].Name, took, r.budget)
	}
}

// checkOutput checks that what a main process wrote was passed on when Run returned.
func (c *trial) checkOutput(r *runRecord, h history) {
	f := c.plan.Families[r.family]
	if r.out == nil || f.Kill == KillProcess {
		return
	}
	r.out.mu.Lock()
	out := r.out.b.String()
	r.out.mu.Unlock()
	for _, e := range h {
		// It says that it was born after it has written that down, and that it ends before.
		if e.id == 0 && e.what == "ends" {
			for _, word := range []string{"born", "ends"} {
				line := strings.Join([]string{strconv.Itoa(e.family), strconv.Itoa(e.main), "0", strconv.Itoa(e.pid), word}, " ") + "\n"
				if !strings.Contains(out, line) {
					c.wrongf("%s: its line %q is missing in:\n%s", f.Name, line, out)
				}
			}
		}
	}
}

// checkFamily checks that nobody is left of the family, in which order they were told, and that who was killed was told before.
func (c *trial) checkFamily(r *runRecord, main int, h history) {
	f := c.plan.Families[r.family]
	for _, l := range r.left {
		if l.main == main && !c.excused(l) {
			c.wrongf("%s: left behind when Run returned: %+v", f.Name, l)
		}
	}
	// The last entry of the main process comes before the others are told, and that of the group before who left is.
	last, lastOfGroup := -1, -1
	for _, e := range h {
		switch {
		case e.pid == r.exit.PID:
			last = e.index
		case c.inGroup(f, e.id):
			lastOfGroup = e.index
		}
	}
	for _, e := range h {
		if e.what != "told" || e.pid == r.exit.PID || e.pid == main {
			continue
		}
		if says := h.find(e.pid, "main"); says != nil && says.index < e.index && slices.Contains(r.mains, e.pid) {
			continue // it was told as the main process, and then another said that it is
		}
		if e.index < last && h.find(r.exit.PID, "born") != nil {
			c.wrongf("%s: member %d was told before the main process had ended", f.Name, e.id)
		}
		if e.index < lastOfGroup && !c.inGroup(f, e.id) {
			c.wrongf("%s: member %d, which left the group, was told before the group had ended", f.Name, e.id)
		}
		if f.Kill == KillProcess || f.Kill == KillGroup && !c.inGroup(f, e.id) {
			c.wrongf("%s: member %d was told, and the stop does not reach it", f.Name, e.id)
		}
	}
	budget := r.budget
	if r.told.IsZero() {
		budget = f.Grace
	}
	if r.cut || budget < longGrace {
		return
	}
	deaf := func(pid int) bool {
		e := h.find(pid, "born")
		if e == nil || c.sent(pid, syscall.SIGSTOP) {
			return true // it is not known to hear
		}
		switch n := f.Nodes[e.id]; n.Told {
		case "notes":
			return h.find(pid, "told") != nil
		case "ignores":
			return true
		}
		return false
	}
	for _, l := range r.found {
		if l.Killed && !deaf(l.PID) {
			c.wrongf("%s: %v, but it hears and had %v", f.Name, l, budget)
		}
	}
	var exit *ExitError
	if errors.As(r.err, &exit) && exit.Killed && !deaf(exit.PID) {
		c.wrongf("%s: %v, but it hears and had %v", f.Name, exit, budget)
	}
}

// inGroup reports whether a member is in the group of the main process, by plan.
func (c *trial) inGroup(f familyPlan, id int) bool {
	for ; id > 0; id = f.Nodes[id].Parent {
		if how := f.Nodes[id].How; how != "plain" {
			return false
		}
	}
	return true
}

// checkOrder checks that whoever depends on a worker that was told because its group stops had ended.
func (c *trial) checkOrder(r *runRecord, runs []*runRecord) {
	var cause *lastcall.StopCause
	if r.told.IsZero() || !errors.As(r.cause, &cause) || cause.Reason != lastcall.StopSignal && cause.Reason != lastcall.StopFailure {
		return
	}
	c.mu.Lock()
	never, givenUp := slices.Contains(c.never, r.p), maps.Clone(c.givenUp)
	c.mu.Unlock()
	if never { // nobody depends on it
		return
	}
	name := c.plan.Families[r.family].Name
	abandoned := map[string]bool{}
	for _, w := range c.group.Report().Workers {
		abandoned[w.Name] = w.State == lastcall.StateAbandoned
	}
	for _, user := range runs {
		f := c.plan.Families[user.family]
		if (slices.Contains(f.After, name) || slices.Contains(f.Requires, name)) && user.began.Before(r.told) && user.returned.After(r.told) && !abandoned[f.Name] && !givenUp[f.Name] {
			c.wrongf("%s was told before %s, which depends on it, had ended", name, f.Name)
		}
	}
}

// excused reports whether the documentation says that somebody may be left.
func (c *trial) excused(l living) bool {
	f := c.plan.Families[l.family]
	if l.id <= 0 {
		return l.id < 0 && f.Kill == KillProcess
	}
	switch {
	case f.Kill == KillProcess:
		return true
	case f.Kill == KillGroup && l.pgid != l.main:
		return true
	case !f.Nodes[l.id].Bare || l.pgid == l.main:
		return false
	}
	// It has left the group and replaced its environment: it is found if its ancestors were alive when the stop began.
	h := c.history().of(l.main)
	told := time.Now()
	c.mu.Lock()
	known := false
	for _, r := range c.runs {
		if r.exit != nil && (r.exit.PID == l.main || h.find(r.exit.PID, "") != nil) {
			known = true
			if told = r.stop; r.told.IsZero() {
				c.mu.Unlock()
				return true // the main process ended by itself
			}
		}
	}
	c.mu.Unlock()
	if !known {
		return true
	}
	for id := l.id; id > 0; id = f.Nodes[id].Parent {
		if f.Nodes[id].How == "daemon" {
			return true
		}
		parent := f.Nodes[id].Parent
		spawned := slices.IndexFunc(h, func(e entry) bool { return e.id == parent && e.what == "spawned" && e.number == id })
		if spawned < 0 || !h[spawned].at.Before(told) {
			return true
		}
		pid := h[spawned].pid
		heard := h.find(pid, "told")
		if heard != nil && heard.at.Before(told) {
			return true
		}
		// Who ends by itself may do so after the stop began and before it was looked at.
		for _, what := range []string{"ends", "dies"} {
			if e := h.find(pid, what); e != nil && heard == nil {
				return true
			}
		}
		if c.sent(pid, syscall.SIGKILL) {
			return true
		}
	}
	return false
}
