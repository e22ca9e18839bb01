package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/bench/board"
)

// subject is a supervisor that runs, with its children.
type subject struct {
	s     *supervisor
	v     *supervision
	dir   string // its files; whoever belongs to it has this in its environment
	board *board.Board
	root  int   // its pid
	began int64 // before it was started

	ended   chan struct{} // closed when it has ended; then these are set:
	endedAt int64
	state   *os.ProcessState
}

// start is how a subject is started, besides which children it has.
type start struct {
	program   string   // in place of the supervisor's own file
	noRestart bool     // children that end stay so, where that can be chosen
	pid1      bool     // as the first process of a PID namespace of its own
	stdout    *os.File // nil is a file in the subject's directory
	env       []string
}

// start starts the supervisor with a child for each of the modes, see programs/kid.c; one that begins with a slash
// is a program.
func (v *supervision) start(s *supervisor, modes []string, how start) (_ *subject, err error) {
	dir, err := os.MkdirTemp(v.dir, "subject-")
	if err != nil {
		return nil, err
	}
	u := &subject{s: s, v: v, dir: dir, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	file := filepath.Join(dir, "board")
	if u.board, err = board.Create(file, 2*len(modes)+64); err != nil {
		return nil, err
	}
	children := make([][]string, len(modes))
	for i, mode := range modes {
		if children[i] = []string{v.kid, mode, file}; mode[0] == '/' {
			children[i] = []string{mode}
		}
	}
	argv, err := s.configure(dir, children, !how.noRestart)
	if err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		return nil, err
	}
	defer out.Close()

	cmd := &exec.Cmd{Path: s.path, Args: argv, Dir: dir, Env: s.environment(dir, v.dirs), Stdout: out, Stderr: out}
	if how.program != "" {
		cmd.Path = how.program
	}
	if how.stdout != nil {
		cmd.Stdout = how.stdout
	}
	cmd.Env = append(cmd.Env, how.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if how.pid1 {
		firstProcess(cmd, v.self)
	}
	v.mu.Lock() // a process that was not started here is somebody's orphan, see reap
	u.began = monotonic()
	if err = cmd.Start(); err == nil {
		u.root = cmd.Process.Pid
		v.own[u.root] = true
	}
	v.mu.Unlock()
	if err != nil {
		return nil, err
	}
	go func() {
		cmd.Wait()
		u.endedAt, u.state = monotonic(), cmd.ProcessState
		v.mu.Lock()
		delete(v.own, u.root)
		v.mu.Unlock()
		close(u.ended)
	}()
	return u, nil
}

// arrive waits until n children have started. Nothing runs in between but a look every millisecond.
func (u *subject) arrive(ctx context.Context, n int, limit time.Duration) error {
	for end := time.Now().Add(limit); u.board.Started() < n; {
		if u.hasEnded() && u.board.Started() < n {
			return fmt.Errorf("%s has ended (%v) with %d of %d children started: %s", u.s.name, u.state, u.board.Started(), n, u.said())
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s has started %d of %d children in %v: %s", u.s.name, u.board.Started(), n, limit, u.said())
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (u *subject) hasEnded() bool {
	select {
	case <-u.ended:
		return true
	default:
		return false
	}
}

// said is the end of what it printed.
func (u *subject) said() string {
	text, _ := os.ReadFile(filepath.Join(u.dir, "out"))
	return strings.Join(strings.Fields(string(text[max(0, len(text)-200):])), " ")
}

// signal sends it a signal, and returns when that was.
func (u *subject) signal(s syscall.Signal) int64 {
	now := monotonic()
	if !u.hasEnded() {
		_ = syscall.Kill(u.root, s)
	}
	return now
}

// ask tells it to stop.
func (u *subject) ask() int64 {
	if u.s.stop != 0 {
		return u.signal(u.s.stop)
	}
	return u.signal(syscall.SIGTERM)
}

// end waits until it has ended.
func (u *subject) end(limit time.Duration) bool {
	select {
	case <-u.ended:
		return true
	case <-time.After(limit):
		return false
	}
}

// alive are the slots of those children that run, the grandchildren aside. Not for a PID namespace.
func (u *subject) alive() (slots []*board.Slot) {
	for _, slot := range u.board.Slots() {
		if slot.Grandchild == 0 && runs(int(slot.PID)) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// processes are all that the supervisor consists of: itself, and what it started besides its children.
func (u *subject) processes(all map[int]process) []int {
	pids := []int{u.root}
	for _, pid := range descendants(u.root, all) {
		if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && exe != u.v.kid && !all[pid].zombie {
			pids = append(pids, pid)
		}
	}
	return pids
}

// left reports whether, some time after its end, anything that belonged to it still runs.
func (u *subject) left(after time.Duration) bool {
	for end := time.Now().Add(after); ; time.Sleep(10 * time.Millisecond) {
		if !slices.ContainsFunc(u.v.reap(), func(pid int) bool { return runs(pid) && mentions(pid, u.dir) }) {
			return false
		}
		if time.Now().After(end) {
			return true
		}
	}
}

// close ends everything that belongs to it and is still there, and takes its files away.
func (u *subject) close() {
	family := []int{}
	if !u.hasEnded() {
		family = descendants(u.root, processTable())
		_ = syscall.Kill(u.root, syscall.SIGKILL)
		<-u.ended
	}
	for range 100 {
		left := 0
		for _, pid := range append(u.v.reap(), family...) {
			if runs(pid) && mentions(pid, u.dir) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				left++
			}
		}
		if left == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	u.board.Close()
	os.RemoveAll(u.dir)
}

// reap takes the statuses of orphans that have ended, which all come to this process, and returns those that run.
func (v *supervision) reap() (orphans []int) {
	for _, pid := range ownChildren() {
		v.mu.Lock()
		if !v.own[pid] {
			if reaped, _ := unix.Wait4(pid, nil, unix.WNOHANG, nil); reaped != pid {
				orphans = append(orphans, pid)
			}
		}
		v.mu.Unlock()
	}
	return orphans
}

// pid1Child is the first process of a PID namespace. It becomes the program in its arguments once it has a /proc of its own.
func pid1Child(path string, argv []string) error {
	if err := mountProc(); err != nil {
		return err
	}
	return errors.Join(errors.New(path), syscall.Exec(path, argv, os.Environ()))
}
