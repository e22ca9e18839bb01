package lastcall

import (
	"context"
	"errors"
	"runtime"
	"strings"
)

// "<-ctx.Done(); return x.Shutdown(ctx)" hands Shutdown a context that has ended, so that it gives up before it begins.
// It cannot be told from the error, since a worker returns ctx.Err() as a rule. It shows in who asks for the end of the
// context when that has come: a method named Shutdown that waits for something has a reason to wait. A Shutdown with
// nothing to wait for never asks.

// askedLate notes that a Shutdown method asks for the end of the worker's context after that has come.
func (a *attempt) askedLate() {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for more := true; more; {
		var frame runtime.Frame
		if frame, more = frames.Next(); strings.HasSuffix(frame.Function, ").Shutdown") {
			a.work.word.Or(gaveUp)
			return
		}
	}
}

// endedLate notes as lost what a Shutdown gave up that a worker has returned the error of.
func (a *attempt) endedLate(err error) {
	if a.work.word.Load()&gaveUp == 0 {
		return
	}
	cancelled := false
	contained(func() { cancelled = errors.Is(err, context.Canceled) })
	if cancelled {
		a.lost(loss{shutdowns: 1})
	}
}
