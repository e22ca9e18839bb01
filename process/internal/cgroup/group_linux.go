package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Group is a control group below a Home.
type Group struct{ dir string }

// Dir is its directory.
func (g *Group) Dir() string { return g.dir }

// Procs opens the file to which a process writes "0" to join.
func (g *Group) Procs() (*os.File, error) {
	return os.OpenFile(filepath.Join(g.dir, procs), os.O_WRONLY, fileMode)
}

// Members are the processes in it and in the groups that they made below it.
func (g *Group) Members() (list []int, err error) {
	dirs := []string{g.dir}
	for i := 0; i < len(dirs); i++ {
		pids, err := readPIDs(dirs[i])
		switch {
		case i > 0 && errors.Is(err, fs.ErrNotExist): // removed meanwhile
		case err != nil && !errors.Is(err, syscall.ENODEV):
			return list, err
		}
		for _, pid := range pids {
			if pid > 0 {
				list = append(list, pid)
			}
		}
		below, err := g.below(dirs[i])
		if err != nil {
			return list, err
		}
		dirs = append(dirs, below...)
	}
	return list, nil
}

// below are the groups directly below one. As a rule there are none, which the number of links tells.
func (g *Group) below(dir string) (list []string, err error) {
	var s syscall.Stat_t
	if err := syscall.Stat(dir, &s); err != nil || s.Nlink == 2 {
		return nil, nil //nolint:nilerr // it is gone
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if e.IsDir() {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list, err
}

// Has reports whether the process is in it, or was when it ended.
func (g *Group) Has(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return false
	}
	path, is := pathIn(string(text))
	name := "/" + filepath.Base(g.dir) // no other group has it
	return is && (strings.HasSuffix(path, name) || strings.Contains(path, name+"/"))
}

// killRounds is how often Kill looks for more of them at most, where the kernel cannot kill a group.
const killRounds = 100

// Kill kills all members at one time, see cgroup.kill in cgroups(7). A kernel before 5.14 cannot do that: there the group is
// frozen, where it can be (5.2), so that nothing new comes, and each member is killed.
func (g *Group) Kill() error {
	err := write(filepath.Join(g.dir, "cgroup.kill"), "1")
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(g.dir); err != nil {
		return nil //nolint:nilerr // it is gone, and all that was in it
	}
	return g.killEach(func(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) })
}

// killEach calls kill for each member, until none is left that has not been killed.
func (g *Group) killEach(kill func(pid int)) error {
	_ = write(filepath.Join(g.dir, "cgroup.freeze"), "1")
	for range killRounds {
		pids, err := g.Members()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			kill(pid)
		}
		time.Sleep(time.Millisecond) // nothing tells of their ends
	}
	return nil // what is left has been killed, and takes its time
}

// Remove removes it with the groups that its members made below it. It waits a moment for members that are ending.
func (g *Group) Remove() error {
	const rounds, pause = 20, 5 * time.Millisecond
	for round := 1; ; round++ {
		err := g.remove(g.dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if !errors.Is(err, syscall.EBUSY) || round == rounds {
			return err
		}
		if pids, err := g.Members(); err == nil && len(pids) > 0 && round > rounds/4 {
			return syscall.EBUSY // they live on
		}
		time.Sleep(pause)
	}
}

func (g *Group) remove(dir string) error {
	below, err := g.below(dir)
	if err != nil {
		return err
	}
	for _, d := range below {
		if err := g.remove(d); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syscall.Rmdir(dir)
}

// Reached is which limits its processes have run into, in words; "" for none.
func (g *Group) Reached() string {
	var texts []string
	if n := count(filepath.Join(g.dir, "memory.events"), "oom_kill"); n > 0 {
		texts = append(texts, "out of memory: "+times(n, "process was", "processes were")+" killed at its cgroup's limit of memory")
	}
	if n := count(filepath.Join(g.dir, "pids.events"), "max"); n > 0 {
		texts = append(texts, "its cgroup's limit of processes refused "+times(n, "new one", "new ones"))
	}
	return strings.Join(texts, "; ")
}

func times(n uint64, one, more string) string {
	if n == 1 {
		more = one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// count is a number in a file of names and numbers.
func count(path, name string) uint64 {
	fields := words(path)
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i] == name {
			n, _ := strconv.ParseUint(fields[i+1], 10, 64)
			return n
		}
	}
	return 0
}
