// Package control is how other processes talk to a running lastcall up: HTTP with JSON over a Unix socket, which curl
// speaks too.
//
//	curl --unix-socket /run/user/1000/lastcall/shop-1f3870be.sock http://lastcall/ps
//
// Questions are GET: /ps, /report, and /watch and /logs, which answer with a line of JSON for each item. Orders are POST
// with a JSON object: /start, /stop, /restart, /reload and /signal take {"names": […]}, /signal also "signal", /scale
// {"instances": {"web": 4}}, /down nothing. Their answer is lines of JSON: {"progress": "…"} as often as there is something
// to tell, and in the end {"done": true} or {"error": "…", "kind": "…"}.
//
// The supervisor is [Listen], [Serve] and [Server.Close]; everybody else a [Client]. Both find the socket by [Path].
package control

import (
	"context"
	"errors"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A Backend is what is controlled: a supervisor. Its methods may be called from any goroutine, also while it stops. An
// error is an [Error] where the client can tell kinds apart; where a name is unknown it is [Unknown].
//
// progress may be called with a line for the person who waits, from any goroutine, and never blocks. ctx ends when that
// person has left (Ctrl-C), or the [Server] closes. What was begun by Start, Stop, Scale or Down then goes on; Restart and
// Reload take back a replacement that is not ready yet, and begin no other.
type Backend interface {
	// List is every instance, in the order of the file. While one is replaced, both have its name. Without usage it need not say CPU, Memory and Family, which
	// cost a look at the system.
	List(ctx context.Context, usage bool) ([]Instance, error)
	// Changed returns a channel that is closed at the next change of what List says, usage aside. Whoever asks before
	// that gets the same channel, so that a Backend that nobody watches has nothing to do.
	Changed() <-chan struct{}
	// Start starts what was stopped, has failed or has completed, and returns when it is ready.
	Start(ctx context.Context, names []string, progress func(string)) error
	// Stop stops softly, all of them together, and returns when they have ended. They stay stopped until Start.
	Stop(ctx context.Context, names []string, progress func(string)) error
	// Restart starts anew: one after another, and with held sockets the new one first.
	Restart(ctx context.Context, names []string, progress func(string)) error
	// Reload has processes read their configuration, in their own way; without names it reads the file again and
	// starts, stops and replaces what changed.
	Reload(ctx context.Context, names []string, progress func(string)) error
	// Scale sets the number of instances of each of these processes.
	Scale(ctx context.Context, instances map[string]int, progress func(string)) error
	// Signal sends a signal to the main process of each. Its name is as in the file, "SIGHUP", or shorter, "HUP", or a
	// number.
	Signal(ctx context.Context, names []string, signal string) error
	// Logs calls fn with lines, oldest first, and with q.Follow goes on until ctx ends, fn fails, or no more can come.
	// When ctx ends it calls fn with what has been written by then, and returns. fn may block for as long as a person
	// reads, and must be called without a lock.
	Logs(ctx context.Context, q LogQuery, fn func(Line) error) error
	// Report is the live report.
	Report(ctx context.Context) (lastcall.Report, error)
	// Down stops everything and returns when that is over, as far as it can be told from inside.
	Down(ctx context.Context, progress func(string)) error
}

// Instance is one instance of a process, for ps. Names in requests are those of instances or of processes, which means all
// of its instances.
type Instance struct {
	Name        string         `json:"name"`                  // web, or web-2
	Process     string         `json:"process"`               // web
	Description string         `json:"description,omitempty"` // of the process, by the file
	State       lastcall.State `json:"state"`                 //
	Detail      string         `json:"detail,omitempty"`      // why it is not ready, when it runs next, …
	PID         int            `json:"pid,omitempty"`         // of the main process
	Started     time.Time      `json:"started,omitzero"`      // the last start
	Since       time.Time      `json:"since,omitzero"`        // in this state
	Restarts    int            `json:"restarts,omitempty"`    //
	CPU         time.Duration  `json:"cpu_ns,omitempty"`      // of the whole family, since its start
	Memory      uint64         `json:"memory,omitempty"`      // bytes, of the whole family
	Family      int            `json:"family,omitempty"`      // how many processes it is
	Status      string         `json:"status,omitempty"`      // what it last said of itself
	Exit        string         `json:"exit,omitempty"`        // how it last ended
	Next        time.Time      `json:"next,omitzero"`         // of a scheduled one: its next run
}

// LogQuery says which lines.
type LogQuery struct {
	Names  []string `json:"names,omitempty"` // none means all
	Last   int      `json:"last"`            // at most so many of those that are kept, negative all
	Follow bool     `json:"follow,omitempty"`
}

// Line is one line of output.
type Line struct {
	Time    time.Time `json:"time"`
	Name    string    `json:"name"` // the instance; "" is lastcall itself
	Process string    `json:"process,omitempty"`
	Text    string    `json:"text"`
}

// Kind tells errors apart for scripts.
type Kind string

// The kinds, and the exit statuses of the commands.
const (
	KindFailed  Kind = "failed"  // 1: it could not be done
	KindUsage   Kind = "usage"   // 2: no such process, a signal that does not exist
	KindStart   Kind = "start"   // 3: what was to start or to replace did not become ready
	KindCut     Kind = "cut"     // 4: stopped, but it had to be killed
	KindNobody  Kind = "nobody"  // 5: no lastcall up answers
	KindLeaving Kind = "leaving" // 1: it is stopping and takes no more requests
)

// Error is an error with its kind, the same on both sides of the socket.
type Error struct {
	Kind Kind   `json:"kind"`
	Text string `json:"error"`
}

// Error is one line.
func (e *Error) Error() string { return e.Text }

// ExitCode is the exit status for an error of this kind.
func (e *Error) ExitCode() int {
	switch e.Kind {
	case KindUsage:
		return 2
	case KindStart:
		return 3
	case KindCut:
		return 4
	case KindNobody:
		return 5
	}
	return 1
}

// asError is err with its kind.
func asError(err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	return &Error{KindFailed, err.Error()}
}
