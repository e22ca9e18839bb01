package process

// fakeFacts is the /proc of a fake.
type fakeFacts struct{ f *fake }

func init() {
	fakeProc = func(f *fake, r *registry) finder { return newProcFinder(r, fakeFacts{f}) }
}

func (p fakeFacts) stat(pid int) (stat, bool) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	l := p.f.lives[pid]
	if l == nil {
		return stat{}, false
	}
	k := stat{descendant: descendant{pid: pid, pgid: l.pgid, sid: l.sid, start: l.start, name: l.name}, dead: l.state == lifeEnded, ending: l.state != lifeRuns}
	if l.parent != nil {
		k.parent = l.parent.pid
	}
	return k, true
}

func (p fakeFacts) children(pid int) (list []int) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if l := p.f.lives[pid]; l != nil {
		for _, c := range l.childrenLocked() {
			list = append(list, c.pid)
		}
	}
	return list
}

func (p fakeFacts) orphans() (list []int) {
	p.f.mu.Lock()
	for _, c := range p.f.me.childrenLocked() {
		if c.adopted {
			list = append(list, c.pid)
		}
	}
	p.f.mu.Unlock()
	p.f.betweenLooks()
	return list
}

func (p fakeFacts) mark(pid int) string {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if l := p.f.lives[pid]; l != nil && l.state == lifeRuns {
		return l.mark
	}
	return ""
}

func (p fakeFacts) held() func(int) bool { return func(int) bool { return false } }

func (p fakeFacts) dead() int {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	for _, c := range p.f.me.childrenLocked() {
		if c.state == lifeEnded {
			return c.pid
		}
	}
	return 0
}
