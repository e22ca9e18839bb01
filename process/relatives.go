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

// inGroup reports whether k is in the group that the main process leads.
func (c *child) inGroup(k descendant) bool { return c.pgid != 0 && k.pgid == c.pgid }

// stageOf is the stage in which k is stopped.
func (c *child) stageOf(k descendant) int {
	if c.inGroup(k) || c.p.Kill == KillAll {
		return stageGroup
	}
	return stageLeft
}

// within reports whether the stop reaches k.
func (c *child) within(k descendant) bool { return c.stageOf(k) < c.p.Kill.stages() }

// later are those whose turn is after that stage.
func (c *child) later(stage int) []descendant {
	if c.p.Kill == KillProcess {
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
	out    bool // it cannot be signalled, or not even be seen: it is another user's
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
	pause := firstLook
	var killed time.Time
	for {
		if killing && !halted {
			halted, killed = true, time.Now()
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
		if killing && here[0].pid == 0 && time.Since(killed) > zombiesWithin {
			clear(known)
			return
		}
		if c.tell(here, killing, &groupTold) {
			continue // without those that cannot be told
		}
		lastcall.Status(c.ctx, remaining(here, killing))
		c.sayDeath(remaining(here, killing))
		if killing {
			pause = c.awaitKilled(gone, pause)
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

// awaitKilled returns when something that was killed has ended, or after a pause: the end of what cannot be watched is told by nothing. It
// returns the next pause.
func (c *child) awaitKilled(gone <-chan struct{}, pause time.Duration) time.Duration {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-gone:
		return firstLook
	case <-timer.C:
		return min(2*pause, lastLook)
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
			r = &relative{report: len(c.stop.found), told: c.stop.told[key]}
			known[key] = r
			c.stop.found = append(c.stop.found, c.found(k))
		}
		r.descendant, r.round = k, c.stop.round
		if k.hidden {
			r.out = true
			c.stop.found[r.report].OutOfReach = true
		}
		if r.h == nil && !r.out {
			h, err := c.family.openMember(k)
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

// tell sends all of them what is due. It reports whether one cannot be told.
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
			c.signal(r, syscall.SIGKILL)
		case r.told:
		case c.pgid != 0 && r.pgid == c.pgid:
			r.told = true
			if !*groupTold { // all of it at once: one that is just being forked hears it, too
				*groupTold, now = true, true
				_ = c.family.kill(-c.pgid, soft)
				_ = c.family.kill(-c.pgid, syscall.SIGCONT)
			}
			if r.pid != 0 && (!now || c.hasLeftGroup(r.pid)) {
				c.signal(r, soft)
				c.signal(r, syscall.SIGCONT)
			} else {
				c.signal(r, 0) // a group of which one member has heard says nothing of the others
			}
		default:
			r.told = true
			c.signal(r, soft)
			c.signal(r, syscall.SIGCONT)
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
	pgid, _, err := c.family.place(pid)
	return err == nil && pgid != c.pgid
}

// zombiesWithin is how long a group that was killed is waited for where its members are not told apart: what is left by then are zombies,
// which their own parents do not reap.
const zombiesWithin = 2 * time.Second

// groupPause is how often the group is looked for while it is being stopped, on systems that do not tell of its end.
const groupPause = 20 * time.Millisecond

// signal sends sig to r, and finds out whether that is allowed. A refusal counts of what is alive: macOS refuses signals to a group of
// zombies, and Linux to another user's zombie.
func (c *child) signal(r *relative, sig syscall.Signal) {
	var err error
	if r.h != nil {
		err = r.h.signal(sig)
	} else {
		err = c.family.send(r.descendant, sig)
	}
	r.out = r.out || errors.Is(err, syscall.EPERM) && c.family.find().lives(r.descendant)
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
