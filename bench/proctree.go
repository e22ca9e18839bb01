package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is one that the system has.
type process struct {
	parent int
	zombie bool
	cpu    time.Duration // in whole ticks of 10 ms, of all its threads that ever were
}

// processTable is all processes that there are.
func processTable() map[int]process {
	all := make(map[int]process)
	dir, err := os.Open("/proc")
	if err != nil {
		return all
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, ok := processOf(pid); ok {
				all[pid] = p
			}
		}
	}
	return all
}

func processOf(pid int) (p process, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // a name may have spaces
	if len(fields) < 13 {
		return p, false
	}
	p.zombie = fields[0] == "Z" || fields[0] == "X"
	p.parent, _ = strconv.Atoi(fields[1])
	for _, ticks := range fields[11:13] {
		n, _ := strconv.Atoi(ticks)
		p.cpu += time.Duration(n) * 10 * time.Millisecond
	}
	return p, true
}

// runs reports whether there is such a process that has not ended.
func runs(pid int) bool {
	p, ok := processOf(pid)
	return ok && !p.zombie
}

// descendants are all below the process.
func descendants(root int, all map[int]process) []int {
	children := make(map[int][]int)
	for pid, p := range all {
		children[p.parent] = append(children[p.parent], pid)
	}
	var found []int
	for todo := []int{root}; len(todo) > 0; todo = todo[1:] {
		found = append(found, children[todo[0]]...)
		todo = append(todo, children[todo[0]]...)
	}
	return found
}

// ownChildren are the children of this process. Where the kernel lists them there is no need to look at everybody, which
// takes long on a machine with many processes.
func ownChildren() (pids []int) {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	if lists == nil {
		for pid, p := range processTable() {
			if p.parent == os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// mentions reports whether the process was started with the text in its arguments or its environment.
func mentions(pid int, text string) bool {
	for _, file := range []string{"cmdline", "environ"} {
		if content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)); err == nil && bytes.Contains(content, []byte(text)) {
			return true
		}
	}
	return false
}

// proportional is the memory of the processes in bytes: what several share is divided among them (PSS).
func proportional(pids []int) (bytes int64) {
	for _, pid := range pids {
		var kilobytes int64
		fmt.Sscan(procField(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss"), &kilobytes)
		bytes += kilobytes << 10
	}
	return bytes
}
