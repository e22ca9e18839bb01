package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// What the runtime must be able to take beyond what it has at the start: an arena of its heap is 64 MiB, and one more may be begun at
// any time. Where it is made with cgo, its threads have the C library's stacks and heaps besides.
const (
	roomSpace = 128<<20 + cgoThreads*(128+8)<<20
	roomData  = 96<<20 + cgoThreads*8<<20
)

const lacksProc = "/proc is not mounted: a stop reaches each process and its group, and not what left the group; no user, limits, umask, priority or sockets can be set"

func preflight() (lacks []string, err error) {
	if hasNoProc() {
		return []string{lacksProc}, nil
	}
	space, data, ok := memoryInUse()
	if !ok {
		return nil, nil
	}
	for _, l := range []struct {
		resource   int
		name, flag string
		used, room uint64
	}{
		{syscall.RLIMIT_AS, "address space", "-v", space, roomSpace},
		{syscall.RLIMIT_DATA, "data", "-d", data, roomData},
	} {
		var limit syscall.Rlimit
		if syscall.Getrlimit(l.resource, &limit) == nil && limit.Cur < l.used+l.room {
			return nil, fmt.Errorf("the limit of %s (ulimit %s) is %d MiB, and the Go runtime needs %d MiB: raise it to %d",
				l.name, l.flag, limit.Cur>>20, (l.used+l.room)>>20+1, ((l.used+l.room)>>20+1)<<10)
		}
	}
	return nil, nil
}

// memoryInUse is the address space of this process and what of it is private and writable, see proc_pid_statm(5).
func memoryInUse() (space, data uint64, ok bool) {
	text, err := readProc("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 6 {
		return 0, 0, false
	}
	pages := func(field string) uint64 {
		n, _ := strconv.ParseUint(field, 10, 64)
		return n * uint64(os.Getpagesize())
	}
	return pages(fields[0]), pages(fields[5]), true
}

// hasNoProc reports whether /proc is not mounted, or hides this process: then nothing tells who descends from whom.
var hasNoProc = sync.OnceValue(func() bool {
	_, ok := statOf(self)
	return !ok
})

// errNoProc is why a child cannot be prepared.
var errNoProc = errors.New("/proc is not mounted: without it no user, limits, umask, priority or sockets can be set")
