//go:build unix

package process

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
)

// reaperCalls is what FreeBSD tells of reapers and their descendants, see procctl(2).
type reaperCalls interface {
	// below lists the descendants of a reaper, 0 being this process. Of a process that is no reaper it lists those of the nearest one above.
	below(reaper int) ([]reaperEntry, error)
	name(pid int) string
}

// A reaperEntry is a process in such a list, alive or a zombie.
type reaperEntry struct {
	pid     int
	subtree int  // the child of the reaper that it descends from, alive or not
	child   bool // it is a child of the reaper
	reaper  bool // it is a reaper itself: its descendants are in its own list, and in no other
	zombie  bool // known since FreeBSD 13.1
}

// reaperFinder finds a family in the list that the kernel keeps for this process, the reaper, and in those of the reapers below: a timeout(1),
// a daemon(8), another program with this package. While such a one is a zombie its list cannot be read; when it is reaped its
// descendants come into the list of the reaper above. So main processes are reaped first: until the family is gone their number
// stays taken, by what descends from them.
type reaperFinder struct {
	groupFinder
	calls reaperCalls
}

func (p *reaperFinder) pass(f *family, alone bool) (list []descendant, settled bool) {
	entries, err := p.calls.below(0)
	p.mu.Lock()
	if err != nil || !p.adopted { // then the list is another's
		p.mu.Unlock()
		return p.groupFinder.pass(f, alone)
	}
	defer p.mu.Unlock()
	l := reaperLook{reaperFinder: p, f: f, settled: true, seen: map[int]bool{}}
	for _, e := range entries {
		if e.subtree != f.mains[0] {
			continue
		}
		if f.reaped && e.pid == e.subtree { // the number is another child's by now, so nothing of the family was left
			return nil, true
		}
		l.look(e, true)
	}
	return l.end()
}

// A reaperLook is one pass.
type reaperLook struct {
	*reaperFinder
	f       *family
	list    []descendant
	settled bool
	seen    map[int]bool
	unseen  []int // listed, and not to be seen when looked at
}

// look adds e, and what descends from it where it is a reaper. ours says that it comes from the list of this process.
func (l *reaperLook) look(e reaperEntry, ours bool) {
	if l.seen[e.pid] {
		return
	}
	l.seen[e.pid] = true
	isMain := l.registry.mains[e.pid] != nil
	if ours && e.child && !isMain {
		if _, err := l.wait(e.pid, syscall.WNOHANG); err == nil {
			l.settled = false // what it made, or had below it, comes into the list now
			return
		}
	}
	if e.reaper && !e.zombie {
		l.descend(e.pid)
	}
	if e.pid == l.f.main || e.zombie {
		return
	}
	pgid, sid, err := l.place(e.pid)
	switch {
	case err == nil:
		l.list = append(l.list, descendant{pid: e.pid, pgid: pgid, sid: sid, name: l.calls.name(e.pid)})
	case errors.Is(l.kill(e.pid, 0), syscall.ESRCH): // it is gone, or hidden
		l.unseen = append(l.unseen, e.pid)
	}
	// What remains is a zombie that its own parent will reap.
}

// descend looks at the list of a nested reaper. That may have ceased to be one, and then the list is that of the reaper above, in which it
// is itself.
func (l *reaperLook) descend(reaper int) {
	below, err := l.calls.below(reaper)
	switch {
	case errors.Is(err, syscall.ESRCH):
		l.settled = l.settled && l.isZombie(reaper)
	case err != nil: // it is another user's, and so is what it has
	case slices.ContainsFunc(below, func(e reaperEntry) bool { return e.pid == reaper }):
		l.settled = false
	default:
		for _, e := range below {
			l.look(e, false)
		}
	}
}

// isZombie reports whether a process is there and has ended: its list is out of reach until its own parent reaps it.
func (l *reaperLook) isZombie(pid int) bool {
	_, _, err := l.place(pid)
	return err != nil && !errors.Is(l.kill(pid, 0), syscall.ESRCH)
}

// end tells the hidden from those that are gone: they are still listed.
func (l *reaperLook) end() ([]descendant, bool) {
	if len(l.unseen) == 0 {
		return l.list, l.settled
	}
	listed := map[int]bool{}
	l.gather(0, listed)
	for _, pid := range l.unseen {
		if listed[pid] {
			l.list = append(l.list, descendant{pid: pid, hidden: true, name: fmt.Sprintf("process %d", pid)})
		} else {
			l.settled = false
		}
	}
	return l.list, l.settled
}

// gather notes all numbers below a reaper.
func (l *reaperLook) gather(reaper int, listed map[int]bool) {
	below, _ := l.calls.below(reaper)
	for _, e := range below {
		if !listed[e.pid] {
			listed[e.pid] = true
			if e.reaper {
				l.gather(e.pid, listed)
			}
		}
	}
}

// lives: the numbers of orphans stay theirs, since this process reaps them.
func (p *reaperFinder) lives(k descendant) bool {
	if k.pid == 0 {
		return p.groupFinder.lives(k)
	}
	_, _, err := p.place(k.pid)
	return err == nil
}

// sweep leaves alone the children that others in this program wait for: such a child is the head of its own subtree, which an orphan
// is not (golang/go#60481). It repeats the look while it reaps: a reaper hands on what it had.
func (p *reaperFinder) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for reaped := p.adopted; reaped; {
		reaped = false
		entries, _ := p.calls.below(0)
		for _, e := range entries {
			if e.child && e.subtree != e.pid && p.registry.mains[e.pid] == nil {
				_, err := p.wait(e.pid, syscall.WNOHANG)
				reaped = reaped || err == nil
			}
		}
	}
}
