package lastcall

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/lastcall-go/lastcall/internal/text"
)

// User code is called in more places than it seems: listeners, handlers of the log, and the methods of errors and of
// the values of panics. None of it is called with a lock held, and wherever it panics or calls runtime.Goexit, the group
// goes on.

// contained calls f, which may call user code, and reports whether it returned. A panic is recovered; runtime.Goexit
// cannot be, so f has a goroutine of its own.
func contained(f func()) (returned bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f()
		returned = true
	}()
	<-done
	return returned
}

// call calls a listener and logs that it panicked or ended its goroutine: one that looks on must not bring the
// daemon down.
func call(listen func(Event), event Event) {
	returned := false
	defer func() {
		switch v := recover(); {
		case v != nil:
			logError("lastcall: a listener panicked", "panic", v, "stack", string(debug.Stack()))
		case !returned:
			logError("lastcall: a listener called runtime.Goexit", "stack", string(debug.Stack()))
		}
	}()
	listen(event)
	returned = true
}

// logError is slog.Error, whatever the handler does and the message has in it.
func logError(msg string, args ...any) { contained(func() { slog.Error(text.Outside(msg), args...) }) }

// textOf is the text of an error, whatever its method does.
func textOf(err error) (text string) {
	if !contained(func() { text = err.Error() }) {
		return fmt.Sprintf("%T (its Error method broke)", err)
	}
	return text
}

// reasonText is the text of a stop's reason, whatever the methods of the error in it do.
func reasonText(c *StopCause) (text string) {
	if c.Err == nil {
		return c.Why()
	}
	if !contained(func() { text = c.Why() }) {
		return fmt.Sprintf("%T (its Error method broke)", c.Err)
	}
	return text
}

// facts are what is to be known of an error that a worker returned. They are found out before the run is locked.
type facts struct {
	stopped   bool // it is, or wraps, a context's end or ErrStopping
	hard      bool // ErrHardStop
	broke     bool // a panic, or runtime.Goexit
	permanent bool
	unit      *WorkerError // the unit of work that the hard stop cut
}

func factsOf(err error) (f facts) {
	switch err {
	case nil:
		return f
	case context.Canceled, ErrStopping: //nolint:errorlint // the methods of other errors are user code
		return facts{stopped: true}
	case errGoexit:
		return facts{broke: true}
	}
	contained(func() {
		var p *PanicError
		var permanent *permanentError
		f.stopped = errors.Is(err, context.Canceled) || errors.Is(err, ErrStopping)
		f.hard = errors.Is(err, ErrHardStop)
		f.broke = errors.Is(err, errGoexit) || errors.As(err, &p)
		f.permanent = errors.As(err, &permanent)
		f.unit = kindIn(err, ErrInterrupted)
	})
	return f
}

// errorLater is fmt.Errorf that asks the errors among args for their texts only when it is asked for its own.
func errorLater(format string, args ...any) error { return &laterError{format, args} }

type laterError struct {
	format string
	args   []any
}

func (e *laterError) Error() string { return fmt.Errorf(e.format, e.args...).Error() }

func (e *laterError) Unwrap() (errs []error) {
	for _, arg := range e.args {
		if err, ok := arg.(error); ok {
			errs = append(errs, err)
		}
	}
	return errs
}
