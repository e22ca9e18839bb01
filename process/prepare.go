//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A step is something that a child does to itself before its program runs.
type step struct {
	name  string // what messages call it
	value uint64
}

const listenStep = "LISTEN_PID"

// preparation is what p asks for, in order: the memory comes last, since this program needs some of it until then.
func (p *Process) preparation() (list []step) {
	add := func(name string, value uint64) { list = append(list, step{name, value}) }
	if len(p.Listen) > 0 {
		add(listenStep, 0)
	}
	if p.Nice != 0 {
		add("nice", uint64(p.Nice+20))
	}
	if p.Umask != nil {
		add("umask", uint64(*p.Umask))
	}
	if p.Limits.Core != nil {
		add("core", *p.Limits.Core)
	}
	if n := p.Limits.CPUTime; n > 0 {
		add("cpu time", n)
	}
	if n := p.Limits.NoFile; n > 0 {
		add("nofile", n)
	}
	if n := p.Limits.Memory; n > 0 {
		add("memory", n)
	}
	return list
}

// encodeSteps and decodeSteps carry them through the environment, as name=value with commas between.
func encodeSteps(list []step) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = s.name + "=" + strconv.FormatUint(s.value, 10)
	}
	return strings.Join(texts, ",")
}

func decodeSteps(text string) (list []step, err error) {
	for one := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(one, "=")
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return nil, err
		}
		list = append(list, step{name, n})
	}
	return list, nil
}

// do is one step. It runs on the first thread, which is also the one that becomes the program: on Linux a priority is a thread's.
func (s step) do() error {
	switch s.name {
	case listenStep:
		return os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	case "nice":
		return syscall.Setpriority(syscall.PRIO_PROCESS, 0, int(s.value)-20)
	case "umask":
		syscall.Umask(int(s.value))
		return nil
	case "core":
		return setLimit(syscall.RLIMIT_CORE, s.value, 0)
	case "cpu time":
		return setLimit(syscall.RLIMIT_CPU, s.value, 1)
	case "nofile":
		// By package syscall, which then no longer restores the soft limit that the runtime raised when it started.
		return setLimit(syscall.RLIMIT_NOFILE, s.value, 0)
	case "memory":
		return setLimit(rlimitMemory, s.value, 0)
	}
	return errors.ErrUnsupported
}

// setLimit sets a soft limit, and a hard one that is more above it.
func setLimit(resource int, n, more uint64) error {
	var r syscall.Rlimit
	put(&r.Cur, n)
	put(&r.Max, max(n, n+more))
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
	if name == "" {
		return syscall.Errno(errno)
	}
	return fmt.Errorf("%s: %w", name, syscall.Errno(errno))
}
