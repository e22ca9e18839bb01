package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Home is the control group that this process was in when it was found. Groups are made below it.
type Home struct {
	dir   string
	own   func(pid int) bool
	first map[string]bool // the controllers that cgroup v1 has

	mu sync.Mutex // held while controllers are enabled
}

const (
	// leaf is the group that this process moves to, since a group whose controllers are enabled for those below it must have no
	// processes of its own.
	leaf     = "lastcall"
	prefix   = leaf + "."
	procs    = "cgroup.procs"
	subtree  = "cgroup.subtree_control"
	has      = "cgroup.controllers"
	period   = 100_000 // of cpu.max, in microseconds, which is the kernel's default
	minQuota = 1_000   // likewise, the least that the kernel takes
	maxName  = 100     // bytes of a name that are kept
	fileMode = 0o644   // of files that exist already
	dirMode  = fs.FileMode(0o755)
)

// setting is a file of a limit, and what is written to it.
type setting struct {
	controller, file, value string
	may                     bool // the kernel may lack the file
}

func (l Limits) settings() (list []setting) {
	if l.Pids > 0 {
		list = append(list, setting{"pids", "pids.max", strconv.FormatUint(l.Pids, 10), false})
	}
	if l.Memory > 0 {
		// Without swap: else what is beyond the limit would fill the swap space of all.
		list = append(list, setting{"memory", "memory.max", strconv.FormatUint(l.Memory, 10), false},
			setting{"memory", "memory.swap.max", "0", true})
	}
	if l.CPUs > 0 {
		quota := max(int64(math.Round(l.CPUs*period)), minQuota)
		list = append(list, setting{"cpu", "cpu.max", strconv.FormatInt(quota, 10) + " " + strconv.Itoa(period), false})
	}
	return list
}

// missing are the controllers that these limits need and that are not enabled yet.
func (h *Home) missing(l Limits) (list []string) {
	enabled := words(filepath.Join(h.dir, subtree))
	for _, s := range l.settings() {
		if !slices.Contains(enabled, s.controller) && !slices.Contains(list, s.controller) {
			list = append(list, s.controller)
		}
	}
	return list
}

// Check reports why a group with these limits cannot be made; nil if it can. It changes nothing.
func (h *Home) Check(l Limits) error {
	available := words(filepath.Join(h.dir, has))
	for _, s := range l.settings() {
		switch {
		case slices.Contains(available, s.controller):
		case h.first[s.controller]:
			return fmt.Errorf("cgroup v1 has the controller %q, and cgroup v2 in %s is without it", s.controller, h.dir)
		default:
			return fmt.Errorf("the controller %q is not in %s", s.controller, filepath.Join(h.dir, has))
		}
	}
	files := []string{"", procs}
	missing := h.missing(l)
	if len(missing) > 0 {
		files = append(files, subtree)
	}
	for _, file := range files {
		path := filepath.Join(h.dir, file)
		switch err := unix.Access(path, unix.W_OK); {
		case errors.Is(err, unix.EROFS):
			return fmt.Errorf("%s is mounted read-only", h.dir)
		case errors.Is(err, unix.EACCES):
			return fmt.Errorf("the cgroup %s is not delegated: this user may not write to %s", h.dir, path)
		case err != nil:
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(missing) == 0 || h.isRoot() {
		return nil
	}
	pids, err := readPIDs(h.dir)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if !h.own(pid) {
			return fmt.Errorf("lastcall shares the cgroup %s with others, such as pid %d, and needs one to itself", h.dir, pid)
		}
	}
	return nil
}

// isRoot reports whether the group is the one of the whole system, which may have processes and enabled controllers at once.
func (h *Home) isRoot() bool {
	_, err := os.Stat(filepath.Join(h.dir, "cgroup.type"))
	return errors.Is(err, fs.ErrNotExist)
}

// enable enables the controllers that these limits need, after this process and its descendants have left for the leaf.
func (h *Home) enable(l Limits) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	missing := h.missing(l)
	if len(missing) == 0 {
		return nil
	}
	if !h.isRoot() {
		if err := h.vacate(); err != nil {
			return err
		}
	}
	return write(filepath.Join(h.dir, subtree), "+"+strings.Join(missing, " +"))
}

// vacateRounds is how often vacate looks for processes that were made meanwhile, at most.
const vacateRounds = 100

// vacate moves what there is in the group to the leaf.
func (h *Home) vacate() error {
	to := filepath.Join(h.dir, leaf)
	if err := os.Mkdir(to, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for range vacateRounds {
		pids, err := readPIDs(h.dir)
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			err := write(filepath.Join(to, procs), strconv.Itoa(pid))
			if err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
	}
	return fmt.Errorf("%s: processes are made there faster than they can be moved", h.dir)
}

// Create makes a group with these limits. mark tells whose it is, see Left; the last part of its name is id, which no other has.
func (h *Home) Create(mark, name, id string, l Limits) (*Group, error) {
	if err := h.Check(l); err != nil {
		return nil, err
	}
	if err := h.enable(l); err != nil {
		return nil, err
	}
	g := &Group{dir: filepath.Join(h.dir, prefix+escape(mark)+"."+escape(name)+"."+escape(id))}
	if err := os.Mkdir(g.dir, dirMode); err != nil {
		return nil, err
	}
	for _, s := range l.settings() {
		err := write(filepath.Join(g.dir, s.file), s.value)
		if err != nil && !(s.may && errors.Is(err, fs.ErrNotExist)) {
			_ = os.Remove(g.dir)
			return nil, err
		}
	}
	return g, nil
}

// Left are the groups with that mark.
func (h *Home) Left(mark string) (list []*Group) {
	entries, _ := os.ReadDir(h.dir)
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix+escape(mark)+".") {
			list = append(list, &Group{dir: filepath.Join(h.dir, e.Name())})
		}
	}
	return list
}

// Sweep removes the groups with that mark that nothing is in.
func (h *Home) Sweep(mark string) {
	for _, g := range h.Left(mark) {
		_ = g.remove(g.dir)
	}
}

// escape makes a name a part of a file's name: without dots, slashes and all that a terminal heeds, and not too long.
func escape(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if b.Len() >= maxName {
			break
		}
		if c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// writeFlags are how a file is opened to be written to: the kernel has made it.
var writeFlags = os.O_WRONLY

// write writes to a file that exists, with one call, as the kernel wants it.
func write(path, text string) error {
	f, err := os.OpenFile(path, writeFlags, fileMode)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

func words(path string) []string {
	text, _ := os.ReadFile(path)
	return strings.Fields(string(text))
}

// readPIDs are the processes in one group, without those in groups below.
func readPIDs(dir string) (list []int, err error) {
	text, err := os.ReadFile(filepath.Join(dir, procs))
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil {
			list = append(list, pid) // 0 is one of another PID namespace
		}
	}
	return list, err
}
