package process

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

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
				if h, err := here.openMember(k); err == nil {
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
	e := ending{ctx: ctx, known: map[who]int{}, waiting: map[who]*handle{}, gone: make(chan struct{}, 1)}
	defer e.close()
	halted := false
	for {
		if ctx.Err() != nil && !halted {
			halted = true
			haltAll(find)
		}
		found, err := find()
		if err != nil {
			return e.ended, err
		}
		e.unwatched = false
		for _, k := range found {
			e.tell(k)
		}
		e.drop()
		if len(e.waiting) == 0 && !e.unwatched {
			return e.ended, nil
		}
		soft := ctx.Done()
		if ctx.Err() != nil { // SIGKILL is on its way
			soft = nil
		}
		select {
		case <-e.gone: // it may have left a child that has not been told
			_ = lastcall.Sleep(ctx, sweepPause) // others end with it
		case <-soft:
		}
	}
}

// ending is what endAll has done so far.
type ending struct {
	ctx     context.Context
	ended   []Relative
	known   map[who]int     // which of these
	waiting map[who]*handle // those that have not ended, also when they are found no more: in exit they have no environment
	gone    chan struct{}

	unwatched bool // there are some whose end nothing tells
}

// tell sends k what is due, and has its end waited for.
func (e *ending) tell(k descendant) {
	key := who{pid: k.pid, start: k.start}
	i, told := e.known[key]
	if !told {
		i = len(e.ended)
		e.known[key] = i
		e.ended = append(e.ended, k.relative())
	}
	if e.ended[i].OutOfReach {
		return
	}
	h := e.waiting[key]
	if h == nil {
		h = e.watch(key, k)
	}
	send := func(sig syscall.Signal) error {
		if h == nil {
			return here.send(k, sig)
		}
		return h.signal(sig)
	}
	var err error
	switch {
	case e.ctx.Err() != nil:
		err = send(syscall.SIGKILL)
		e.ended[i].Killed = !errors.Is(err, syscall.EPERM)
	case !told:
		err = send(syscall.SIGTERM)
		_ = send(syscall.SIGCONT)
	}
	if errors.Is(err, syscall.EPERM) {
		e.ended[i].OutOfReach = true
		if h != nil {
			h.close()
			delete(e.waiting, key)
		}
	}
}

// watch has the end of k waited for. Where it cannot be watched it is looked for again.
func (e *ending) watch(key who, k descendant) *handle {
	again := func() { tellOf(e.gone) }
	h, err := here.openMember(k)
	if err == nil {
		if err = h.onExit(again); err == nil {
			e.waiting[key] = h
			return h
		}
		h.close()
	}
	if here.find().lives(k) {
		e.unwatched = true
		time.AfterFunc(groupPause, again)
	}
	return nil
}

// drop drops those that have ended.
func (e *ending) drop() {
	for key, h := range e.waiting {
		if h.over() {
			h.close()
			delete(e.waiting, key)
		}
	}
}

func (e *ending) close() {
	for _, h := range e.waiting {
		h.close()
	}
}
