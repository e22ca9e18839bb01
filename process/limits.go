package process

import (
	"errors"
	"math"
)

// Limits is what a child may use. What it inherits otherwise are those of this process. A limit that the system lacks is an
// error of the start, and never left out silently.
//
// They are set in the child before its program runs and before its user changes: only root can raise what is its hard limit.
// Like sockets they make the start go by way of this program, see the package's documentation.
type Limits struct {
	// NoFile is the number of open files; 0 means as inherited.
	NoFile uint64
	// Core is the size of a core dump in bytes; nil means as inherited, 0 none, math.MaxUint64 any.
	Core *uint64
	// Memory is how many bytes of memory each process may have; 0 means as inherited. On Linux (4.7 or later) and OpenBSD it
	// is what it may write to and shares with nobody (RLIMIT_DATA), on the other BSDs its address space (RLIMIT_AS). macOS has
	// no such limit.
	Memory uint64
	// CPUTime is how many seconds of processor time each process may take, after which it gets SIGXCPU, and a second later
	// SIGKILL; 0 means as inherited.
	CPUTime uint64
	// NProc is how many processes and threads its user may have in all, whoever started them (RLIMIT_NPROC); beyond it no more can be
	// made. 0 means as inherited. Root is not bound by it.
	NProc uint64
	// Stack is the size of the stack in bytes; nil means as inherited, math.MaxUint64 any.
	Stack *uint64
	// MemLock is how many bytes of memory it may lock; nil means as inherited, math.MaxUint64 any. Solaris, illumos and AIX have no such
	// limit.
	MemLock *uint64
}

// Cgroup is a control group (Linux, cgroup v2, see cgroups(7)) of a child and all its descendants, and what they may use together. It is
// made below the control group that this process is in, which must be writable ("delegated") and, for limits, have their controllers and
// no processes but this one and its descendants: these are moved to a group "lastcall" below it, once and for good. Where that is not
// possible the start fails; see [Cgroup.Check].
//
// The members of the group count as the family, whatever they did to their session and environment, and at the hard stop all are killed
// at one time where Kill is KillFamily. The group is removed when the family is gone. Members whom the stop leaves alone stay in it.
// It makes the start go by way of this program, as Limits do.
type Cgroup struct {
	// Name is a part of the name of the group; "" means that of the program.
	Name string
	// Pids is how many processes and threads there may be; 0 means no limit. Beyond it no more can be made.
	Pids uint64
	// Memory is how many bytes of memory they may have, file cache included; 0 means no limit. What cannot be freed beyond it has a process
	// killed. They get no swap space then.
	Memory uint64
	// CPUs is how much processor time they get: 1.5 is one and a half processors; 0 means no limit.
	CPUs float64
}

// unlimited is RLIM_INFINITY for whoever says so with the largest number.
const unlimited uint64 = math.MaxUint64

// maxCPUs is more than any machine has.
const maxCPUs = 1e6

var errNoCgroups = errors.New("only Linux has control groups")

// prepared reports whether something has to be done in the child before its program runs.
func (p *Process) prepared() bool {
	return len(p.Listen) > 0 || p.Limits != Limits{} || p.Cgroup != nil || p.Umask != nil || p.Nice != 0 || p.NoNewPrivs || p.Capabilities != nil ||
		p.setsSignals() && canPrepare()
}

func (p *Process) preparedProblems(add func(string, ...any)) {
	if p.Umask != nil && (*p.Umask < 0 || *p.Umask > 0o777) {
		add("Umask is %#o, and must be between 0 and 0777", *p.Umask)
	}
	if p.Nice < -20 || p.Nice > 19 {
		add("Nice is %d, and must be between -20 and 19", p.Nice)
	}
	if p.Limits.Memory > 0 && !memoryLimit {
		add("Limits.Memory cannot be set: this system has no limit of memory")
	}
	if p.Limits.NProc > 0 && !processLimit {
		add("Limits.NProc cannot be set: this system has no limit of processes")
	}
	if p.Limits.MemLock != nil && !lockLimit {
		add("Limits.MemLock cannot be set: this system has no limit of locked memory")
	}
	if g := p.Cgroup; g != nil {
		if g.CPUs < 0 || math.IsNaN(g.CPUs) || g.CPUs > maxCPUs {
			add("Cgroup.CPUs is %v, and must be between 0 and %v", g.CPUs, maxCPUs)
		}
		if !hasCgroups {
			add("Cgroup cannot be had: %v", errNoCgroups)
		}
	}
	if p.NoNewPrivs && !hasNoNewPrivs {
		add("NoNewPrivs cannot be set: this system has nothing like it")
	}
	if p.Capabilities != nil && !hasCapabilities {
		add("Capabilities cannot be set: this system has none")
	}
	for _, c := range p.Capabilities {
		if int(c) >= len(capabilityNames) {
			add("there is no capability %d", c)
		}
	}
	if p.prepared() && hasChroot(p.Sys) {
		add("sockets, limits, umask, priority and rights cannot be set in a chroot: the program that sets them is not there")
	}
}
