//go:build unix

package check

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ofProtocols are the variables of protocols between a daemon and who starts it. Whoever started this check spoke to this check.
var ofProtocols = []string{
	"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID",
	"MAINPID", "MANAGERPID", "INVOCATION_ID", "JOURNAL_STREAM", guardVariable,
}

// environment is that of the daemon.
func (r *runner) environment(notes *notes) []string {
	env := r.Env
	if env == nil {
		env = os.Environ()
		if dir, err := filepath.Abs(r.Dir); r.Dir != "" && err == nil {
			env = append(env, "PWD="+dir)
		}
	}
	last := map[string]int{} // of two with one name the later counts, as in package os/exec
	for i, one := range env {
		name, _, _ := strings.Cut(one, "=")
		last[name] = i
	}
	list := []string{}
	for i, one := range env {
		if name, _, ok := strings.Cut(one, "="); !ok || last[name] == i && !slices.Contains(ofProtocols, name) {
			list = append(list, one)
		}
	}
	if notes != nil {
		list = append(list, "NOTIFY_SOCKET="+notes.name)
	}
	return list
}

// start begins a life, as PID 1 of a namespace of its own if first. The error is a *StartError if the daemon is to blame.
func (r *runner) start(first bool) (_ *life, err error) {
	l := &life{r: r}
	path, err := lookUp(r.Command[0], r.Dir)
	if err != nil {
		return nil, r.notExecuted(err)
	}
	defer func() {
		if err != nil {
			l.out.close()
			l.notes.close()
		}
	}()
	if r.ready.notify {
		if l.notes, err = listenForNotes(); err != nil {
			return nil, err
		}
	}
	var write *os.File
	if l.out, write, err = newOutput(r.ready.line); err != nil {
		return nil, err
	}
	defer write.Close()
	guard, err := r.freeGuard()
	if err != nil {
		return nil, err
	}
	dir := r.Dir
	if dir != "" {
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
	}
	l.k, err = guard.keep(r.ctx, program{path: path, dir: dir, argv: r.Command, env: r.environment(l.notes)}, write, first)
	if err != nil {
		if errors.As(err, new(guardError)) {
			return nil, err
		}
		r.guards = append(r.guards, guard)
		return nil, r.notExecuted(err)
	}
	l.uncut = context.AfterFunc(r.ctx, l.k.kill)
	r.report.Lives++
	if r.result != nil {
		r.result.Lives++
	}
	l.note(l.k.started, KindStart, strings.Join(r.Command, " "))
	return l, nil
}

// notExecuted is the error of a program that cannot be executed.
func (r *runner) notExecuted(err error) error {
	e := &StartError{Program: r.Command[0], Err: err, Reason: err.Error()}
	errno := syscall.Errno(0)
	var file *fs.PathError
	switch inner := errors.Unwrap(err); {
	case errors.As(err, &errno):
		e.Reason = errno.Error() // without the program, which is named anyway
	case inner != nil:
		e.Reason = inner.Error()
	}
	switch {
	case errno == syscall.ENOEXEC:
		e.Reason += ": it is no program for this system; a script needs a first line such as #!/bin/sh"
	case errno == syscall.ENOENT && errors.As(err, &file) && file.Op == "exec":
		e.Reason += ": the interpreter in its first line, or the loader that it needs, is missing"
	}
	return e
}

// freeGuard is a guard that has no life.
func (r *runner) freeGuard() (*guardian, error) {
	if n := len(r.guards); n > 0 {
		guard := r.guards[n-1]
		r.guards = r.guards[:n-1]
		return guard, nil
	}
	return startGuard(r.ctx, r.abort)
}

// endGuards ends those that have no life.
func (r *runner) endGuards() {
	for _, guard := range r.guards {
		guard.close()
	}
	r.guards = nil
}
