package lastcall

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// ErrStopping is returned by [Do] once the soft stop began, and by operations on a group that is stopping.
// Every soft-stop cause matches it: errors.Is(context.Cause(ctx), lastcall.ErrStopping).
var ErrStopping = errors.New("lastcall: stopping, no new work is taken")

// ErrHardStop is matched by every hard-stop cause: errors.Is(context.Cause(lastcall.Grace(ctx)), lastcall.ErrHardStop).
var ErrHardStop = errors.New("lastcall: hard stop, work in flight is cut")

// StopReason is why a group stops.
type StopReason uint8

const (
	// StopRequested: the context of Run ended without a signal.
	StopRequested StopReason = iota
	// StopSignal: a signal requested it, see StopCause.Signal.
	StopSignal
	// StopFailure: a worker failed, see StopCause.Worker and Err.
	StopFailure
	// StopEssential: an essential worker returned.
	StopEssential
	// StopGraceExpired: the grace period, or the worker's own limit in it, ran out. Only a hard stop has this reason.
	StopGraceExpired
	// StopRestart: a worker that this one requires restarts, or this one was not ready in time and restarts itself.
	StopRestart
	// StopCompleted: every worker has returned.
	StopCompleted
	// StopReplaced: another worker has taken its place, see [Group.Replace].
	StopReplaced
)

// StopCause is the [context.Cause] of every context that lastcall ends. With Hard unset it is the soft stop, and
// matches [ErrStopping]; with Hard set it is the hard stop, and matches [ErrHardStop]. Both match context.Canceled.
type StopCause struct {
	Hard   bool
	Reason StopReason
	Signal os.Signal     // StopSignal
	Worker string        // StopFailure, StopEssential, StopRestart: the worker that ended
	Err    error         // StopFailure: how it failed; StopRequested: the cause of the context that ended
	After  time.Duration // StopGraceExpired: the time that the worker had
}

// Error is the kind of the stop and its cause: "soft stop: SIGTERM".
func (c *StopCause) Error() string {
	stop := "soft stop: "
	if c.Hard {
		stop = "hard stop: "
	}
	return stop + c.Why()
}

// Why is the cause without the kind of the stop: "SIGTERM", "db failed: disk full".
func (c *StopCause) Why() string {
	switch c.Reason {
	case StopSignal:
		if c.Hard {
			return "a second " + signalName(c.Signal)
		}
		return signalName(c.Signal)
	case StopFailure:
		return fmt.Sprintf("%s failed: %v", c.Worker, c.Err)
	case StopEssential:
		return fmt.Sprintf("%s, which is essential, returned", c.Worker)
	case StopGraceExpired:
		return fmt.Sprintf("its %s of grace expired", text.Round(c.After))
	case StopRestart:
		return fmt.Sprintf("%s restarts", c.Worker)
	case StopCompleted:
		return "every worker has returned"
	case StopReplaced:
		return c.Worker + " is replaced"
	}
	if c.Err != nil && !errors.Is(c.Err, context.Canceled) {
		return fmt.Sprintf("requested: %v", c.Err)
	}
	return "requested"
}

// Is matches [ErrStopping] or [ErrHardStop], and context.Canceled.
func (c *StopCause) Is(target error) bool {
	switch target {
	case ErrStopping:
		return !c.Hard
	case ErrHardStop:
		return c.Hard
	}
	return target == context.Canceled
}

// Unwrap returns Err.
func (c *StopCause) Unwrap() error { return c.Err }

// ErrorKind tells the kinds of [WorkerError] apart. Each is an error itself, so that errors.Is finds it wherever it is in
// the error of [Run]: errors.Is(err, lastcall.ErrAbandoned).
type ErrorKind uint8

const (
	// ErrFailed: the worker returned an error, panicked ([PanicError]), called runtime.Goexit, or was not ready in time.
	ErrFailed ErrorKind = iota
	// ErrInterrupted: the hard stop cut work in flight. The work did not fail: it ran out of time.
	ErrInterrupted
	// ErrAbandoned: the worker did not return even after the hard stop, and still runs.
	ErrAbandoned
	// ErrLost: work that the worker had accepted was not done: a unit of [Do] used the worker's context, which the soft stop
	// ended, items were left in a source of [Drain], or a Shutdown method was called with the worker's context after its end
	// and gave up. Err says which.
	ErrLost
	// ErrNotReplaced: the replacement did not become ready, so the old worker runs on; see [Group.Replace].
	ErrNotReplaced
)

var errorKindNames = [...]string{"failed", "interrupted by the hard stop", "abandoned", "work lost", "not replaced"}

// Error is the kind in words.
func (k ErrorKind) Error() string {
	if int(k) < len(errorKindNames) {
		return errorKindNames[k]
	}
	return fmt.Sprintf("ErrorKind(%d)", uint8(k))
}

// WorkerError is what went wrong with one worker. It matches its Kind and unwraps to Err.
type WorkerError struct {
	Kind     ErrorKind
	Name     string        // the worker's path
	Err      error         // what the worker, or the unit of work, returned; why it was not replaced; may be nil
	Starting bool          // ErrFailed: it had never been ready, so the start failed
	Units    int           // ErrInterrupted and ErrLost: units of work; 0 where the worker itself was cut
	Took     time.Duration // ErrAbandoned: since its soft stop; 0 if its turn to stop had not come
	PID      int           // ErrAbandoned: of the process that the worker runs, if it runs one
	Status   string        // ErrAbandoned: the last [Status] of the worker
	Stacks   string        // ErrAbandoned: of its goroutines, those that it started included
}

// Error is one line: the name, the kind and the details; Stacks has the rest.
func (e *WorkerError) Error() string { return e.Name + ": " + e.what() }

// what is Error without the name.
func (e *WorkerError) what() string {
	message := e.Kind.Error()
	switch e.Kind {
	case ErrFailed:
		if e.Err != nil {
			return e.Err.Error()
		}
	case ErrInterrupted:
		if e.Units > 0 {
			message += fmt.Sprintf(", %s in flight cut", text.Count(e.Units, "unit"))
		}
	case ErrLost:
		message += ", " + text.Count(e.Units, "unit")
	case ErrAbandoned:
		if e.Took > 0 {
			message += fmt.Sprintf(", still running %s after its soft stop", text.Round(e.Took))
		} else {
			message += " before its turn to stop"
		}
		details := []string{}
		if e.PID != 0 {
			details = append(details, fmt.Sprintf("pid %d", e.PID))
		}
		if e.Status != "" {
			details = append(details, e.Status)
		}
		if len(details) > 0 {
			message += " (" + strings.Join(details, ", ") + ")"
		}
	case ErrNotReplaced:
		if e.Err == nil {
			message += ": it ended before it was ready"
		}
	}
	if e.Err != nil {
		message += ": " + e.Err.Error()
	}
	return message
}

// Is matches the error's Kind.
func (e *WorkerError) Is(target error) bool { return target == error(e.Kind) }

// Unwrap returns Err.
func (e *WorkerError) Unwrap() error { return e.Err }

// PanicError is a panic of a worker.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine that panicked
}

// Error is the panic's value in one line; Stack has the rest.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ForcedError is the end of [Run] when repeated signals forced it: workers may still be running.
type ForcedError struct {
	Signal os.Signal
	Err    error // what was known of the workers by then
}

// Error names the signal.
func (e *ForcedError) Error() string {
	message := "forced to end by a third " + signalName(e.Signal)
	if e.Err != nil {
		message += "; " + e.Err.Error()
	}
	return message
}

// Unwrap returns Err.
func (e *ForcedError) Unwrap() error { return e.Err }

// ConfigError is a group that cannot run, with everything that is wrong with it. Nothing was started.
type ConfigError struct {
	Problems []string // one for each mistake, naming the worker
}

// Error names all problems in one line.
func (e *ConfigError) Error() string { return "lastcall: " + strings.Join(e.Problems, "; ") }

// errGoexit is how a worker failed that ended its goroutine with runtime.Goexit (t.FailNow does) instead of returning.
var errGoexit = errors.New("the worker called runtime.Goexit instead of returning")

// groupError is everything that went wrong in a group, in the order in which it happened.
type groupError struct{ errs []error }

// Error joins all in one line.
func (e *groupError) Error() string {
	texts := make([]string, len(e.errs))
	for i, err := range e.errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns all, for errors.Is and errors.As.
func (e *groupError) Unwrap() []error { return e.errs }

// joinErrors is nil, the only error, or a groupError of all.
func joinErrors(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return &groupError{errs}
}

// errorsIn is the reverse of joinErrors.
func errorsIn(err error) []error {
	switch e := err.(type) {
	case nil:
		return nil
	case *groupError:
		return slices.Clone(e.errs)
	}
	return []error{err}
}

// errorTree visits err and everything that it wraps, outermost first, as errors.Is does.
func errorTree(err error) iter.Seq[error] {
	return func(yield func(error) bool) { visitErrors(err, yield) }
}

func visitErrors(err error, yield func(error) bool) bool {
	if err == nil {
		return true
	}
	if !yield(err) {
		return false
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return visitErrors(e.Unwrap(), yield)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if !visitErrors(inner, yield) {
				return false
			}
		}
	}
	return true
}

// kindIn is the first [WorkerError] of that kind in err, nil if there is none.
func kindIn(err error, kind ErrorKind) *WorkerError {
	for e := range errorTree(err) {
		if w, ok := e.(*WorkerError); ok && w.Kind == kind {
			return w
		}
	}
	return nil
}

// isKind reports whether err itself is a [WorkerError] of that kind.
func isKind(err error, kind ErrorKind) bool {
	w, ok := err.(*WorkerError)
	return ok && w.Kind == kind
}

func isAbandoned(err error) bool { return isKind(err, ErrAbandoned) }
