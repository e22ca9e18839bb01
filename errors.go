package lastcall

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// ErrStopping is returned by [Do] once the soft stop began, and by [Group.Add]'s checks for a group that is stopping.
// Every soft-stop cause matches it: errors.Is(context.Cause(ctx), lastcall.ErrStopping).
var ErrStopping = errors.New("lastcall: stopping, no new work is taken")

// ErrHardStop is what every hard-stop cause matches: errors.Is(context.Cause(lastcall.Grace(ctx)), lastcall.ErrHardStop).
var ErrHardStop = errors.New("lastcall: hard stop, work in flight is cut")

// ErrGoexit is how a worker failed that ended its goroutine with runtime.Goexit (t.FailNow does) instead of returning.
var ErrGoexit = errors.New("the worker called runtime.Goexit instead of returning")

// StopReason is why a group stops.
type StopReason uint8

const (
	// StopRequested: the context of Run ended without a signal.
	StopRequested StopReason = iota
	// StopSignal: a signal asked for it; StopCause.Signal says which.
	StopSignal
	// StopFailure: a worker failed; StopCause.Worker and Err say which and how.
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
	Worker string        // StopFailure, StopEssential and StopRestart: whose end it was
	Err    error         // StopFailure: how it failed; StopRequested: the cause of the context that ended
	After  time.Duration // StopGraceExpired: how long the worker had
}

// Error says which stop it is and why.
func (c *StopCause) Error() string {
	stop := "soft stop: "
	if c.Hard {
		stop = "hard stop: "
	}
	return stop + c.reason()
}

func (c *StopCause) reason() string {
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

// WorkerError is a worker that failed: by an error, a panic ([PanicError]), [ErrGoexit], or by not being ready in time.
type WorkerError struct {
	Name     string // the worker's path
	Starting bool   // it had not been ready yet: the start failed
	Err      error
}

// Error is "name: how".
func (e *WorkerError) Error() string { return e.Name + ": " + e.Err.Error() }

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

// InterruptedError is work cut by the hard stop. It is not a failure: the work was fine and had no more time.
type InterruptedError struct {
	Name  string // the worker's path
	Units int    // units of in-flight work that were cut; 0 where the worker itself was
	Err   error  // what the worker, or the unit, returned; may be nil
}

// Error says what was cut.
func (e *InterruptedError) Error() string {
	message := e.Name + ": interrupted by the hard stop"
	if e.Units > 0 {
		message += fmt.Sprintf(", %s in flight cut", text.Count(e.Units, "unit"))
	}
	if e.Err != nil {
		message += ": " + e.Err.Error()
	}
	return message
}

// Unwrap returns Err.
func (e *InterruptedError) Unwrap() error { return e.Err }

// AbandonedError is a worker that did not return even after the hard stop.
type AbandonedError struct {
	Name   string        // the worker's path
	For    time.Duration // since its soft stop; 0 if it was not told, see ForcedError
	Status string        // what it last said of itself, see [Status]
	Stacks string        // the stacks of its goroutines, those that it started included
}

// Error is one line with the name and the time; Stacks has the rest.
func (e *AbandonedError) Error() string {
	message := e.Name + ": abandoned before its turn to stop"
	if e.For > 0 {
		message = fmt.Sprintf("%s: abandoned, still running %s after its soft stop", e.Name, text.Round(e.For))
	}
	if e.Status != "" {
		message += " (" + e.Status + ")"
	}
	return message
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

// GroupError is everything that went wrong in a group, in the order in which it happened; errors.Is and errors.As find each.
type GroupError struct {
	Errs []error
}

// Error joins all in one line.
func (e *GroupError) Error() string {
	texts := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns all.
func (e *GroupError) Unwrap() []error { return e.Errs }

// joinErrors is nil, the only error, or a [GroupError] of all.
func joinErrors(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return &GroupError{Errs: errs}
}

// errorsIn is the reverse of joinErrors.
func errorsIn(err error) []error {
	switch e := err.(type) {
	case nil:
		return nil
	case *GroupError:
		return slices.Clone(e.Errs)
	}
	return []error{err}
}
