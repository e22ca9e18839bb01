//go:build unix

package process

import (
	"slices"
	"syscall"
	"time"
)

// kill ends the main process now.
func (c *child) kill() {
	c.stop.killed = time.Now()
	if c.stop.cut && c.p.Kill != KillProcess { // all at once
		c.killAtOnce()
		_ = c.main.signal(syscall.SIGKILL)
		c.halt(c.p.Kill.stages())
		for _, k := range c.others() {
			if !c.within(k) {
				continue
			}
			_ = c.family.send(k, syscall.SIGKILL)
		}
	}
	_ = c.main.signal(syscall.SIGKILL)
	c.saySent(syscall.SIGKILL)
	c.awaitExit()
}

// killAtOnce kills what can be killed at one time: the family, or else the group of the main process.
func (c *child) killAtOnce() {
	c.killMembers()
	c.killGroup()
}

// maxCutOff is how many members are looked at that are killed with their family. Of a fork bomb not all are named.
const maxCutOff = 100

// killMembers kills the family at one time, where the system can do that and the stop reaches all of it: by its control group, or by the
// tree that the kernel keeps of this process's descendants.
func (c *child) killMembers() {
	if !c.p.Kill.whole() {
		return
	}
	c.killControlGroup()
	tree, ok := c.family.find().(*reaperFinder)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.main == nil { // the run is over
		return
	}
	list := c.family.others(false)
	if c.reaped && len(list) == 0 { // the number of its tree may be another's
		return
	}
	c.cutOffLocked(list)
	_ = tree.killTree(c.first.pid)
}

// cutOffLocked notes members that are killed at one time and had left the main process's group, for nameCutOff.
func (c *child) cutOffLocked(list []descendant) {
	if len(c.cutOff) > 0 {
		return
	}
	for _, k := range list[:min(len(list), maxCutOff)] {
		if !k.hidden && (k.pgid != c.pgid || c.pgid == 0) && k.pid != c.main.pid && k.pid != c.first.pid {
			c.cutOff = append(c.cutOff, k)
		}
	}
}

// nameCutOff puts those into the report that were killed with the family and had left the main process's group: nothing else saw
// them.
func (c *child) nameCutOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.cutOff {
		i := slices.IndexFunc(c.stop.found, func(r Relative) bool { return r.PID == k.pid })
		if i < 0 {
			i = len(c.stop.found)
			c.stop.found = append(c.stop.found, c.found(k))
		}
		c.stop.found[i].Killed = true
	}
}

// killGroup kills the group of the main process at one time: none in it has time to make another.
func (c *child) killGroup() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pgid != 0 && !c.reaped {
		_ = c.family.kill(-c.pgid, syscall.SIGKILL)
		if c.killedAt.IsZero() {
			c.killedAt = time.Now()
		}
	}
}

// halt halts the members up to a stage that are not in the group, and those that they make meanwhile, so that they make no more. To
// kill them one by one would give back what they need for others where they have used up a limit.
func (c *child) halt(stage int) {
	halted := map[who]bool{}
	for range haltRounds {
		fresh := false
		for _, k := range c.others() {
			key := who{pid: k.pid, start: k.start}
			if k.pid == 0 || halted[key] || c.inGroup(k) || c.stageOf(k) > stage || !c.within(k) {
				continue
			}
			halted[key], fresh = true, true
			if h, err := c.family.openMember(k); err == nil {
				_ = h.signal(syscall.SIGSTOP)
				h.close()
			}
		}
		if !fresh {
			return
		}
	}
}

// haltRounds is how often halt looks for more of them at most.
const haltRounds = 100

// reap takes the status of the main process, which has ended, and of the one before it if there is another.
func (c *child) reap() Exit {
	c.mu.Lock()
	c.reaped = true // from now on the number of its group may be another's
	c.mu.Unlock()
	if c.first != c.main {
		_ = c.first.signal(syscall.SIGKILL) // it has handed over, and the stop may not have reached it
		_, _ = c.first.reap()
	}
	var status syscall.WaitStatus
	var err error
	system(func() { status, err = c.main.reap() })
	c.family.setReaped()
	if err != nil {
		return Exit{PID: c.main.pid, Unknown: true}
	}
	return exitOf(c.main.pid, status)
}
