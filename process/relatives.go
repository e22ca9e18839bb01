//go:build unix

package process

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall"
)

// others are the members of the family besides the main process.
func (c *child) others() (list []descendant) {
	alone := len(c.family.mains) == 1 && c.hasExited()
	system(func() { list = c.family.others(alone) })
	return list
}

// stageOf is the stage in which k is stopped.
func (c *child) stageOf(k descendant) int {
	if c.pgid != 0 && k.pgid == c.pgid {
		return stageGroup
	}
	return stageLeft
}

// within reports whether the stop reaches k.
func (c *child) within(k descendant) bool { return c.stageOf(k) < c.p.Kill.stages() }

// later are those whose turn is after that stage.
func (c *child) later(stage int) []descendant {
	if c.p.Kill == KillProcess || reapFirst() {
		return nil
	}
	var list []descendant
	for _, k := range c.others() {
		if c.within(k) && c.stageOf(k) > stage {
			list = append(list, k)
		}
	}
	return list
}

// relative is a member of the family that is being stopped.
type relative struct {
	descendant
	h      *handle // nil where the system cannot watch it
	told   bool
	out    bool // it is another user's, and cannot be signalled
	report int  // its index in stop.found
	round  int  // when it was seen last
}

// relatives by what stays the same when they change their group, their session or their program.
type who struct {
	pid, pgid int // pgid only where pid is 0
	start     uint64
}

// stopOthers stops what is left of the family after the main process, stage by stage, and returns who did not end softly.
func (c *child) stopOthers() (rest []Relative) {
	if c.p.Kill == KillProcess {
		return nil
	}
	known := map[who]*relative{}
	defer func() {
		for _, r := range known {
			r.drop()
		}
	}()
	gone := make(chan struct{}, 1)
	for stage := stageGroup; stage < c.p.Kill.stages(); stage++ {
		if c.stopStage(stage, known, gone); len(known) == 0 {
			break // nobody is left at all, and who is not there has no children
		}
	}
	c.nameCutOff()
	for _, r := range c.stop.found {
		if r.Killed || r.OutOfReach {
			rest = append(rest, r)
		}
	}
	return rest
}

// stopStage returns when nobody of that stage or one before is left. Whoever turns up meanwhile is stopped as well.
func (c *child) stopStage(stage int, known map[who]*relative, gone chan struct{}) {
	s := &c.stop
	groupTold, killing, halted := false, s.cut, false
	wait := func() <-chan struct{} { return gone }
	until := func() time.Time { return s.until(stage, c.p.Kill) }
	for {
		if killing && !halted {
			halted = true
			if s.cut || stage+1 == c.p.Kill.stages() {
				c.killMembers()
			}
			c.cutKnown(known)
			c.halt(stage)
		}
		here := c.meet(stage, known, gone)
		if len(here) == 0 {
			return
		}
		if c.tell(here, killing, &groupTold) {
			continue // without those that cannot be told
		}
		lastcall.Status(c.ctx, remaining(here, killing))
		c.sayDeath(remaining(here, killing))
		if killing {
			<-gone
			continue
		}
		switch c.await(wait, until) {
		case cut:
			killing = true
		case expired:
			if s.whole || len(c.later(stage)) > 0 || stage+1 == c.p.Kill.stages() {
				killing = true
			}
			s.whole = s.whole || !killing
		}
	}
}

// found is k for the report.
func (c *child) found(k descendant) Relative {
	found := Relative{PID: k.pid, Name: k.name, Unmarked: k.unmarked}
	switch {
	case k.pid == 0:
	case k.sid != c.sid:
		found.Left = "session"
	case k.pgid != c.pgid:
		found.Left = "group"
	}
	return found
}

// cutKnown kills the group, and notes of whom that was.
func (c *child) cutKnown(known map[who]*relative) {
	for _, r := range known {
		if c.pgid != 0 && r.pgid == c.pgid && !r.out {
			c.stop.found[r.report].Killed = true
		}
	}
	c.killGroup()
}

// meet finds who is there up to that stage. Who is new is watched, and is in the report.
func (c *child) meet(stage int, known map[who]*relative, gone chan struct{}) (here []*relative) {
	c.stop.round++
	poke := func() {
		select {
		case gone <- struct{}{}:
		default:
		}
	}
	for _, k := range c.others() {
		if !c.within(k) {
			continue
		}
		key := who{pid: k.pid, start: k.start}
		if k.pid == 0 {
			key.pgid = k.pgid
		}
		r := known[key]
		if r == nil {
			r = &relative{report: len(c.stop.found)}
			known[key] = r
			c.stop.found = append(c.stop.found, c.found(k))
		}
		r.descendant, r.round = k, c.stop.round
		if r.h == nil {
			h, err := k.open()
			if err == nil {
				r.h, err = h, h.onExit(poke)
			}
			if err != nil { // it is gone, or a group, of whose end nothing tells
				time.AfterFunc(groupPause, poke)
			}
		}
		if !r.out && c.stageOf(k) <= stage {
			here = append(here, r)
		}
	}
	for key, r := range known {
		if r.round != c.stop.round {
			r.drop()
			delete(known, key)
		}
	}
	return here
}

// tell sends everyone what is due. It reports whether somebody cannot be told.
func (c *child) tell(here []*relative, killing bool, groupTold *bool) (out bool) {
	soft := c.stop.soft
	if soft == 0 { // the main process has ended by itself
		soft = c.p.steps()[0].Signal
	}
	if killing {
		c.killGroup()
	}
	now := false // the group is told by this call
	for _, r := range here {
		switch {
		case killing:
			c.stop.found[r.report].Killed = true
			r.signal(syscall.SIGKILL)
		case r.told:
		case c.pgid != 0 && r.pgid == c.pgid:
			r.told = true
			if !*groupTold { // all of it at once: one that is just being forked hears it, too
				*groupTold, now = true, true
				_ = syscall.Kill(-c.pgid, soft)
				_ = syscall.Kill(-c.pgid, syscall.SIGCONT)
			}
			if r.pid != 0 && (!now || c.hasLeftGroup(r.pid)) {
				r.signal(soft)
				r.signal(syscall.SIGCONT)
			}
		default:
			r.told = true
			r.signal(soft)
			r.signal(syscall.SIGCONT)
		}
		if r.out {
			out = true
			c.stop.found[r.report].Killed, c.stop.found[r.report].OutOfReach = false, true
		}
	}
	return out
}

// hasLeftGroup reports whether a process that was seen in the group is not there any more. It left before the group was told,
// or a moment after.
func (c *child) hasLeftGroup(pid int) bool {
	pgid, err := syscall.Getpgid(pid)
	return err == nil && pgid != c.pgid
}

// groupPause is how often the group is looked for while it is being stopped, on systems that do not tell of its end.
const groupPause = 20 * time.Millisecond

// signal sends sig to k, which is not watched. Where the system gives no handle of it, as without a descriptor left, it goes by the number.
func (k descendant) signal(sig syscall.Signal) error {
	if k.pid == 0 {
		return syscall.Kill(-k.pgid, sig)
	}
	h, err := k.open()
	switch {
	case err == nil:
		defer h.close()
		return h.signal(sig)
	case k.lives():
		return syscall.Kill(k.pid, sig)
	}
	return err
}

// signal sends sig, and finds out whether that is allowed.
func (r *relative) signal(sig syscall.Signal) {
	var err error
	switch {
	case r.h != nil:
		err = r.h.signal(sig)
	default:
		err = r.descendant.signal(sig)
	}
	r.out = r.out || errors.Is(err, syscall.EPERM)
}

func (r *relative) drop() {
	if r.h != nil {
		r.h.close()
		r.h = nil
	}
}

// remaining is for the status.
func remaining(list []*relative, killing bool) string {
	var names []string
	for i, r := range list {
		if i == 5 {
			names = append(names, fmt.Sprintf("%d more", len(list)-i))
			break
		}
		names = append(names, fmt.Sprintf("%s[%d]", r.name, r.pid))
	}
	text := "waiting for " + strings.Join(names, ", ")
	if killing {
		text += ", killed"
	}
	return text
}
