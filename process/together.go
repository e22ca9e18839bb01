//go:build unix

package process

import "syscall"

// tellTogether sends sig to the group of the main process as a whole, and with KillAll to the descendants outside of it too. It
// reports false where the stop is not for all at the same time.
//
// What the group holds at that moment is told by the kernel, one that is just being forked included. Whoever was seen before is not
// told again when its own turn comes; a process that was not may be.
func (c *child) tellTogether(sig syscall.Signal) bool {
	if c.p.Kill != KillAll && (!c.p.Group || c.pgid == 0) {
		return false
	}
	var before []descendant
	if _, byGroup := c.family.find().(*groupFinder); !byGroup { // such a one sees the group only when the main process has been reaped
		before = c.family.others(false)
	}
	c.stop.told = map[who]bool{}
	if c.pgid != 0 {
		_ = c.family.kill(-c.pgid, sig)
		_ = c.family.kill(-c.pgid, syscall.SIGCONT)
		c.stop.told[who{pgid: c.pgid}] = true // as it is seen where the system does not tell its members
	}
	if pgid, _, err := c.family.place(c.main.pid); err == nil && pgid != c.pgid { // it shares another, or MAINPID named it
		_ = c.main.signal(sig)
		_ = c.main.signal(syscall.SIGCONT)
	}
	for _, k := range before {
		switch {
		case c.inGroup(k) && c.hasLeftGroup(k.pid), !c.inGroup(k) && c.p.Kill == KillAll:
			_ = c.family.send(k, sig)
			_ = c.family.send(k, syscall.SIGCONT)
		case !c.inGroup(k):
			continue
		}
		c.stop.told[who{pid: k.pid, start: k.start}] = true
	}
	return true
}
