package process

import (
	"os"
	"path/filepath"
	"sync"

	controlgroup "github.com/lastcall-go/lastcall/process/internal/cgroup"
)

const hasCgroups = true

// cgroup is the control group of one family.
type cgroup struct{ *controlgroup.Group }

// cgroupHome is where control groups are made. It is looked for once: later this process may have left it for one below.
var cgroupHome = sync.OnceValues(func() (*controlgroup.Home, error) {
	return controlgroup.Find(func(pid int) bool {
		for pid > 1 && pid != self {
			k, ok := statOf(pid)
			if !ok {
				return true // it is gone
			}
			pid = k.parent
		}
		return pid == self
	})
})

// Check reports why the group cannot be had here, such as that the control group of this process is not delegated or lacks a controller;
// nil if it can. It changes nothing.
func (g *Cgroup) Check() error {
	home, err := cgroupHome()
	if err != nil {
		return err
	}
	return home.Check(g.limits())
}

func (g *Cgroup) limits() controlgroup.Limits {
	return controlgroup.Limits{Pids: g.Pids, Memory: g.Memory, CPUs: g.CPUs}
}

// sweepCgroups removes once, before this process makes any, what earlier ones could not remove.
var sweepCgroups sync.Once

// joinGroup returns the file by which the child joins its control group, nil if it is to have none. A control process joins that of the
// process whose it is, while there is one.
func (c *child) joinGroup() (*os.File, error) {
	p := c.p
	if p.Cgroup == nil {
		return nil, nil
	}
	if p.of != nil {
		if of := p.of.current.Load(); of != nil {
			if g := of.ownGroup(); g != nil {
				return g.Procs()
			}
		}
	}
	home, err := cgroupHome()
	if err != nil {
		return nil, err
	}
	if p.Mark != "" {
		sweepCgroups.Do(func() { home.Sweep(p.Mark) })
	}
	name := p.Cgroup.Name
	if name == "" {
		name = filepath.Base(p.name())
	}
	group, err := home.Create(p.Mark, name, c.family.id, p.Cgroup.limits())
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.family.cgroup = &cgroup{group}
	c.mu.Unlock()
	return group.Procs()
}

// ownGroup is the control group of its family, for others than the goroutine of Run; nil if it has none, or not yet.
func (c *child) ownGroup() *cgroup {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.family.cgroup
}

// leaveGroup removes the control group. What the stop has left alone stays in it.
func (c *child) leaveGroup() {
	if g := c.family.cgroup; g != nil {
		_ = withSpare(g.Remove)
	}
}

// members are the processes in the control group of f.
func (f *family) members() (list []int) {
	if f.cgroup == nil {
		return nil
	}
	_ = withSpare(func() (err error) {
		list, err = f.cgroup.Members()
		return err
	})
	return list
}

// killControlGroup kills the control group at one time, if the family has one.
func (c *child) killControlGroup() {
	if c.family.cgroup == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.main == nil { // the run is over
		return
	}
	var list []descendant
	pids := c.family.members()
	for _, pid := range pids[:min(len(pids), maxCutOff)] {
		if k, ok := statOf(pid); ok && !k.dead {
			list = append(list, k.descendant)
		}
	}
	c.cutOffLocked(list)
	_ = withSpare(c.family.cgroup.Kill)
}

// limitsReached is which limits of its control group the family ran into.
func (c *child) limitsReached() string {
	if c.family.cgroup == nil {
		return ""
	}
	return c.family.cgroup.Reached()
}

// membersLeft are the processes in the control groups with that mark.
func membersLeft(mark string) (list []int) {
	home, err := cgroupHome()
	if err != nil {
		return nil
	}
	for _, g := range home.Left(mark) {
		pids, _ := g.Members()
		list = append(list, pids...)
	}
	return list
}

// killLeft kills all in the control groups with that mark at one time.
func killLeft(mark string) {
	home, err := cgroupHome()
	if err != nil {
		return
	}
	for _, g := range home.Left(mark) {
		_ = g.Kill()
	}
}

// removeLeft removes the control groups with that mark, in which nothing is left that could be ended.
func removeLeft(mark string) {
	home, err := cgroupHome()
	if err != nil {
		return
	}
	for _, g := range home.Left(mark) {
		_ = g.Remove()
	}
}
