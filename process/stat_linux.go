package process

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// procfs is /proc.
type procfs struct{}

func (procfs) stat(pid int) (stat, bool) { return statOf(pid) }
func (procfs) children(pid int) []int    { return childrenOf(pid) }
func (procfs) orphans() []int            { return orphans() }
func (procfs) mark(pid int) string       { return familyMark(pid) }
func (procfs) held() func(int) bool      { return heldByOthers() }
func (procfs) dead() int                 { return nextDead() }

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
