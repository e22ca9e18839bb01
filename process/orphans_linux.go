package process

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// sweep reaps orphans that have died, and leaves alone the children that somebody else in this program waits for
// (golang/go#60481): package os holds a pidfd of each of its children until it has its status, so a dead child without one is
// nobody's.
//
// Who is alive and known is not looked at: ten thousand that die one after another would be ten thousand looks for each.
func (p *procFinder) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.proc.orphans()
	held := sync.OnceValue(p.held) // after the list: it holds for everybody in that
	hidden := p.reapDead(list, held)
	for _, pid := range list {
		_, known := p.adoptees[pid]
		if p.registry.mains[pid] != nil || known && !hidden {
			continue
		}
		k, ok := p.proc.stat(pid)
		switch {
		case !ok:
		case k.dead:
			if known || !held()(pid) {
				p.reapOrphan(pid)
			}
		case !known: // while its environment can be read
			mark := p.proc.mark(pid)
			for _, f := range p.registry.mains {
				if p.owns(f, k, mark) {
					p.adoptees[pid] = orphan{family: f, start: k.start}
					break
				}
			}
		}
	}
}

// reapDead reaps the dead of the list, as long as the kernel names one that may be. It reports whether there may be more behind one
// that may not.
func (p *procFinder) reapDead(list []int, held func() func(pid int) bool) (hidden bool) {
	for {
		pid := p.proc.dead()
		if pid == 0 {
			return false
		}
		_, known := p.adoptees[pid]
		switch {
		case p.registry.mains[pid] != nil:
			return true
		case !known && (!slices.Contains(list, pid) || held()(pid)):
			return true
		}
		if !p.reapOrphan(pid) {
			return true
		}
	}
}

// nextDead is a child that is dead and has not been reaped, 0 if there is none.
func nextDead() int {
	return int(awaitEnd(unix.P_ALL, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT).pid)
}

// reapOrphan takes the status of one child that is dead.
func (p *procFinder) reapOrphan(pid int) bool {
	status, err := p.wait(pid, syscall.WNOHANG)
	if errors.Is(err, syscall.EAGAIN) {
		return false
	}
	if err == nil && p.told != nil {
		p.told(exitOf(pid, status))
	}
	delete(p.adoptees, pid)
	return true
}

// heldByOthers reports of which processes this program has a pidfd open that this package did not open, see pidfd_open(2) on
// fdinfo. Of all, if that cannot be seen, as where no descriptor is left to look with: a zombie does less harm than a status that
// is lost.
func heldByOthers() func(pid int) bool {
	if !hasPidfds() {
		return allHeld
	}
	opened.mu.Lock()
	defer opened.mu.Unlock()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return allHeld
	}
	held := map[int]bool{}
	for _, e := range entries {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || !strings.Contains(to, "pidfd") { // it is closed by now, or something else
			continue
		}
		if fd, err := strconv.Atoi(e.Name()); err != nil || opened.fds[fd] {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return allHeld
		}
		for line := range strings.Lines(string(info)) {
			if number, ok := strings.CutPrefix(line, "Pid:"); ok {
				if pid, err := strconv.Atoi(strings.TrimSpace(number)); err == nil {
					held[pid] = true
				}
			}
		}
	}
	return func(pid int) bool { return held[pid] }
}

func allHeld(int) bool { return true }

// hasPidfds reports whether the kernel lets pidfds be used, as package os finds out for its children.
var hasPidfds = sync.OnceValue(func() bool {
	fd, err := unix.PidfdOpen(self, 0)
	if err == nil {
		err = unix.PidfdSendSignal(fd, 0, nil, 0)
		unix.Close(fd)
	}
	return !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) // without a descriptor left there is no telling
})

// orphans are the children of the thread to which the kernel gives orphans, the first of this process. Children that
// this package started are those of another thread, so the list is short however many they are. It is kept open, since
// it is looked at after the end of each child.
func orphans() []int {
	list := openOrphans()
	return children(self, func() ([]byte, error) {
		if list < 0 {
			return readProc(orphansList)
		}
		return readAll(func(b []byte, at int) (int, error) { return unix.Pread(list, b, int64(at)) })
	})
}

// orphansFile is the list, once it is open, and one more than its descriptor.
var orphansFile atomic.Int64

// openOrphans returns the descriptor of the list, or -1 where none is left for it.
func openOrphans() int {
	if fd := orphansFile.Load(); fd > 0 {
		return int(fd - 1)
	}
	fd, err := unix.Open(orphansList, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	if !orphansFile.CompareAndSwap(0, int64(fd)+1) {
		unix.Close(fd)
		return int(orphansFile.Load() - 1)
	}
	return fd
}
