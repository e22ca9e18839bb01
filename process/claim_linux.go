package process

import (
	"strings"
	"sync"
)

// claim is what is known of orphans that bear no mark, and left group and session: they say nothing of whose they are. The lock is
// that of families.
type claim struct {
	made   bool           // Claim was called
	before map[int]uint64 // children from before that: when they started, by number
	spared uint64         // when the first family started whose stop leaves members alone; 0 if none has
}

// spare notes that k is the main process of a family whose stop leaves members alone.
func (c *claim) spare(k stat, ok bool) {
	if ok && (c.spared == 0 || k.start < c.spared) {
		c.spared = k.start
	}
}

// Claim says that every process below this one belongs to a [Process], as it does where a program starts children in no other
// way: lastcall run and lastcall up are such. It adopts orphans as [Adopt] does, and reports whether it could. It is called before
// the first start, and cannot be undone.
//
// Without it, an orphan that left group and session and has no mark of its family may be that of a command that another part of the
// program ran with os/exec, and is left alone. With it, such an orphan is stopped as a member of the family that ran when it
// started; of several, when all of these stop or have ended. It is left alone where it may be meant to live on: it may belong
// to a family that is stopped with [KillGroup] or [KillProcess], or to a child that this process had before the call, as one has
// that replaced a shell by exec. [Strays] names those that no family stops.
func Claim() bool {
	if !here.adoptOrphans() {
		return false
	}
	if p, ok := here.find().(*procFinder); ok {
		p.makeClaim()
	}
	return true
}

func (p *procFinder) makeClaim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.claim.made {
		return
	}
	p.claim.made, p.claim.before = true, map[int]uint64{}
	for _, pid := range p.proc.children(self) {
		if k, ok := p.proc.stat(pid); ok && !k.dead {
			p.claim.before[pid] = k.start
		}
	}
}

// isStray reports whether k, a child of this process with that mark, which no family owns, is one to be stopped. held is
// heldByOthers: a command of package os/exec is a child as well. The caller has the lock.
func (c *claim) isStray(k stat, mark string, held func() func(int) bool) bool {
	if !c.made || c.before[k.pid] == k.start && k.start != 0 || mark == "" && k.ending {
		return false
	}
	last := mark[strings.LastIndexByte(mark, ':')+1:]
	if strings.HasPrefix(last, sparedID) {
		return false
	}
	return !held()(k.pid)
}

// spares reports whether k, a stray, may be meant to live on.
func (c *claim) spares(k stat) bool {
	return len(c.before) > 0 || c.spared != 0 && c.spared <= k.start
}

// mayClaim reports whether k, an orphan with that mark, which no family owns, can belong to no family but f and such as are being
// stopped, too. The caller has the lock.
func (p *procFinder) mayClaim(f *family, k stat, mark string, held func() func(int) bool) bool {
	c := &p.claim
	if !c.made || !f.whole || c.spares(k) || !p.precedes(f, k) {
		return false
	}
	for _, g := range p.registry.mains {
		if g != f && !g.ending && p.precedes(g, k) {
			return false
		}
	}
	return c.isStray(k, mark, held)
}

// precedes reports whether f had started when k did. A main process can be seen until its family is gone.
func (p *procFinder) precedes(f *family, k stat) bool {
	if f.since == 0 {
		main, _ := p.proc.stat(f.mains[0])
		f.since = main.start
	}
	return f.since != 0 && f.since <= k.start
}

// strays are the orphans that are alive and belong to no family; spared says which may be meant to live on.
func (p *procFinder) strays(spared bool) (list []descendant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.claim.made {
		return nil
	}
	all := p.proc.orphans()
	held := sync.OnceValue(p.held) // after the list
	for _, pid := range all {
		if o, known := p.adoptees[pid]; p.registry.mains[pid] != nil || known && p.registry.mains[o.family.main] == o.family {
			continue
		}
		k, ok := p.proc.stat(pid)
		if !ok || k.dead {
			continue
		}
		mark := p.proc.mark(pid)
		if p.ownedByAny(k, mark) || !p.claim.isStray(k, mark, held) || p.claim.spares(k) != spared {
			continue
		}
		k.unmarked = true
		list = append(list, k.descendant)
	}
	return list
}

// ownedByAny reports whether a family that runs owns k.
func (p *procFinder) ownedByAny(k stat, mark string) bool {
	for _, f := range p.registry.mains {
		if p.owns(f, k, mark) {
			return true
		}
	}
	return false
}

// held reports which children others in this program wait for. Where the kernel refuses pidfds package os has none that could be seen:
// then it may be any, unless all belong to this package.
func (p *procFinder) held() func(pid int) bool {
	if p.claim.made && !hasPidfds() {
		return func(int) bool { return false }
	}
	return p.proc.held()
}

// strays of this process.
func strays(spared bool) []descendant {
	if p, ok := here.find().(*procFinder); ok {
		return p.strays(spared)
	}
	return nil
}
