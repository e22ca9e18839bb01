package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Exit is how a process ended: by an exit code, or by a signal, perhaps with a core dump.
type Exit struct {
	PID     int
	Code    int            // 0 to 255; -1 if it died of a signal
	Signal  syscall.Signal // 0 if it exited
	Core    bool           // it left a core dump
	Unknown bool           // nobody can know: it was named with MAINPID, and its own parent took the status
}

// String is such as "exit code 3" or "died of SIGSEGV (core dumped)".
func (e Exit) String() string {
	switch {
	case e.Unknown:
		return "ended, and its status went to its own parent"
	case e.Signal != 0 && e.Core:
		return "died of " + SignalName(e.Signal) + " (core dumped)"
	case e.Signal != 0:
		return "died of " + SignalName(e.Signal)
	}
	return fmt.Sprintf("exit code %d", e.Code)
}

// Status is the exit code as a shell has it: 128+n after death by signal n.
func (e Exit) Status() int {
	if e.Signal != 0 {
		return 128 + int(e.Signal)
	}
	return e.Code
}

// exitOf reads a wait status.
func exitOf(pid int, s syscall.WaitStatus) Exit {
	if s.Signaled() {
		return Exit{PID: pid, Code: -1, Signal: s.Signal(), Core: s.CoreDump()}
	}
	return Exit{PID: pid, Code: s.ExitStatus()}
}

// ExitError is a main process that did not end well.
type ExitError struct {
	Exit
	Name   string        // the program
	Killed bool          // it was this package that sent SIGKILL,
	After  time.Duration // so long after the first stop signal
	Limit  string        // which limits of its [Cgroup] it ran into, in words; "" for none
}

// Error is one line, such as "web[4711]: exit code 3".
func (e *ExitError) Error() string {
	line := fmt.Sprintf("%s[%d]: %v", e.Name, e.PID, e.Exit)
	if e.Killed {
		line = fmt.Sprintf("%s[%d]: killed, still running %v after its stop signal", e.Name, e.PID, text.Round(e.After))
	}
	if e.Limit != "" {
		line += " (" + e.Limit + ")"
	}
	return line
}

// StartError is a program that could not be run. It wraps what the system said: fs.ErrNotExist, fs.ErrPermission, ….
type StartError struct {
	Name string // the program
	Err  error
}

// Error is one line.
func (e *StartError) Error() string { return e.Name + ": cannot be started: " + e.Err.Error() }

// Unwrap returns Err.
func (e *StartError) Unwrap() error { return e.Err }

// NotFound reports whether there is no such program. Then a shell's exit status is 127, and 126 if a program that is there cannot be run.
// A directory to run it in that does not exist is an *fs.PathError in Err, and says nothing of the program.
func (e *StartError) NotFound() bool {
	if errors.As(e.Err, new(*fs.PathError)) {
		return false
	}
	return errors.Is(e.Err, fs.ErrNotExist) || errors.Is(e.Err, exec.ErrNotFound)
}

// ReadyError is a child that was not ready in time, or cannot become so any more.
type ReadyError struct {
	Name   string
	Within time.Duration // 0 if the time is not the reason
	Err    error         // what the last look said; may be nil
}

// Error is one line.
func (e *ReadyError) Error() string {
	text := e.Name + ": not ready"
	if e.Within > 0 {
		text += fmt.Sprintf(" within %v", e.Within)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *ReadyError) Unwrap() error { return e.Err }

// SickError is a child that was ready and failed its watchdog or its check.
type SickError struct {
	Name string
	Err  error
}

// Error is one line.
func (e *SickError) Error() string { return e.Name + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *SickError) Unwrap() error { return e.Err }

// A Relative is a descendant that was still there when the main process had ended.
type Relative struct {
	PID        int    // 0 where the system does not tell who is in a group
	Name       string // the program's name as the system has it
	Left       string // "", "group" or "session": what it left
	Unmarked   bool   // its environment does not name its family; it is a member because no other family can have it, see Claim
	Killed     bool   // it was sent SIGKILL
	OutOfReach bool   // it belongs to another user and cannot be signalled; it may live on
}

// String is such as "sleep[4712], which left the session, killed".
func (r Relative) String() string {
	text := fmt.Sprintf("%s[%d]", r.Name, r.PID)
	if r.PID == 0 {
		text = r.Name
	}
	if r.Left != "" {
		text += ", which left the " + r.Left
		if r.Unmarked {
			text += " and cleared its environment"
		}
	}
	switch {
	case r.Killed:
		text += ", killed"
	case r.OutOfReach:
		text += ", another user's and out of reach"
	}
	return text
}

// FamilyError is descendants that did not end softly. The main process ended well, unless Main is set.
type FamilyError struct {
	Name string
	Rest []Relative // each was killed, or could not be
	Main *ExitError
}

// Error is one line with all of them.
func (e *FamilyError) Error() string {
	text := e.Name
	if e.Main != nil {
		text = e.Main.Error()
	}
	return text + ": it left behind what did not end softly: " + relatives(e.Rest)
}

// Unwrap returns Main.
func (e *FamilyError) Unwrap() error {
	if e.Main == nil {
		return nil
	}
	return e.Main
}

// relatives lists at most five.
func relatives(list []Relative) string {
	var texts []string
	for i, r := range list {
		if i == 5 {
			texts = append(texts, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		texts = append(texts, r.String())
	}
	return strings.Join(texts, "; ")
}
