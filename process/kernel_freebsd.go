package process

import (
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// See procctl(2).
const (
	procReapAcquire = 2
	procReapGetPIDs = 5
	procReapKill    = 6

	reaperPIDValid  = 1
	reaperPIDChild  = 2
	reaperPIDReaper = 4
	reaperPIDZombie = 8

	reaperKillSubtree = 2
)

type reaperPID struct {
	pid, subtree int32
	flags        uint32
	_            [15]uint32
}

type reaperPIDs struct {
	count uint32
	_     [15]uint32
	pids  *reaperPID
}

type reaperKill struct {
	signal  int32
	flags   uint32
	subtree int32
	killed  uint32
	failed  int32
	_       [15]uint32
}

// procctl is for one process; 0 is this one.
func procctl(pid int, command uintptr, data unsafe.Pointer) error {
	if errno := procctlRaw(uintptr(pid), command, uintptr(data)); errno != 0 {
		return errno
	}
	return nil
}

func (native) adopt() error {
	if err := procctl(0, procReapAcquire, nil); err != nil && os.Getpid() != 1 {
		return os.NewSyscallError("procctl", err)
	}
	return nil
}

func (native) killTree(child int) error {
	kill := reaperKill{signal: int32(syscall.SIGKILL), flags: reaperKillSubtree, subtree: int32(child)}
	return os.NewSyscallError("procctl", procctl(0, procReapKill, unsafe.Pointer(&kill)))
}

func (native) finder(r *registry) finder {
	return &reaperFinder{groupFinder: groupFinder{registry: r, list: listNothing}, calls: procctlCalls{}}
}

// procctlCalls are the calls of this system.
type procctlCalls struct{}

func (procctlCalls) below(reaper int) ([]reaperEntry, error) {
	for size := uint32(64); ; size *= 2 {
		list := make([]reaperPID, size)
		if err := procctl(reaper, procReapGetPIDs, unsafe.Pointer(&reaperPIDs{count: size, pids: &list[0]})); err != nil {
			return nil, err
		}
		if list[size-1].flags&reaperPIDValid != 0 {
			continue // there may be more
		}
		var entries []reaperEntry
		for _, d := range list {
			if d.flags&reaperPIDValid == 0 {
				break
			}
			entries = append(entries, reaperEntry{
				pid: int(d.pid), subtree: int(d.subtree),
				child: d.flags&reaperPIDChild != 0, reaper: d.flags&reaperPIDReaper != 0, zombie: d.flags&reaperPIDZombie != 0,
			})
		}
		return entries, nil
	}
}

// name is the first argument of a process.
func (procctlCalls) name(pid int) string {
	args, err := unix.SysctlRaw("kern.proc.args", pid)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(string(args), "\x00")
	return name
}

// killWithParent has the child killed when this process ends, see PROC_PDEATHSIG_CTL.
func killWithParent(sys *syscall.SysProcAttr) {
	if sys.Pdeathsig == 0 {
		sys.Pdeathsig = syscall.SIGKILL
	}
}
