//go:build unix

package process

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// start runs the program and watches it. What it opened for the child is closed when it fails, or in the end by c.close.
func (c *child) start() (err error) {
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	p := c.p
	path := p.Command[0]
	if filepath.Base(path) == path {
		if path, err = exec.LookPath(path); err != nil {
			var lookup *exec.Error
			if errors.As(err, &lookup) {
				err = lookup.Err
			}
			return &StartError{p.name(), err}
		}
	}
	if p.Kill != KillProcess || p.served() { // a process that is named with MAINPID must be found, and its status be ours
		c.family.adoptOrphans()
	}
	if p.served() {
		if c.notify, err = serveNotify(); err != nil {
			return &StartError{p.name(), fmt.Errorf("NOTIFY_SOCKET: %w", err)}
		}
		c.notify.raw, c.notify.family = p.OnNote, c.family
	}
	if !p.InheritFiles {
		keepFiles()
	}
	attr := &syscall.ProcAttr{Dir: p.Dir, Env: c.environment(), Sys: new(syscall.SysProcAttr)}
	if p.Sys != nil {
		*attr.Sys = *p.Sys
	}
	if !leads(attr.Sys) {
		attr.Sys.Setpgid = true
	}
	var ours []*os.File // the child's ends; closed here once it has them
	defer func() {
		for _, f := range ours {
			f.Close()
		}
	}()
	if attr.Files, ours, err = c.files(); err != nil {
		return &StartError{p.name(), err}
	}
	join, err := c.joinGroup()
	if err != nil {
		return &StartError{p.name(), fmt.Errorf("cgroup: %w", err)}
	}
	if join != nil {
		ours = append(ours, join)
	}
	if c.first, err = c.exec(path, attr, join); err != nil {
		return &StartError{p.name(), cmp.Or(p.directoryProblem(), err)}
	}
	c.mu.Lock()
	c.main = c.first
	c.mu.Unlock()
	for _, o := range c.outputs {
		go o.copy()
	}
	if err := c.watchMain(); err != nil {
		_ = c.main.signal(syscall.SIGKILL)
		_, _ = c.main.reap()
		return &StartError{p.name(), err}
	}
	pgid, sid, err := c.family.place(c.main.pid)
	if err == nil && pgid == c.main.pid {
		c.pgid = pgid
	}
	c.sid = sid
	c.family.join(c.main.pid)
	if p.OnStart != nil {
		p.OnStart(c.main.pid)
	}
	return nil
}

// directoryProblem is why the program cannot run in its directory, if that is visible from here: the system reports a directory that
// does not exist as it does a program.
func (p *Process) directoryProblem() error {
	if p.Dir == "" {
		return nil
	}
	info, err := os.Stat(p.Dir)
	var wrong *fs.PathError
	switch {
	case errors.As(err, &wrong):
		err = wrong.Err
	case err == nil && !info.IsDir():
		err = syscall.ENOTDIR
	}
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: "chdir", Path: p.Dir, Err: err}
}

// leads reports whether the attributes already say of which group the child is.
func leads(sys *syscall.SysProcAttr) bool {
	return sys.Setsid || sys.Setpgid || sys.Foreground
}

// ownVariables are for one process only, and not inherited.
var ownVariables = []string{"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID", "WATCHDOG_USEC", "WATCHDOG_PID", graceVariable, familyVariable, trampolineVariable}

const (
	graceVariable  = "LASTCALL_GRACE"  // seconds
	familyVariable = "LASTCALL_FAMILY" // see family
)

// inherited is the environment that this process passes on. Of a name that is there twice the last holds. outer is the
// mark of the family that this process itself belongs to.
func (p *Process) inherited() (env []string, outer string) {
	all := p.Env
	if all == nil {
		all = os.Environ()
		if p.Dir != "" {
			if abs, err := filepath.Abs(p.Dir); err == nil {
				all = append(all, "PWD="+abs)
			}
		}
	}
	all = slices.Concat(all, p.Setenv)
	last := make(map[string]int, len(all))
	for i, kv := range all {
		name, value, _ := strings.Cut(kv, "=")
		last[name] = i
		if name == familyVariable {
			outer = value
		}
	}
	env = make([]string, 0, len(all)+8)
	for i, kv := range all {
		name, _, _ := strings.Cut(kv, "=")
		if last[name] == i && !slices.Contains(ownVariables, name) {
			env = append(env, kv)
		}
	}
	return env, outer
}

// environment is the child's. The family's mark comes last, since programs that write their title over their arguments go
// on into the environment from its beginning.
func (c *child) environment() []string {
	env, outer := c.p.inherited()
	if c.notify != nil {
		env = append(env, "NOTIFY_SOCKET="+c.notify.name)
	}
	if c.p.Watchdog > 0 {
		// WATCHDOG_PID is left out, which means anybody: see sd_watchdog_enabled(3).
		env = append(env, "WATCHDOG_USEC="+strconv.FormatInt(c.p.Watchdog.Microseconds(), 10))
	}
	if n := len(c.p.Listen); n > 0 {
		names := make([]string, n)
		for i, s := range c.p.Listen {
			if names[i] = s.Name; s.Name == "" {
				names[i] = "unknown"
			}
		}
		env = append(env, "LISTEN_FDS="+strconv.Itoa(n), "LISTEN_FDNAMES="+strings.Join(names, ":"))
	}
	if g := c.grace(); g > 0 {
		env = append(env, graceVariable+"="+strconv.FormatFloat(g.Round(time.Millisecond).Seconds(), 'f', -1, 64))
	}
	marks := []string{outer, c.p.Mark, c.p.ownerMark(), c.family.id}
	marks = slices.DeleteFunc(marks, func(mark string) bool { return mark == "" })
	return append(env, familyVariable+"="+strings.Join(marks, ":"))
}

const noFile = ^uintptr(0) // a descriptor that the child does not get

// files are the child's descriptors, and those of them that this process has no more use for once the child has them.
func (c *child) files() (fds []uintptr, ours []*os.File, err error) {
	p := c.p
	open := func(f *os.File, err error) *os.File {
		if err == nil {
			ours = append(ours, f)
		}
		return f
	}
	stdin := p.Stdin
	if stdin == nil {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return nil, ours, err
		}
		stdin = open(f, nil)
	}
	fds = append(fds, stdin.Fd())
	var piped io.Writer // the writer that the last pipe leads to
	var pipe *os.File
	for i, w := range []io.Writer{p.Stdout, p.Stderr} {
		if w == nil {
			w = []*os.File{os.Stdout, os.Stderr}[i]
		}
		if f, ok := w.(*os.File); ok && p.Ready.Log == nil {
			fds = append(fds, f.Fd())
			continue
		}
		if pipe == nil || !same(w, piped) {
			r, wr, err := os.Pipe()
			if err != nil {
				return nil, ours, err
			}
			pipe, piped = open(wr, nil), w
			c.outputs = append(c.outputs, newOutput(r, w, c.logLine()))
		}
		fds = append(fds, pipe.Fd())
	}
	for _, s := range p.Listen {
		// Not by Fd, which makes the socket blocking, and with it the one of whoever holds it.
		conn, err := s.File.SyscallConn()
		if err != nil {
			return nil, ours, err
		}
		if err := conn.Control(func(fd uintptr) { fds = append(fds, fd) }); err != nil {
			return nil, ours, err
		}
	}
	if fd := p.Ready.FD; fd != 0 {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, ours, err
		}
		c.readyPipe = r
		open(w, nil)
		fds = append(p.upTo(fds, fd), w.Fd())
	}
	return fds, ours, nil
}

// upTo fills up the child's descriptors so that the next is fd: with none, or with what it inherits.
func (p *Process) upTo(fds []uintptr, fd int) []uintptr {
	for n := uintptr(len(fds)); n < uintptr(fd); n++ {
		if p.inherits(n) {
			fds = append(fds, n)
		} else {
			fds = append(fds, noFile)
		}
	}
	return fds
}

// inherits reports whether the child has that descriptor of this process unless it gets another in its place.
func (p *Process) inherits(fd uintptr) bool {
	flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
	return p.InheritFiles && err == nil && flags&unix.FD_CLOEXEC == 0
}

// same reports whether two writers are one, as far as they can be compared.
func same(a, b io.Writer) (is bool) {
	defer func() { _ = recover() }() // of types that cannot be
	return a == b
}
