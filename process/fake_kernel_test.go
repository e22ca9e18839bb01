//go:build unix

package process

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
)

// What the fake answers to the package.

func (f *fake) fork(path string, argv []string, attr *syscall.ProcAttr, _ bool) (*handle, error) {
	program := f.programs[path]
	if program == nil {
		return nil, syscall.ENOENT
	}
	f.mu.Lock()
	p := f.makeLocked(f.me, strings.TrimPrefix(path, "/"))
	if attr.Sys.Setpgid || attr.Sys.Setsid {
		p.pgid = p.pid
	}
	if attr.Sys.Setsid {
		p.sid = p.pid
	}
	for _, kv := range attr.Env {
		if mark, ok := strings.CutPrefix(kv, familyVariable+"="); ok {
			p.mark = mark
		}
	}
	f.mu.Unlock()
	program(p)
	return f.handle(p, true), nil
}

func (f *fake) handle(p *life, child bool) *handle {
	h := &handle{kernel: f, pid: p.pid, fd: -1, child: child}
	f.mu.Lock()
	f.handles[h] = p
	f.mu.Unlock()
	return h
}

func (f *fake) open(pid int) (*handle, error) {
	if f.finds == "proc" && !f.pidfd {
		return nil, syscall.EPERM
	}
	f.mu.Lock()
	p := f.lives[pid]
	f.mu.Unlock()
	if p == nil || p.hiddenLocked() {
		return nil, syscall.ESRCH
	}
	return f.handle(p, false), nil
}

func (f *fake) close(h *handle) {
	f.mu.Lock()
	delete(f.handles, h)
	f.mu.Unlock()
}

func (f *fake) forget(*handle) {}

func (f *fake) watch(h *handle, fn func(certain bool)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.lives[h.pid]
	tell := func() { fn(f.pidfd) }
	switch {
	case f.finds == "proc" && !f.pidfd:
		return errors.ErrUnsupported
	case p == nil:
		return os.NewSyscallError("kevent", syscall.ESRCH)
	case p.setID && f.setID:
		return os.NewSyscallError("kevent", syscall.EACCES)
	case p.state == lifeEnded, p.state == lifeExits && !f.pidfd:
		go tell()
	default:
		p.watches = append(p.watches, tell)
	}
	return nil
}

func (f *fake) ended(h *handle) bool {
	if !f.pidfd {
		return h.endedByNumber()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.handles[h]
	return p == nil || p.state == lifeEnded
}

func (f *fake) peek(h *handle) (Exit, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.lives[h.pid]
	if !f.pidfd || p == nil || p.state != lifeEnded {
		return Exit{}, false
	}
	return exitOf(h.pid, p.status), true
}

func (f *fake) await(h *handle) { h.awaitByNumber() }

func (f *fake) signal(h *handle, s syscall.Signal) error {
	if !f.pidfd {
		return h.byNumber(s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.handles[h]
	if p == nil || f.lives[p.pid] != p {
		return syscall.ESRCH
	}
	return p.deliverLocked(s)
}

func (f *fake) wait(pid, options int) (syscall.WaitStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		mine := slices.DeleteFunc(f.me.childrenLocked(), func(p *life) bool { return p.pid != pid && p.pgid != -pid })
		if len(mine) == 0 {
			return 0, syscall.ECHILD
		}
		for _, p := range mine {
			if p.state == lifeEnded {
				p.reapLocked()
				return p.status, nil
			}
		}
		if options&syscall.WNOHANG != 0 {
			return 0, syscall.EAGAIN
		}
		f.mu.Unlock()
		<-mine[0].dead
		f.mu.Lock()
	}
}

func (f *fake) adopt() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.finds == "group" && !f.pidfd:
		return errors.ErrUnsupported
	case f.acquired:
		return syscall.EBUSY
	}
	f.me.isReaper = true
	return nil
}

func (f *fake) children() (<-chan os.Signal, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan os.Signal, 1)
	f.ends = append(f.ends, c)
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.ends = slices.DeleteFunc(f.ends, func(other chan os.Signal) bool { return other == c })
	}
}

func (f *fake) finder(r *registry) finder {
	switch f.finds {
	case "proc":
		return fakeProc(f, r)
	case "reaper":
		return &reaperFinder{groupFinder: groupFinder{registry: r, list: listNothing}, calls: f}
	}
	list := listNothing
	if f.groups {
		list = f.listGroup
	}
	return &groupFinder{registry: r, list: list}
}

func (f *fake) listGroup(pgid int) (alive int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.lives {
		if p.pgid == pgid && p.state != lifeEnded {
			alive++
		}
	}
	return alive, nil
}

// belowLocked is the list of a reaper.
func (f *fake) belowLocked(reaper *life) []*life {
	return slices.DeleteFunc(f.sortedLocked(), func(p *life) bool { return p.reaper != reaper })
}

func (f *fake) killTree(child int) error {
	if f.finds != "reaper" {
		return errors.ErrUnsupported
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trees++
	var kill func(list []*life)
	kill = func(list []*life) {
		for _, p := range list {
			if p.isReaper { // zombies, too
				kill(f.belowLocked(p))
			}
			_ = p.deliverLocked(syscall.SIGKILL)
		}
	}
	kill(slices.DeleteFunc(f.belowLocked(f.me), func(p *life) bool { return p.subtree != child }))
	return nil
}

func (f *fake) below(pid int) ([]reaperEntry, error) {
	f.mu.Lock()
	reaper := f.me
	if pid != 0 {
		reaper = f.lives[pid]
	}
	if reaper == nil || reaper.state == lifeEnded || reaper.hiddenLocked() {
		f.mu.Unlock()
		return nil, syscall.ESRCH
	}
	if !reaper.isReaper {
		reaper = reaper.reaper
	}
	var list []reaperEntry
	for _, p := range f.belowLocked(reaper) {
		list = append(list, reaperEntry{pid: p.pid, subtree: p.subtree, child: p.parent == reaper, reaper: p.isReaper, zombie: f.flags && p.state == lifeEnded})
	}
	f.mu.Unlock()
	f.betweenLooks()
	return list, nil
}

// betweenLooks is what happens after a list has been made and before it is looked at.
func (f *fake) betweenLooks() {
	f.mu.Lock()
	fn := f.listed
	f.listed = nil
	f.mu.Unlock()
	if fn != nil {
		fn()
	}
}

func (f *fake) place(pid int) (pgid, sid int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.lives[pid]
	if p == nil || p.state == lifeEnded || p.hiddenLocked() {
		return 0, 0, syscall.ESRCH
	}
	return p.pgid, p.sid, nil
}

func (f *fake) name(pid int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.lives[pid]; p != nil {
		return p.name
	}
	return ""
}
