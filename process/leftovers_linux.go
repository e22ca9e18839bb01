package process

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall"
)

// leftovers are the processes that bear a mark.
func leftovers(mark string) (list []kin, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == self {
			continue
		}
		env, _ := environOf(pid) // of all processes there are: who is in execve is not waited for
		if marks := strings.Split(markIn(env), ":"); !slices.Contains(marks, mark) {
			continue
		}
		if k, ok := statOf(pid); ok && !k.dead {
			list = append(list, k.kin)
		}
	}
	return list, nil
}

// Leftovers are the processes with that [Process].Mark in their environment, other than this one: called before anything with the
// mark is started, what outlived an earlier supervisor. Those whose environment cannot be read, being another user's, are not seen.
// It looks at every process of the system.
func Leftovers(mark string) ([]Relative, error) {
	found, err := leftovers(mark)
	list := make([]Relative, len(found))
	for i, k := range found {
		list[i] = Relative{PID: k.pid, Name: k.name}
	}
	return list, err
}

// EndLeftovers sends them SIGTERM and SIGCONT, those that are left at the end of ctx SIGKILL, and returns when none is there,
// with all that there were.
func EndLeftovers(ctx context.Context, mark string) ([]Relative, error) {
	var ended []Relative
	known := map[who]int{}
	for {
		found, err := leftovers(mark)
		if err != nil {
			return ended, err
		}
		var waiting []*relative
		gone := make(chan struct{}, len(found))
		for _, k := range found {
			key := who{pid: k.pid, start: k.start}
			i, told := known[key]
			if !told {
				i = len(ended)
				known[key] = i
				ended = append(ended, Relative{PID: k.pid, Name: k.name})
			}
			if ended[i].OutOfReach {
				continue
			}
			h, err := k.open()
			if err != nil {
				continue
			}
			r := &relative{kin: k, h: h}
			switch {
			case ctx.Err() != nil:
				r.signal(syscall.SIGKILL)
				ended[i].Killed = !r.out
			case !told:
				r.signal(syscall.SIGTERM)
				r.signal(syscall.SIGCONT)
			}
			if ended[i].OutOfReach = r.out; !r.out {
				err = h.onExit(func() { gone <- struct{}{} })
			}
			if r.out || err != nil {
				r.drop()
				continue
			}
			waiting = append(waiting, r)
		}
		if len(waiting) == 0 {
			return ended, nil
		}
		soft := ctx.Done()
		if ctx.Err() != nil { // SIGKILL is on its way
			soft = nil
		}
		select {
		case <-gone: // it may have left a child that has not been told
			_ = lastcall.Sleep(ctx, sweepPause) // others end with it
		case <-soft:
		}
		for _, r := range waiting {
			r.drop()
		}
	}
}
