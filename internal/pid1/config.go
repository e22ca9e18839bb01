package pid1

import (
	"io"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/process"
)

// Config says what to run and how. Command is all it needs.
type Config struct {
	Name    string   // what messages begin with; "" is "lastcall run"
	Command []string // the program and its arguments

	// Grace is the time from the soft stop to the hard stop; 0 means lastcall.DefaultGrace. Forever means that nothing
	// escalates: every signal is handed on and nothing else is done with it.
	Grace   time.Duration
	Forever bool
	// Stop is what the program is sent at the soft stop, in place of the signal that asked for it.
	Stop []process.Step
	// Rewrite is what to hand on in place of a signal; 0 drops it.
	Rewrite map[syscall.Signal]syscall.Signal
	// Group hands signals to the whole process group of the program, those of the stop included.
	Group bool
	// Session gives the program a session of its own, with the terminal if there is one.
	Session bool
	// HaltSelf stops this process, too, when it has handed on a signal by which a terminal stops a job.
	HaltSelf bool
	// Shared leaves the program in the process group of this process.
	Shared bool
	// Kill is how far a stop reaches. With process.KillGroup and process.KillAll all are sent its signals at the same time.
	Kill process.Mode
	// Subreaper adopts orphans where this is not PID 1, which has them anyway.
	Subreaper bool
	// ParentDeath is the signal that the program gets if this process dies suddenly; 0 means SIGKILL, negative none.
	ParentDeath syscall.Signal

	// Remap is what to exit with in place of an exit status, 128+n after death by signal n.
	Remap map[int]int
	// Plain exits with 128+n where the program died of a signal, also where this is not PID 1.
	Plain bool

	// Ready is how one knows that the program is ready, which a service manager is then told. nil: as soon as it runs, or
	// where a service manager wants to be told, when the program says so.
	Ready *process.Ready
	// Report, if set, gets the report of how it stopped, as JSON.
	Report io.Writer
	// Messages gets what this package says.
	Messages io.Writer
	// Quiet says only what went wrong, Verbose each signal.
	Quiet, Verbose bool
	// Inherit is what the program inherits of the signals that this process was started to ignore, or with blocked.
	Inherit Inherit
	// Root makes the root directory that of this process when the program runs, so that it keeps no file system busy.
	Root bool

	observe func(event) // unless nil, tells what happens in place of Verbose
}
