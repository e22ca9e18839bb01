package process

import "sync"

// procFacts is what /proc tells.
type procFacts interface {
	stat(pid int) (stat, bool)
	children(pid int) []int   // of all its threads
	orphans() []int           // the children of this process that it did not start, and perhaps some that it did
	mark(pid int) string      // the family's mark in the environment, "" if there is none or it cannot be read
	held() func(pid int) bool // which children others in this program wait for
	dead() int                // a child that has ended and has not been reaped, 0 if there is none
}

// procFinder finds families in /proc. The number of a main process is not used again while it is a zombie, so it is one until its family
// is gone.
type procFinder struct {
	*registry
	proc     procFacts
	adoptees map[int]orphan // adopted members; only this package reaps them, so that a number stays theirs
	claim    claim
}

func newProcFinder(r *registry, facts procFacts) *procFinder {
	return &procFinder{registry: r, proc: facts, adoptees: map[int]orphan{}}
}

func (p *procFinder) reapFirst() bool { return false }

func (p *procFinder) know(f *family, pid int) {
	if !f.whole {
		p.claim.spare(p.proc.stat(pid))
	}
}

func (p *procFinder) forget(pid int) { delete(p.adoptees, pid) }

// lives reports whether k is still that process.
func (p *procFinder) lives(k descendant) bool {
	now, ok := p.proc.stat(k.pid)
	return ok && !now.dead && now.start == k.start
}

type orphan struct {
	family   *family
	start    uint64
	unmarked bool // see descendant
}

// remember notes who descends from the main process now, besides those that it noted before: a main process that has another
// take its place leaves some behind.
func (p *procFinder) remember(f *family) {
	var seen []stat
	for _, main := range f.mains {
		for _, pid := range p.proc.children(main) {
			descend(p.proc, pid, func(k stat) { seen = append(seen, k) })
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range seen {
		f.note(k.descendant)
	}
}

// note makes k a member for good, whatever becomes of those by whom it is known for one.
func (f *family) note(k descendant) {
	if f.seen == nil {
		f.seen = map[int]uint64{}
	}
	f.seen[k.pid] = k.start
}

func (p *procFinder) pass(f *family, alone bool) ([]descendant, bool) {
	if alone && len(p.proc.orphans()) == 0 && len(f.members()) == 0 { // as a rule, and without waiting for those that have more to look at
		return nil, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []descendant
	var listed map[int]bool
	add := func(k stat) {
		if k.pid != f.main && !listed[k.pid] {
			if listed == nil {
				listed = map[int]bool{}
			}
			listed[k.pid] = true
			k.unmarked = p.adoptees[k.pid].unmarked
			list = append(list, k.descendant)
			f.note(k.descendant)
		}
	}
	if !alone {
		for _, main := range f.mains {
			descend(p.proc, main, add)
		}
	}
	// After them: a main process that ended before it was looked at has left its children to this process.
	now := p.proc.orphans()
	held := sync.OnceValue(p.held) // after the list
	for _, pid := range now {
		switch k, is := p.isMember(f, pid, held); {
		case is:
			descend(p.proc, pid, add)
		case k.ending && !k.dead: // it may have been one, and its children may be: they are orphans once it has ended
			if !listed[pid] {
				list = append(list, k.descendant)
			}
		}
	}
	for _, pid := range f.members() {
		if of := p.registry.mains[pid]; of == nil || of == f { // else it is a control process
			if k, ok := p.proc.stat(pid); ok && !k.dead {
				add(k)
			}
		}
	}
	// So has an orphan that ended while it was looked at, and its children are not in what was read before.
	return list, len(now) == 0 || subset(p.proc.orphans(), now)
}

// isMember reports whether pid, a child of this process, is an orphan of f that is alive. If it is dead it is reaped. Of one of which
// nothing tells whose it is, as it has no environment any more, there is the stat.
func (p *procFinder) isMember(f *family, pid int, held func() func(int) bool) (stat, bool) {
	o, known := p.adoptees[pid]
	if p.registry.mains[pid] != nil || known && o.family != f {
		return stat{}, false
	}
	k, ok := p.proc.stat(pid)
	if !ok {
		return stat{}, false
	}
	if !known {
		switch mark := p.proc.mark(pid); {
		case p.owns(f, k, mark):
		case p.mayClaim(f, k, mark, held):
			k.unmarked = true
		default:
			if mark != "" {
				k = stat{}
			}
			return k, false
		}
	}
	p.adoptees[pid] = orphan{f, k.start, k.unmarked || known && o.unmarked}
	if k.dead {
		p.reapOrphan(pid)
	}
	return k, !k.dead
}

func subset(a, b []int) bool {
	if len(a) == 0 {
		return true
	}
	in := make(map[int]bool, len(b))
	for _, pid := range b {
		in[pid] = true
	}
	for _, pid := range a {
		if !in[pid] {
			return false
		}
	}
	return true
}

// owns reports whether k, which was adopted and has that mark, belongs to f.
func (p *procFinder) owns(f *family, k stat, mark string) bool {
	if hasMark(mark, f.id) || f.cgroup != nil && f.cgroup.Has(k.pid) {
		return true
	}
	if p.registry.mains[k.pgid] == f || p.registry.mains[k.sid] == f || f.seen[k.pid] == k.start && k.start != 0 {
		return true
	}
	for _, of := range []int{k.pgid, k.sid} {
		if o, ok := p.adoptees[of]; ok && o.family == f && of != k.pid {
			return true
		}
		if _, ok := f.seen[of]; ok && of != k.pid {
			return true
		}
	}
	return false
}

// descend calls fn for pid and everything below it that is alive.
func descend(facts procFacts, pid int, fn func(stat)) {
	k, ok := facts.stat(pid)
	if !ok || k.dead {
		return
	}
	fn(k)
	for _, child := range facts.children(pid) {
		descend(facts, child, fn)
	}
}
