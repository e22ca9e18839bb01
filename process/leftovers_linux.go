package process

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall"
)

// leftovers are the processes that bear a mark, and those in control groups of it.
func leftovers(mark string) (list []descendant, err error) {
	entries, err := entriesOf("/proc")
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
			list = append(list, k.descendant)
		}
	}
	for _, pid := range membersLeft(mark) {
		if k, ok := statOf(pid); ok && !k.dead && pid != self && !slices.ContainsFunc(list, func(l descendant) bool { return l.pid == pid }) {
			list = append(list, k.descendant)
		}
	}
	return list, nil
}

// Leftovers are the processes with that [Process].Mark in their environment, or in a control group that was made for one, other than this one: called before anything with the
// mark is started, what outlived an earlier supervisor. Those whose environment cannot be read, being another user's, are not seen.
// It looks at every process of the system.
func Leftovers(mark string) ([]Relative, error) {
	found, err := leftovers(mark)
	list := make([]Relative, len(found))
	for i, k := range found {
		list[i] = k.relative()
	}
	return list, err
}

// EndLeftovers sends them SIGTERM and SIGCONT, those that are left at the end of ctx SIGKILL, and returns when none is there,
// with all that there were. It removes their control groups.
func EndLeftovers(ctx context.Context, mark string) ([]Relative, error) {
	defer removeLeft(mark)
	defer context.AfterFunc(ctx, func() { killLeft(mark) })()
	return endAll(ctx, func() ([]descendant, error) { return leftovers(mark) })
}

// Strays are the orphans of which nothing tells whose they are: after [Claim], those that are alive and that no family that
// runs will stop. spared are those among them that may be meant to live on, see Claim.
func Strays() (list, spared []Relative) {
	for _, k := range strays(false) {
		list = append(list, k.relative())
	}
	for _, k := range strays(true) {
		spared = append(spared, k.relative())
	}
	return list, spared
}

// EndStrays ends strays, other than those that are spared, as [EndLeftovers] ends what an earlier supervisor left behind.
// It is called when no Process runs.
func EndStrays(ctx context.Context) ([]Relative, error) {
	return endAll(ctx, func() ([]descendant, error) { return strays(false), nil })
}

// relative is k for a report.
func (k descendant) relative() Relative {
	return Relative{PID: k.pid, Name: k.name, Unmarked: k.unmarked}
}

// haltAll halts all that find finds, and what they make meanwhile, see child.halt.
func haltAll(find func() ([]descendant, error)) {
	halted := map[who]bool{}
	for range haltRounds {
		found, _ := find()
		fresh := false
		for _, k := range found {
			if key := (who{pid: k.pid, start: k.start}); !halted[key] {
				halted[key], fresh = true, true
				if h, err := k.open(); err == nil {
					_ = h.signal(syscall.SIGSTOP)
					h.close()
				}
			}
		}
		if !fresh {
			return
		}
	}
}

// endAll sends what find finds SIGTERM and SIGCONT, SIGKILL at the end of ctx, and returns when it finds nothing more, with all that
// it found.
func endAll(ctx context.Context, find func() ([]descendant, error)) ([]Relative, error) {
	var ended []Relative
	known := map[who]int{}
	halted := false
	for {
		if ctx.Err() != nil && !halted {
			halted = true
			haltAll(find)
		}
		found, err := find()
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
				ended = append(ended, k.relative())
			}
			if ended[i].OutOfReach {
				continue
			}
			h, err := k.open()
			if err != nil {
				continue
			}
			r := &relative{descendant: k, h: h}
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
