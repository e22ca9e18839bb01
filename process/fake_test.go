//go:build unix

package process

import (
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A fake is a kernel that does all that the kernels below may do. Its time is that of the bubble it runs in.
type fake struct {
	behaviour
	mu       sync.Mutex
	me, init *life
	lives    map[int]*life // by number; zombies, too
	last     int           // number
	clock    uint64
	programs map[string]func(*life) // by path; what it does when it starts
	ends     []chan os.Signal
	said     []string
	handles  map[*handle]*life
	listed   func() // is called once after the next list of processes has been made
	trees    int    // how many were killed at one time
}

// A behaviour is how a fake behaves.
type behaviour struct {
	title    string
	finds    string        // proc, reaper or group
	pidfd    bool          // handles mean one process; else its number
	exit     time.Duration // how long a process takes from the note of its end to being a zombie
	flags    bool          // lists of descendants tell who is a zombie
	groups   bool          // groups can be listed
	refuses  bool          // a group of zombies cannot be signalled: EPERM
	acquired bool          // this process is a reaper already: EBUSY
	setID    bool          // a set-user-ID program cannot be watched: EACCES
	hides    bool          // other users' processes are not shown: ESRCH
}

// systems are those that every scenario runs on.
var systems = []behaviour{
	{title: "linux", finds: "proc", pidfd: true},
	{title: "linux, slow exits", finds: "proc", pidfd: true, exit: 300 * time.Millisecond},
	{title: "linux without pidfds", finds: "proc"},
	{title: "linux without /proc", finds: "group", pidfd: true},
	{title: "freebsd", finds: "reaper", flags: true},
	{title: "freebsd, slow exits", finds: "reaper", flags: true, exit: 300 * time.Millisecond},
	{title: "freebsd 12, a reaper already", finds: "reaper", acquired: true, exit: time.Millisecond},
	{title: "freebsd, see_other_uids=0", finds: "reaper", hides: true},
	{title: "macos", finds: "group", groups: true, refuses: true},
	{title: "macos, slow exits", finds: "group", groups: true, refuses: true, exit: 300 * time.Millisecond},
	{title: "netbsd", finds: "group", setID: true, exit: time.Millisecond},
}

const (
	lifeRuns = iota
	lifeExits
	lifeEnded
)

// A life is a process of a fake.
type life struct {
	f              *fake
	name           string
	pid, pgid, sid int
	start          uint64
	parent, reaper *life
	subtree        int
	isReaper       bool
	adopted        bool // it came to its parent as an orphan
	lazy           bool // it does not wait for its children
	uid            int
	setID          bool
	mark           string
	state          int
	halted         bool
	pending        []syscall.Signal
	on             map[syscall.Signal]func(*life)
	status         syscall.WaitStatus
	watches        []func()
	dead           chan struct{} // closed when it is a zombie
}

func newFake(s behaviour) *fake {
	f := &fake{behaviour: s, lives: map[int]*life{}, programs: map[string]func(*life){}, handles: map[*handle]*life{}, last: max(os.Getpid(), 1000)}
	f.init = &life{f: f, name: "init", pid: 1, pgid: 1, sid: 1, isReaper: true, dead: make(chan struct{})}
	f.me = &life{f: f, name: "me", pid: os.Getpid(), pgid: os.Getpid(), sid: os.Getpid(), parent: f.init, reaper: f.init, subtree: os.Getpid(), isReaper: s.acquired, lazy: true, dead: make(chan struct{})}
	f.lives[f.me.pid] = f.me
	return f
}

func (f *fake) say(text string) { f.said = append(f.said, text) }

// words are what has been said.
func (f *fake) words() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.said)
}

func (f *fake) makeLocked(parent *life, name string) *life {
	f.last++
	for f.lives[f.last] != nil {
		f.last++
	}
	f.clock++
	p := &life{
		f: f, name: name, pid: f.last, pgid: parent.pgid, sid: parent.sid, start: f.clock, parent: parent, mark: parent.mark, uid: parent.uid,
		on: map[syscall.Signal]func(*life){}, dead: make(chan struct{}),
	}
	p.reaper, p.subtree = parent.reaper, parent.subtree
	if parent.isReaper {
		p.reaper, p.subtree = parent, p.pid
	}
	f.lives[p.pid] = p
	return p
}

// spawn makes a child: how is plain, pgid, sid or bare, which is sid and no mark.
func (p *life) spawn(how, name string, program func(*life)) *life {
	p.f.mu.Lock()
	c := p.f.makeLocked(p, name)
	switch how {
	case "pgid":
		c.pgid = c.pid
	case "sid":
		c.pgid, c.sid = c.pid, c.pid
	case "bare":
		c.pgid, c.sid, c.mark = c.pid, c.pid, ""
	}
	p.f.mu.Unlock()
	if program != nil {
		program(c)
	}
	return c
}

// exits ends it with a code.
func (p *life) exits(code int) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.endLocked(syscall.WaitStatus(code << 8))
}

// after is a handler that exits with a code after a time.
func after(d time.Duration, code int) func(*life) {
	return func(p *life) { time.AfterFunc(d, func() { p.exits(code) }) }
}

func (p *life) endLocked(s syscall.WaitStatus) {
	if p.state != lifeRuns {
		return
	}
	p.state, p.status = lifeExits, s
	if !p.f.pidfd { // the note comes early
		p.noteLocked()
	}
	if p.f.exit == 0 {
		p.buryLocked()
		return
	}
	time.AfterFunc(p.f.exit, func() {
		p.f.mu.Lock()
		defer p.f.mu.Unlock()
		p.buryLocked()
	})
}

func (p *life) noteLocked() {
	for _, fn := range p.watches {
		go fn()
	}
	p.watches = nil
}

// buryLocked makes it a zombie.
func (p *life) buryLocked() {
	for _, c := range p.childrenLocked() {
		to := c.reaper
		if p.f.finds != "reaper" {
			to = p.f.init
			if p.f.finds == "proc" || p.f.pidfd {
				for to = p.parent; !to.isReaper; to = to.parent {
				}
			}
		}
		if to != p { // a reaper's children stay its own while it is a zombie
			c.moveLocked(to)
		}
	}
	p.state = lifeEnded
	close(p.dead)
	p.noteLocked()
	p.endedLocked()
}

// endedLocked tells the parent of a zombie.
func (p *life) endedLocked() {
	switch {
	case p.parent == p.f.me:
		for _, c := range p.f.ends {
			select {
			case c <- syscall.SIGCHLD:
			default:
			}
		}
	case p.parent == p.f.init, p.parent.state == lifeRuns && !p.parent.lazy:
		p.reapLocked()
	}
}

func (p *life) moveLocked(to *life) {
	p.parent, p.adopted = to, true
	if p.state == lifeEnded {
		p.endedLocked()
	}
}

// reapLocked removes a zombie. What a reaper had goes to the reaper above.
func (p *life) reapLocked() {
	delete(p.f.lives, p.pid)
	if p.f.finds != "reaper" || !p.isReaper {
		return
	}
	p.isReaper = false
	for _, q := range p.f.sortedLocked() {
		if q.reaper == p {
			q.reaper, q.subtree = p.reaper, p.subtree
			if q.parent == p {
				q.moveLocked(p.reaper)
			}
		}
	}
}

func (f *fake) sortedLocked() (list []*life) {
	for _, p := range f.lives {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *life) int { return int(a.start) - int(b.start) })
	return list
}

func (p *life) childrenLocked() []*life {
	return slices.DeleteFunc(p.f.sortedLocked(), func(c *life) bool { return c.parent != p })
}

// hiddenLocked reports whether this process may not see it.
func (p *life) hiddenLocked() bool { return p.f.hides && p.uid != p.f.me.uid }

func (p *life) deliverLocked(s syscall.Signal) error {
	switch {
	case p.state != lifeRuns:
		return nil
	case p.uid != p.f.me.uid:
		return syscall.EPERM
	case s == 0:
	case s == syscall.SIGKILL:
		p.f.say(p.name + " KILL")
		p.endLocked(syscall.WaitStatus(s))
	case s == syscall.SIGSTOP:
		p.halted = true
	case s == syscall.SIGCONT:
		p.halted = false
		pending := p.pending
		p.pending = nil
		for _, s := range pending {
			_ = p.deliverLocked(s)
		}
	case p.halted:
		p.pending = append(p.pending, s)
	default:
		p.f.say(p.name + " " + strings.TrimPrefix(SignalName(s), "SIG"))
		if handle := p.on[s]; handle != nil {
			go handle(p)
		} else {
			p.endLocked(syscall.WaitStatus(s))
		}
	}
	return nil
}

func (f *fake) kill(pid int, s syscall.Signal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if pid > 0 {
		p := f.lives[pid]
		if p == nil || p.hiddenLocked() {
			return syscall.ESRCH
		}
		return p.deliverLocked(s)
	}
	var found, dead, refused int
	for _, p := range f.sortedLocked() {
		if p.pgid != -pid || p.hiddenLocked() {
			continue
		}
		found++
		if p.state == lifeEnded {
			dead++
		}
		if p.deliverLocked(s) != nil {
			refused++
		}
	}
	switch {
	case found == 0:
		return syscall.ESRCH
	case refused == found, f.refuses && dead == found:
		return syscall.EPERM
	}
	return nil
}

// reaps makes it a reaper.
func (p *life) reaps() *life {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.isReaper = true
	return p
}

// ignores makes it ignore SIGTERM.
func (p *life) ignores() *life {
	p.handles(syscall.SIGTERM, func(*life) {})
	return p
}

// handles makes it handle a signal.
func (p *life) handles(s syscall.Signal, fn func(*life)) *life {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	p.on[s] = fn
	return p
}

// fakeProc finds families in the /proc of a fake; nil where the finder is not built.
var fakeProc func(f *fake, r *registry) finder
