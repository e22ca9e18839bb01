package process

// has reports whether a process is a member, dead ones included that have not been reaped. Of one that has, and was not noted, nothing
// is known.
func (p *procFinder) has(f *family, pid int) (is, known bool) {
	for range 3 { // an ancestor may end while the way goes up
		k, ok := p.proc.stat(pid)
		p.mu.Lock()
		_, seen := f.seen[pid]
		is, settled := p.settled(f, pid)
		p.mu.Unlock()
		if settled || !ok {
			return is || !ok && seen, settled || seen
		}
		if is, known = p.reaches(f, k); known {
			return is, true
		}
	}
	return false, false
}

// settled reports whether pid is a main process or an adopted orphan, and if so whether it is this family's: such a number stays
// theirs, since this package reaps them. The caller has the lock.
func (p *procFinder) settled(f *family, pid int) (is, settled bool) {
	if of := p.registry.mains[pid]; of != nil {
		return of == f, true
	}
	if o, ok := p.adoptees[pid]; ok {
		return o.family == f, true
	}
	return false, false
}

// mostAncestors bounds the way up, which a process might lengthen as fast as it is gone.
const mostAncestors = 1000

// reaches goes up from k, which is no main process, and reports whether it comes to one of this family.
func (p *procFinder) reaches(f *family, k stat) (is, known bool) {
	first := k
	for range mostAncestors {
		if k.parent == self { // it is an orphan, or another child of this process
			if mark := markOf(k.pid); mark != "" {
				return hasMark(mark, f.id), true
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.owns(f, k, ""), true
		}
		p.mu.Lock()
		is, settled := p.settled(f, k.parent)
		adopted := p.adopted
		p.mu.Unlock()
		if settled {
			return is, true
		}
		if k.parent <= 1 { // a stranger, unless orphans go to another process; then its mark tells
			return !adopted && hasMark(markOf(first.pid), f.id), true
		}
		var ok bool
		if k, ok = p.proc.stat(k.parent); !ok {
			return false, false
		}
	}
	return false, true
}

// has asks the finder. Without /proc nothing is known.
func (f *family) has(pid int) (is, known bool) {
	if p, ok := f.find().(*procFinder); ok {
		return p.has(f, pid)
	}
	return false, false
}
