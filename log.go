package lastcall

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Log is an observer, see [Group.Observe], that writes every event to l as one record. The message is one of a few fixed
// texts; the facts are attributes:
//
//	worker      the worker's path; absent for the group itself
//	state       the state that was entered
//	took        StateReady: since its start; stopped, cut, failed, abandoned: since its soft stop, or else its start
//	cause       why it stops
//	error       what went wrong, once: not repeated for a restart, the group around, or the end of the group
//	in_flight, attempt, delay, reason, status, pid, waiting_for, stacks, where there are any
//
// Normal life is at level info, and at level debug what precedes readiness. A worker that is cut, restarts, is waited for
// or is not ready is a warning; a failure, a panic and an abandoned worker are errors.
func Log(l *slog.Logger) func(Event) {
	return func(e Event) { logEvent(l, e) }
}

func logEvent(l *slog.Logger, e Event) {
	level, what := headlineOf(e)
	ctx := context.Background()
	if !l.Enabled(ctx, level) {
		return
	}
	record := slog.NewRecord(e.Time, level, what, 0)
	record.AddAttrs(attributes(e)...)
	_ = l.Handler().Handle(ctx, record) // a log that fails has no place to report it
}

// headlineOf is the level and the message of an event's record.
func headlineOf(e Event) (slog.Level, string) {
	subject := "worker "
	if e.Name == "" {
		subject = "group "
	}
	switch e.Kind {
	case EventReadiness:
		if e.Reason == "" {
			return slog.LevelInfo, subject + "ready again"
		}
		return slog.LevelWarn, subject + "not ready"
	case EventLameDuck:
		return slog.LevelInfo, subject + "lame duck"
	case EventAwaiting:
		return slog.LevelWarn, subject + "waiting"
	case EventPanic:
		if _, ok := e.Err.(*PanicError); !ok {
			return slog.LevelError, subject + "called runtime.Goexit"
		}
		return slog.LevelError, subject + "panicked"
	case EventLeak:
		return slog.LevelWarn, subject + "left goroutines behind"
	case EventLost:
		return slog.LevelError, subject + "lost work"
	case EventReload:
		if e.Err != nil {
			return slog.LevelError, "reload failed"
		}
		return slog.LevelInfo, "reloaded"
	case EventRejected:
		return slog.LevelError, subject + "rejected"
	}
	return levelOf(e), subject + e.State.String()
}

// levelOf is the level of a state that was entered.
func levelOf(e Event) slog.Level {
	switch e.State {
	case StateWaiting, StateStarting:
		return slog.LevelDebug
	case StateCut, StateRestarting:
		return slog.LevelWarn
	case StateFailed, StateAbandoned:
		return slog.LevelError
	case StateStopped:
		switch {
		case e.Err != nil && e.Name == "": // workers were abandoned, or lost work
			return slog.LevelError
		case e.Err != nil:
			return slog.LevelWarn
		}
	}
	return slog.LevelInfo
}

// attributes are the facts of an event.
func attributes(e Event) (attrs []slog.Attr) {
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, text.Outside(value)))
		}
	}
	add("worker", e.Name)
	if e.Kind == EventState || e.Kind == EventAwaiting {
		add("state", e.State.String())
	}
	if e.Took > 0 {
		attrs = append(attrs, slog.Duration("took", text.Round(e.Took)))
	}
	if e.InFlight > 0 {
		attrs = append(attrs, slog.Int("in_flight", e.InFlight))
	}
	if e.Kind == EventState && e.State == StateRestarting {
		attrs = append(attrs, slog.Int("attempt", e.Attempt))
	}
	if e.Delay > 0 {
		attrs = append(attrs, slog.Duration("delay", text.Round(e.Delay)))
	}
	if e.Kind == EventState && (e.State == StateStopping || e.State == StateCut) || e.Kind == EventLameDuck {
		add("cause", causeText(e.Cause))
	}
	add("reason", e.Reason)
	add("waiting_for", awaitedText(e.Awaited))
	if w, ok := e.Err.(*WorkerError); ok && w.Name == e.Name && w.Kind == ErrAbandoned {
		add("status", w.Status)
		if w.PID != 0 {
			attrs = append(attrs, slog.Int("pid", w.PID))
		}
	} else {
		add("error", newError(e))
	}
	if e.Stacks != "" {
		attrs = append(attrs, slog.String("stacks", text.Lines(e.Stacks)))
	}
	return attrs
}

// causeText is why a stop came, without the error of the worker that failed, which has a record of its own.
func causeText(c *StopCause) string {
	switch {
	case c == nil:
		return ""
	case c.Reason == StopFailure:
		return c.Worker + " failed"
	}
	return reasonText(c)
}

// awaitedText names the first of the workers that are waited for.
func awaitedText(awaited []Awaited) string {
	const most = 8
	var names []string
	for _, a := range awaited[:min(len(awaited), most)] {
		names = append(names, a.String())
	}
	if more := len(awaited) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// newError is the text of an error that no other event has: a worker's error belongs to its own end, a panic to the
// moment when it happens.
func newError(e Event) string {
	var news []string
	if e.Kind == EventState && e.State == StateRestarting {
		return ""
	}
	for _, err := range errorsIn(e.Err) {
		_, panicked := err.(*PanicError)
		worker, ok := err.(*WorkerError)
		_, config := err.(*ConfigError)
		switch {
		case e.Kind == EventState && (panicked || err == errGoexit): //nolint:errorlint // EventPanic has it
		case ok && worker.Name != e.Name: // that worker's event has it
		case config && e.Kind == EventState && e.Name == "": // EventRejected has it
		default:
			news = append(news, textOf(err))
		}
	}
	return strings.Join(news, "; ")
}
