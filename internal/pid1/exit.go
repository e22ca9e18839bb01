//go:build unix

package pid1

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/process"
)

// Exit statuses besides the program's own, as a shell has them.
const (
	statusNotFound = 127
	statusNoRun    = 126
	statusNotReady = 3
)

// An End is how it all ended.
type End struct {
	Status int            // to exit with
	Signal syscall.Signal // to die of instead, where that is possible; 0 if not
	Err    error          // what went wrong besides the program's own failure, for a message; nil if nothing
}

// endOf is what this process ends with, given how the program did and the error of the run.
func (c *Config) endOf(p *process.Process, err error) End {
	var start *process.StartError
	var ready *process.ReadyError
	var sick *process.SickError
	var forced *lastcall.ForcedError
	var interpreter *process.InterpreterError
	exit, ended := p.Exit()
	switch {
	case errors.As(err, &interpreter) && errors.As(err, &start):
		status := statusNoRun
		if isNotFound(err) {
			status = statusNotFound
		}
		return End{Status: status, Err: &notRun{start, start.Name + ": " + interpreter.Error()}}
	case errors.As(err, &start) && isNotFound(err):
		return End{Status: statusNotFound, Err: &notRun{start, start.Name + ": not found"}}
	case errors.As(err, &start):
		return End{Status: statusNoRun, Err: &notRun{start, start.Name + ": " + startProblem(start.Err)}}
	case errors.As(err, &forced):
		sig, _ := forced.Signal.(syscall.Signal)
		return End{Status: 128 + int(sig), Signal: sig}
	case errors.As(err, &ready):
		return End{Status: statusNotReady, Err: ready}
	case errors.As(err, &sick):
		return End{Status: 1, Err: sick}
	case !ended:
		return End{Status: lastcall.ExitCode(err), Err: err}
	}
	end := End{Status: exit.Status()}
	if to, ok := c.Remap[end.Status]; ok {
		end.Status = to
		return end
	}
	if !c.Plain {
		end.Signal = exit.Signal
	}
	return end
}

// notRun is a program that could not be run, in one line.
type notRun struct {
	err  error
	text string
}

func (e *notRun) Error() string { return e.text }
func (e *notRun) Unwrap() error { return e.err }

// startProblem is what the system said, in the words that a person uses for it.
func startProblem(err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno) && errno == syscall.EISDIR, errors.As(err, &errno) && errno == syscall.ENOEXEC:
		return "cannot be executed: " + errno.Error()
	case errors.Is(err, fs.ErrPermission):
		return "not executable: permission denied"
	}
	return "cannot be started: " + err.Error()
}

// Exit ends this process: as the program did. It does not return.
func (e End) Exit() {
	if e.Signal != 0 && os.Getpid() != 1 {
		allsignals.DieOf(e.Signal)
	}
	os.Exit(e.Status)
}

// startErrno is the system's number for why the program could not be run.
func startErrno(err error) (syscall.Errno, bool) {
	var e syscall.Errno
	switch {
	case errors.As(err, &e) && e == syscall.EISDIR: // of a search in PATH
		return syscall.EACCES, true
	case errors.As(err, &e):
		return e, true
	case isNotFound(err):
		return syscall.ENOENT, true
	case errors.Is(err, fs.ErrPermission):
		return syscall.EACCES, true
	}
	return 0, false
}

// isNotFound reports whether there is no such program.
func isNotFound(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound)
}
