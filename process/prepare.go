//go:build unix

package process

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// A step is something that a child does to itself before its program runs.
type step struct {
	name   string // what messages call it
	values []uint64
}

const (
	listenStep  = "LISTEN_PID"
	raiseStep   = "raise " // followed by the name of a limit: the hard one
	userStep    = "user"   // number, group, whether the groups stay as they are (1), groups…
	deathStep   = "death"  // the signal of the parent's death
	boundStep   = "bound"  // a set of capabilities
	holdStep    = "hold"   // likewise
	cgroupStep  = "cgroup" // a descriptor of the file by which it joins
	noPrivsStep = "no_new_privs"
	memoryStep  = "memory"
	nprocStep   = "nproc"
	signalsStep = "signals" // the mask, the signals whose action becomes the default, those that are ignored
)

// preparation is what p asks for, in order. What needs privileges comes before the user changes, which is to cred unless that is nil.
// group is the descriptor by which it joins its control group, 0 for none. The last are the limits that this program itself would run into.
func (p *Process) preparation(cred *syscall.Credential, death syscall.Signal, group int) (list []step) {
	add := func(name string, values ...uint64) { list = append(list, step{name, values}) }
	limits := &p.Limits
	if len(p.Listen) > 0 {
		add(listenStep)
	}
	if p.Nice != 0 {
		add("nice", uint64(p.Nice+20))
	}
	if limits.Core != nil {
		add("core", *limits.Core)
	}
	if limits.Stack != nil {
		add("stack", *limits.Stack)
	}
	if limits.MemLock != nil {
		add("memlock", *limits.MemLock)
	}
	if n := limits.CPUTime; n > 0 {
		add("cpu time", n)
	}
	if n := limits.NoFile; n > 0 {
		add("nofile", n)
	}
	if n := limits.Memory; n > 0 {
		add(raiseStep+memoryStep, n)
	}
	if n := limits.NProc; n > 0 {
		add(raiseStep+nprocStep, n)
	}
	if group != 0 { // an old kernel looks at the rights of who writes, and not of who opened the file
		add(cgroupStep, uint64(group))
	}
	if p.Capabilities != nil {
		add(boundStep, capabilitySet(p.Capabilities))
	}
	if cred != nil {
		values := []uint64{uint64(cred.Uid), uint64(cred.Gid), 0}
		if cred.NoSetGroups {
			values[2] = 1
		}
		for _, g := range cred.Groups {
			values = append(values, uint64(g))
		}
		add(userStep, values...)
		if death != 0 {
			add(deathStep, uint64(death))
		}
	}
	if p.Capabilities != nil {
		add(holdStep, capabilitySet(p.Capabilities))
	}
	if p.Umask != nil {
		add("umask", uint64(*p.Umask))
	}
	if p.NoNewPrivs {
		add(noPrivsStep)
	}
	if n := limits.NProc; n > 0 {
		add(nprocStep, n)
	}
	if n := limits.Memory; n > 0 {
		add(memoryStep, n)
	}
	if p.setsSignals() {
		mask, reset, ignore := p.signals()
		add(signalsStep, mask, reset, ignore)
	}
	return list
}

// encodeSteps and decodeSteps carry them to the child, as name=value:value with commas between.
func encodeSteps(list []step) string {
	texts := make([]string, len(list))
	for i, s := range list {
		values := make([]string, len(s.values))
		for j, v := range s.values {
			values[j] = strconv.FormatUint(v, 10)
		}
		texts[i] = s.name + "=" + strings.Join(values, ":")
	}
	return strings.Join(texts, ",")
}

func decodeSteps(text string) (list []step, err error) {
	if text == "" {
		return nil, nil
	}
	for one := range strings.SplitSeq(text, ",") {
		name, values, ok := strings.Cut(one, "=")
		if !ok {
			return nil, fmt.Errorf("step %q has no values", one)
		}
		s := step{name: name}
		for value := range strings.SplitSeq(values, ":") {
			if values == "" {
				break
			}
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return nil, err
			}
			s.values = append(s.values, n)
		}
		list = append(list, s)
	}
	return list, nil
}

// least is how many values a step has at least.
func (s step) least() int {
	switch s.name {
	case listenStep, noPrivsStep:
		return 0
	case userStep:
		return 3
	case signalsStep:
		return 3
	}
	return 1
}

// do is one step. It runs on the first thread, which is also the one that becomes the program: on Linux a priority is a thread's,
// and so are capabilities.
func (s step) do() error {
	if len(s.values) < s.least() {
		return errors.ErrUnsupported
	}
	switch s.name {
	case "nice":
		return syscall.Setpriority(syscall.PRIO_PROCESS, 0, int(s.values[0])-20)
	case "umask":
		syscall.Umask(int(s.values[0]))
		return nil
	case "core":
		return setLimit(syscall.RLIMIT_CORE, s.values[0], 0)
	case "stack":
		return setLimit(syscall.RLIMIT_STACK, s.values[0], 0)
	case "memlock":
		return setLimit(rlimitMemLock, s.values[0], 0)
	case "cpu time":
		return setLimit(syscall.RLIMIT_CPU, s.values[0], 1)
	case "nofile":
		// By package syscall, which then no longer restores the soft limit that the runtime raised when it started.
		return setLimit(syscall.RLIMIT_NOFILE, s.values[0], 0)
	case raiseStep + memoryStep:
		return raiseLimit(rlimitMemory, s.values[0])
	case raiseStep + nprocStep:
		return raiseLimit(rlimitNumProcs, s.values[0])
	case memoryStep:
		return setLimit(rlimitMemory, s.values[0], 0)
	case nprocStep:
		return setLimit(rlimitNumProcs, s.values[0], 0)
	case userStep:
		return become(s.values)
	case signalsStep:
		setSignals(s.values[0], s.values[1], s.values[2])
		return nil
	}
	return s.doHere()
}

// become changes the user for good.
func become(values []uint64) error {
	if values[2] == 0 {
		groups := []int{}
		for _, g := range values[3:] {
			groups = append(groups, int(g))
		}
		if err := syscall.Setgroups(groups); err != nil {
			return err
		}
	}
	if err := syscall.Setgid(int(values[1])); err != nil {
		return err
	}
	return syscall.Setuid(int(values[0]))
}

// setLimit sets a soft limit, and a hard one that is more above it.
func setLimit(resource int, n, more uint64) error {
	var r syscall.Rlimit
	put(&r.Cur, n)
	put(&r.Max, max(n, n+more))
	if err := syscall.Setrlimit(resource, &r); err != nil {
		return err
	}
	var got syscall.Rlimit
	if err := syscall.Getrlimit(resource, &got); err != nil {
		return err
	}
	return lowered(uint64(r.Cur), uint64(got.Cur)) //nolint:unconvert // signed elsewhere
}

// lowered is ERANGE if the system has set less than was asked for: FreeBSD does so beyond kern.maxfilesperproc, and says nothing.
func lowered(asked, got uint64) error {
	if got < asked {
		return syscall.ERANGE
	}
	return nil
}

// raiseLimit makes room for a soft limit of n that is set later, without the privileges that this may need.
func raiseLimit(resource int, n uint64) error {
	var r, want syscall.Rlimit
	if err := syscall.Getrlimit(resource, &r); err != nil {
		return err
	}
	put(&want.Max, n)
	// Where the limits have signs, what is no limit is the largest number.
	if uint64(want.Max) <= uint64(r.Max) { //nolint:unconvert // signed elsewhere
		return nil
	}
	r.Max = want.Max
	return syscall.Setrlimit(resource, &r)
}

// put converts a limit to what the system has: signed or not, and with a number of its own for no limit.
func put[T int64 | uint64](to *T, n uint64) {
	none := int64(syscall.RLIM_INFINITY)
	if *to = T(n); n == unlimited {
		*to = T(none)
	}
}

// stepError is what the child says of a step that failed, as name:errno; the name is empty if its program could not be run.
func stepError(text string) error {
	name, number, ok := strings.Cut(text, ":")
	errno, err := strconv.Atoi(number)
	if !ok || err != nil {
		return fmt.Errorf("the child said %q before its program ran", text)
	}
	switch name = strings.TrimPrefix(name, raiseStep); name {
	case "":
		return syscall.Errno(errno)
	case boundStep, holdStep:
		name = "capabilities"
	case deathStep:
		name = "the signal of the parent's death"
	}
	if syscall.Errno(errno) == syscall.ERANGE {
		return fmt.Errorf("%s: more than this system allows: %w", name, syscall.ERANGE)
	}
	return fmt.Errorf("%s: %w", name, syscall.Errno(errno))
}
