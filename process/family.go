//go:build unix

package process

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"syscall"
)

// Adopt makes this process the new parent of its descendants' orphans, where the system can (Linux and FreeBSD), and has
// those that end reaped; it reports whether it could. PID 1 is that in any case, and needs it for the reaping. Starting a
// [Process] whose stop reaches further than the main process, or that has a NOTIFY_SOCKET, does the same. It cannot be undone.
func Adopt() bool { return here.adoptOrphans() }

// here is what this process knows of its children's families.
var here = newRegistry(native{})

// A registry knows the families of one process.
type registry struct {
	kernel
	find func() finder // the way to find members, chosen at the first call

	mu      sync.Mutex // held while members are looked for, so that a thousand children that stop at once look one after another
	adopted bool
	reaping bool
	told    func(Exit)      // unless nil, is called with how each ended that was reaped; see Reap
	mains   map[int]*family // by the number of the main process, until the family is gone
	over    chan struct{}   // closed in tests only: the end of sweeping
}

func newRegistry(k kernel) *registry {
	r := &registry{kernel: k, mains: map[int]*family{}, over: make(chan struct{})}
	r.find = sync.OnceValue(func() finder { return k.finder(r) })
	return r
}

// Reap has the children reaped that this process came by without starting or adopting them, where the system can (Linux): those that it
// had before it took the place of another program, and the orphans of descendants where it inherited being their new parent. told, unless
// nil, is called with how each child ended that is reaped and is not the main process of a [Process]; it must not block.
func Reap(told func(Exit)) { here.reapOthers(told) }

// A family is a main process and all its descendants. They are known by their ancestry, and those that lost theirs, because
// the process between has ended, by the first of these that tells:
//
//   - the control group, where it has one of its own: see Cgroup
//   - the mark: every family has a random id in the environment (LASTCALL_FAMILY), which descendants inherit
//   - the process group or the session, which is the main process's or that of another member
//   - having been seen as a member at the soft stop or since
//   - that no other family can have it, see Claim
//
// A family in a family has the marks of both, with a colon between.
type family struct {
	*registry
	id     string
	whole  bool           // its stop reaches every member, see Mode.whole
	main   int            // the main process
	mains  []int          // it, and those before it
	reaped bool           // none of these is a zombie any more; registry.mu
	ending bool           // it is being stopped
	since  uint64         // when the first main process started, once that was asked
	cgroup *cgroup        // of its own; nil if it has none
	seen   map[int]uint64 // members at the soft stop and since: when they started, by number
}

func (r *registry) newFamily(kill Mode) *family {
	f := &family{registry: r, id: rand.Text()[:16], whole: kill.whole()}
	if !f.whole {
		f.id = sparedID + f.id[1:]
	}
	return f
}

// sparedID begins the id of a family whose stop leaves members alone. Other ids are upper case.
const sparedID = "s"

// descendant is a process of the family that is alive. One with pid 0 stands for a whole group whose members are not told apart.
type descendant struct {
	pid, pgid, sid int
	start          uint64 // tells apart processes that have the same number, one after another
	name           string
	unmarked       bool // nothing but Claim tells whose it is
	hidden         bool // the system shows nothing of it but its number
}

// mostPasses bounds how often a family is looked for until it holds still.
const mostPasses = 100

// others lists the members besides the main process that are alive, see finder.pass. It repeats the look until one neither reaps nor loses
// a process: that may have forked between the list and the look at it, and a reaper hands its own list on when it is reaped.
func (f *family) others(alone bool) []descendant {
	for n := 1; ; n++ {
		list, settled := f.find().pass(f, alone)
		if settled || n >= mostPasses && len(list) > 0 {
			return list
		}
	}
}

// join makes pid the main process.
func (f *family) join(pid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.know(pid)
}

// know is join; the caller has the lock.
func (f *family) know(pid int) {
	f.registry.mains[pid] = f
	if f.main = pid; !slices.Contains(f.mains, pid) {
		f.mains = append(f.mains, pid)
	}
	f.find().know(f, pid)
}

// succeed makes k, a member, the main process and returns its handle. Nothing reaps it between the one and the other: its status is
// not an orphan's.
func (f *family) succeed(k descendant) (*handle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, err := f.openMember(k)
	if err == nil {
		h.child = true
		f.know(k.pid)
	}
	return h, err
}

// beginStop notes that the family is being stopped.
func (f *family) beginStop() {
	f.mu.Lock()
	f.ending = true
	f.mu.Unlock()
}

// setReaped notes that its main process is no zombie any more.
func (f *family) setReaped() {
	f.mu.Lock()
	f.reaped = true
	f.mu.Unlock()
}

// leave forgets the family.
func (f *family) leave() {
	f.mu.Lock()
	for _, pid := range f.mains {
		if f.registry.mains[pid] == f { // the number may be another family's by now
			delete(f.registry.mains, pid)
			f.find().forget(pid)
		}
	}
	f.mu.Unlock()
	if len(f.mains) > 2 { // nothing has reaped those between the first and the last
		f.find().sweep()
	}
}

// openMember returns a handle of k, if it is still that process.
func (r *registry) openMember(k descendant) (*handle, error) {
	if k.pid == 0 || k.hidden {
		return nil, errors.ErrUnsupported
	}
	h, err := r.open(k.pid)
	if err != nil {
		return nil, err
	}
	if !r.find().lives(k) {
		h.close()
		return nil, syscall.ESRCH
	}
	return h, nil
}

// send sends sig to k, of which there is no handle. Where the system gives none, as without a descriptor left, it goes by the number.
func (r *registry) send(k descendant, sig syscall.Signal) error {
	if k.pid == 0 {
		return r.kill(-k.pgid, sig)
	}
	h, err := r.openMember(k)
	switch {
	case err == nil:
		defer h.close()
		return h.signal(sig)
	case !k.hidden && r.find().lives(k):
		return r.kill(k.pid, sig)
	}
	return err
}
