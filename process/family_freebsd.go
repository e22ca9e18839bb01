package process

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// See procctl(2).
const (
	procReapAcquire = 2
	procReapGetPIDs = 5

	reaperPIDValid = 1
	reaperPIDChild = 2
)

type reaperPID struct {
	pid, subtree int32 // subtree: the child of this process that it descends from, dead or alive
	flags        uint32
	_            [15]uint32
}

type reaperPIDs struct {
	count uint32
	_     [15]uint32
	pids  *reaperPID
}

var families struct {
	mu      sync.Mutex
	adopted bool
	mains   map[int]*family // by the number of the main process, until it is reaped
}

// procctl is for this process, which 0 means. Where registers have 32 bits the number, which has 64, takes two of them.
func procctl(command uintptr, data unsafe.Pointer) error {
	const pPID = 0
	var errno syscall.Errno
	switch runtime.GOARCH {
	case "386", "arm":
		_, _, errno = syscall.Syscall6(unix.SYS_PROCCTL, pPID, 0, 0, command, uintptr(data), 0)
	default:
		_, _, errno = syscall.Syscall6(unix.SYS_PROCCTL, pPID, 0, command, uintptr(data), 0, 0)
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// adopt makes this process the new parent of its descendants' orphans, and sees to it that they are reaped.
func adopt() bool {
	families.mu.Lock()
	defer families.mu.Unlock()
	if families.adopted {
		return true
	}
	if err := procctl(procReapAcquire, nil); err != nil && os.Getpid() != 1 {
		return false
	}
	families.adopted = true
	service(func() { reapOrphans(sweep) })
	return true
}

// know makes pid the main process of f; the caller has the lock.
func (f *family) know(pid int) {
	if families.mains == nil {
		families.mains = map[int]*family{}
	}
	families.mains[pid] = f
	if f.main = pid; !slices.Contains(f.mains, pid) {
		f.mains = append(f.mains, pid)
	}
}

// leave forgets f.
func (f *family) leave() {
	families.mu.Lock()
	for _, pid := range f.mains {
		if families.mains[pid] == f { // the number may be somebody else's by now
			delete(families.mains, pid)
		}
	}
	families.mu.Unlock()
	if len(f.mains) > 2 { // nobody has reaped those between the first and the last
		sweep()
	}
}

// remember has nothing to do: the system remembers from which child a process descends.
func (f *family) remember() {}

// reapFirst: the number of a main process is not used again while it is a zombie, so it is one until its family is gone.
func reapFirst() bool { return false }

// descendants are all of this process.
func descendants() []reaperPID {
	for size := uint32(64); ; size *= 2 {
		list := make([]reaperPID, size)
		err := procctl(procReapGetPIDs, unsafe.Pointer(&reaperPIDs{count: size, pids: &list[0]}))
		if err != nil {
			return nil
		}
		for i, d := range list {
			if d.flags&reaperPIDValid == 0 {
				return list[:i]
			}
		}
	}
}

// others are the members besides the main process that are alive. Those that are dead and ours are reaped.
func (f *family) others(bool) []descendant {
	families.mu.Lock()
	defer families.mu.Unlock()
	var list []descendant
	for _, d := range descendants() {
		pid := int(d.pid)
		if families.mains[int(d.subtree)] != f || pid == f.main || families.mains[pid] == nil && reapOrphan(d) {
			continue
		}
		pgid, err := unix.Getpgid(pid)
		if err != nil {
			continue // it is gone, or a zombie that its own parent will reap
		}
		sid, _ := unix.Getsid(pid)
		list = append(list, descendant{pid: pid, pgid: pgid, sid: sid, name: nameOf(pid)})
	}
	return list
}

// reapOrphan takes the status of an adopted process if it is dead.
func reapOrphan(d reaperPID) bool {
	if d.flags&reaperPIDChild == 0 {
		return false
	}
	_, err := waitFor(int(d.pid), syscall.WNOHANG)
	return err == nil
}

// sweep reaps orphans that have died. A child that somebody else in this program waits for is the head of its own subtree,
// which an orphan is not (golang/go#60481).
func sweep() {
	families.mu.Lock()
	defer families.mu.Unlock()
	for _, d := range descendants() {
		if d.subtree != d.pid && families.mains[int(d.pid)] == nil {
			reapOrphan(d)
		}
	}
}

// nameOf is the first argument of a process.
func nameOf(pid int) string {
	args, err := unix.SysctlRaw("kern.proc.args", pid)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(string(args), "\x00")
	return name
}

// open is a handle of k.
func (k descendant) open() (*handle, error) { return openHandle(k.pid) }

// lives: a handle needs nothing here that can run out.
func (k descendant) lives() bool { return false }
