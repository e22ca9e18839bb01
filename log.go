package lastcall

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

// Log is a listener that writes every event to l, one readable line each: state changes at level info, or debug for
// those of a start that goes as it should; what is awaited while the group stops as warnings; failures, panics and
// abandoned workers as errors.
func Log(l *slog.Logger) func(Event) {
	return func(e Event) { logEvent(l, e) }
}

// LogStop is [Log] for the stop alone, and for what goes wrong before it.
func LogStop(l *slog.Logger) func(Event) {
	stopping := false
	return func(e Event) {
		stopping = stopping || e.Kind == EventLameDuck || e.Kind == EventState && e.State == StateStopping
		if stopping || e.Err != nil || e.Kind != EventState {
			logEvent(l, e)
		}
	}
}

func logEvent(l *slog.Logger, e Event) {
	level, what, attrs := describe(e)
	if !l.Enabled(context.Background(), level) {
		return
	}
	name := e.Name
	if name == "" {
		name = "group"
	}
	record := slog.NewRecord(e.Time, level, text.Outside(name+": "+what), 0)
	record.AddAttrs(attrs...)
	_ = l.Handler().Handle(context.Background(), record) // where a log fails there is nobody to tell
}

// describe is an event in words.
func describe(e Event) (slog.Level, string, []slog.Attr) {
	var attrs []slog.Attr
	cause := func() {
		if e.Cause != nil {
			attrs = append(attrs, slog.String("cause", e.Cause.Error()))
		}
	}
	fail := func() {
		if e.Err != nil {
			attrs = append(attrs, slog.String("error", e.Err.Error()))
		}
		if e.Stacks != "" {
			attrs = append(attrs, slog.String("stacks", e.Stacks))
		}
	}
	switch e.Kind {
	case EventReadiness:
		if e.Reason == "" {
			return slog.LevelInfo, "ready again", nil
		}
		return slog.LevelWarn, "not ready: " + e.Reason, nil
	case EventLameDuck:
		cause()
		return slog.LevelInfo, fmt.Sprintf("lame duck, serving for another %v", e.Delay), attrs
	case EventAwaiting:
		const most = 8
		var names []string
		for _, a := range e.Awaited[:min(len(e.Awaited), most)] {
			names = append(names, a.String())
		}
		if more := len(e.Awaited) - most; more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		return slog.LevelWarn, "stopping, waiting for " + strings.Join(names, ", "), nil
	case EventPanic:
		fail()
		return slog.LevelError, "broke", attrs
	case EventLeak:
		fail()
		return slog.LevelWarn, "left goroutines behind", attrs
	case EventLost:
		fail()
		return slog.LevelError, "lost work", attrs
	case EventReload:
		if e.Err != nil {
			fail()
			return slog.LevelError, "reload failed", attrs
		}
		return slog.LevelInfo, "reloaded", nil
	case EventRejected:
		fail()
		return slog.LevelError, "rejected", attrs
	}
	if e.InFlight > 0 {
		attrs = append(attrs, slog.Int("in_flight", e.InFlight))
	}
	switch e.State {
	case StateStopping:
		cause()
		return slog.LevelInfo, "stopping", attrs
	case StateCut:
		cause()
		return slog.LevelWarn, "cut", attrs
	case StateStopped:
		fail()
		if e.Err != nil { // a group with work that was cut or abandoned
			return slog.LevelError, "stopped", attrs
		}
		return slog.LevelInfo, "stopped", attrs
	case StateFailed, StateAbandoned:
		fail()
		return slog.LevelError, e.State.String(), attrs
	case StateRestarting:
		fail()
		return slog.LevelWarn, fmt.Sprintf("restarting in %v, restart %d", e.Delay.Round(time.Millisecond), e.Attempt), attrs
	case StateReady:
		return slog.LevelInfo, "ready", attrs
	}
	cause()
	return slog.LevelDebug, e.State.String(), attrs
}
