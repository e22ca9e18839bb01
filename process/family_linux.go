package process

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// families is what is known of all of them. The lock is held while /proc is read, so that a thousand children that stop at
// once read it one after another, and not each with a thread.
var families struct {
	mu      sync.Mutex
	adopted bool
	mains   map[int]*family // by the number of the main process, until it is reaped
	orphans map[int]orphan  // adopted members; only this package reaps them, so that a number stays theirs
	claim   claim
}

type orphan struct {
	family   *family
	start    uint64
	unmarked bool // see descendant
}

// adopt makes this process the new parent of its descendants' orphans, see PR_SET_CHILD_SUBREAPER in prctl(2), and
// sees to it that they are reaped.
func adopt() bool {
	families.mu.Lock()
	defer families.mu.Unlock()
	if families.adopted {
		return true
	}
	if os.Getpid() != 1 {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return false
		}
	}
	families.adopted = true
	keepSpares()
	openOrphans()
	service(func() { reapOrphans(sweep) })
	return true
}

// know makes pid the main process of f; the caller has the lock.
func (f *family) know(pid int) {
	if families.mains == nil {
		families.mains, families.orphans = map[int]*family{}, map[int]orphan{}
	}
	families.mains[pid] = f
	if f.main = pid; !slices.Contains(f.mains, pid) {
		f.mains = append(f.mains, pid)
	}
	if !f.whole {
		families.claim.spare(pid)
	}
}

// leave forgets f.
func (f *family) leave() {
	families.mu.Lock()
	for _, pid := range f.mains {
		if families.mains[pid] == f { // the number may be somebody else's by now
			delete(families.mains, pid)
			delete(families.orphans, pid)
		}
	}
	families.mu.Unlock()
	if len(f.mains) > 2 { // nobody has reaped those between the first and the last
		sweep()
	}
}

// reapFirst: the number of a main process is not used again while it is a zombie, so it is one until its family is gone. Without
// /proc there is but the group, which is there as long as a zombie is in it.
func reapFirst() bool { return hasNoProc() }

// remember notes who descends from the main process now, besides those that it noted before: a main process that has another
// take its place leaves some behind.
func (f *family) remember() {
	var seen []stat
	for _, main := range f.mains {
		for _, pid := range childrenOf(main) {
			descend(pid, func(k stat) { seen = append(seen, k) })
		}
	}
	families.mu.Lock()
	defer families.mu.Unlock()
	for _, k := range seen {
		f.note(k.descendant)
	}
}

// note makes k a member for good, whatever becomes of those by whom it is known for one.
func (f *family) note(k descendant) {
	if f.seen == nil {
		f.seen = map[int]uint64{}
	}
	f.seen[k.pid] = k.start
}

// others are the members besides the main process that are alive. Those that are dead and ours are reaped. alone says that
// there is one main process and it has ended, so that it has no children any more.
func (f *family) others(alone bool) []descendant {
	if alone && !hasNoProc() && len(orphans()) == 0 && len(f.members()) == 0 { // as a rule, and without waiting for who has more to look at
		return nil
	}
	families.mu.Lock()
	defer families.mu.Unlock()
	if hasNoProc() {
		return f.group()
	}
	var list []descendant
	var listed map[int]bool
	add := func(k stat) {
		if k.pid != f.main && !listed[k.pid] {
			if listed == nil {
				listed = map[int]bool{}
			}
			listed[k.pid] = true
			k.unmarked = families.orphans[k.pid].unmarked
			list = append(list, k.descendant)
			f.note(k.descendant)
		}
	}
	for {
		list, listed = nil, nil
		if !alone {
			for _, main := range f.mains {
				descend(main, add)
			}
		}
		// After them: a main process that ended before it was looked at has left its children to this process.
		now := orphans()
		held := sync.OnceValue(heldByOthers) // after the list
		for _, pid := range now {
			switch k, is := f.adopted(pid, held); {
			case is:
				descend(pid, add)
			case k.ending && !k.dead: // it may have been one, and its children may be: they are orphans once it has ended
				if !listed[pid] {
					list = append(list, k.descendant)
				}
			}
		}
		for _, pid := range f.members() {
			if of := families.mains[pid]; of == nil || of == f { // else it is a control process
				if k, ok := statOf(pid); ok && !k.dead {
					add(k)
				}
			}
		}
		// So has an orphan that ended while it was looked at, and its children are not in what was read before.
		if len(now) == 0 || subset(orphans(), now) {
			return list
		}
	}
}

// adopted reports whether pid, a child of this process, is an orphan of f that is alive. If it is dead it is reaped. Of one of which
// nothing tells whose it is, as it has no environment any more, there is the stat.
func (f *family) adopted(pid int, held func() func(int) bool) (stat, bool) {
	o, known := families.orphans[pid]
	if families.mains[pid] != nil || known && o.family != f {
		return stat{}, false
	}
	k, ok := statOf(pid)
	if !ok {
		return stat{}, false
	}
	if !known {
		switch mark := familyMark(pid); {
		case f.owns(k, mark):
		case f.mayClaim(k, mark, held):
			k.unmarked = true
		default:
			if mark != "" {
				k = stat{}
			}
			return k, false
		}
	}
	families.orphans[pid] = orphan{f, k.start, k.unmarked || known && o.unmarked}
	if k.dead {
		reapOrphan(pid)
	}
	return k, !k.dead
}

// group is the group of the main process as a whole, while anything is in it. The main process has been reaped by then.
func (f *family) group() []descendant {
	main := f.mains[0]
	for {
		if _, err := waitFor(-main, syscall.WNOHANG); err != nil {
			break
		}
	}
	if err := syscall.Kill(-main, 0); errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return []descendant{{pgid: main, name: "process group " + strconv.Itoa(main)}}
}

func subset(a, b []int) bool {
	if len(a) == 0 {
		return true
	}
	in := make(map[int]bool, len(b))
	for _, pid := range b {
		in[pid] = true
	}
	for _, pid := range a {
		if !in[pid] {
			return false
		}
	}
	return true
}

// owns reports whether k, which was adopted and has that mark, belongs to f.
func (f *family) owns(k stat, mark string) bool {
	if hasMark(mark, f.id) || f.cgroup != nil && f.cgroup.Has(k.pid) {
		return true
	}
	if families.mains[k.pgid] == f || families.mains[k.sid] == f || f.seen[k.pid] == k.start && k.start != 0 {
		return true
	}
	for _, of := range []int{k.pgid, k.sid} {
		if o, ok := families.orphans[of]; ok && o.family == f && of != k.pid {
			return true
		}
		if _, ok := f.seen[of]; ok && of != k.pid {
			return true
		}
	}
	return false
}

// descend calls fn for pid and everything below it that is alive.
func descend(pid int, fn func(stat)) {
	k, ok := statOf(pid)
	if !ok || k.dead {
		return
	}
	fn(k)
	for _, child := range childrenOf(pid) {
		descend(child, fn)
	}
}

var (
	self        = os.Getpid()
	orphansList = taskOf(self, self) + "/children"
)

// taskOf is the directory of a thread.
func taskOf(pid, tid int) string { return "/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(tid) }

// childrenOf are the children of all threads of a process.
func childrenOf(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	if procLinks(dir) == 3 { // itself, its parent, and one thread
		return childrenOfTask(taskOf(pid, pid), pid)
	}
	threads, err := entriesOf(dir)
	if err != nil {
		return nil
	}
	var list []int
	for _, t := range threads {
		list = append(list, childrenOfTask(dir+"/"+t.Name(), pid)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// childrenOfTask are the children of one thread of a process.
func childrenOfTask(task string, pid int) []int {
	return children(pid, func() ([]byte, error) { return readProc(task + "/children") })
}

// children reads one list. If a child ends while it is read another may be missing from it, see proc_pid_task(5), so it is
// read until it is the same twice. A kernel without such lists has them in the status of every process.
func children(pid int, read func() ([]byte, error)) []int {
	before, err := read()
	if err != nil {
		return scanForChildren(pid)
	}
	for range 10 {
		if len(before) == 0 {
			break
		}
		now, err := read()
		if err != nil || bytes.Equal(now, before) {
			break
		}
		before = now
	}
	return parsePIDs(before)
}

func parsePIDs(text []byte) (list []int) {
	for field := range bytes.FieldsSeq(text) {
		if pid, err := strconv.Atoi(string(field)); err == nil && pid > 0 {
			list = append(list, pid)
		}
	}
	return list
}

func scanForChildren(parent int) []int {
	if _, err := os.Stat(orphansList); err == nil {
		return nil // it was that process that is gone
	}
	entries, err := entriesOf("/proc")
	if err != nil {
		return nil
	}
	var list []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if k, ok := statOf(pid); ok && k.parent == parent {
				list = append(list, pid)
			}
		}
	}
	return list
}

// stat is what /proc tells of a process.
type stat struct {
	descendant
	parent int
	dead   bool          // a zombie, with all its threads
	ending bool          // it has given back its memory
	bare   bool          // it was given no environment
	cpu    time.Duration // its own, and that of the children it has waited for
	pages  uint64        // resident
}

// statOf reads /proc/PID/stat, see proc_pid_stat(5).
func statOf(pid int) (stat, bool) {
	text, err := readProc("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, false
	}
	return parseStat(pid, text)
}

// parseStat reads it. The name is the program's choice: it may hold spaces, parentheses and line breaks.
func parseStat(pid int, text []byte) (stat, bool) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return stat{}, false
	}
	fields := strings.Fields(string(text[end+1:])) // from the third on
	if len(fields) < 49 {
		return stat{}, false
	}
	number := func(field int) int {
		n, _ := strconv.Atoi(fields[field-3])
		return n
	}
	return stat{
		descendant: descendant{pid: pid, pgid: number(5), sid: number(6), start: uint64(number(22)), name: string(text[open+1 : end])},
		parent:     number(4),
		// Threads that are ending after the first one still have their children.
		dead:   (fields[0] == "Z" || fields[0] == "X") && number(20) <= 1,
		ending: number(23) == 0,
		bare:   number(50) == number(51) && number(51) != 0,
		cpu:    time.Duration(number(14)+number(15)+number(16)+number(17)) * tick,
		pages:  uint64(max(number(24), 0)),
	}, true
}

// lives reports whether k is still that process.
func (k descendant) lives() bool {
	now, ok := statOf(k.pid)
	return ok && now.start == k.start
}

// open is a handle of k, if it is still that process.
func (k descendant) open() (*handle, error) {
	if k.pid == 0 {
		return nil, errors.ErrUnsupported
	}
	h, err := openHandle(k.pid)
	if err != nil {
		return nil, err
	}
	if !k.lives() {
		h.close()
		return nil, syscall.ESRCH
	}
	return h, nil
}
