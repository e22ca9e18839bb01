//go:build unix

package supervisor

import (
	"errors"
	"slices"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/text"
)

// asError is an error for the other side of the socket.
func asError(err error) error {
	var known *control.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known): // one of several, perhaps
		return &control.Error{Kind: known.Kind, Text: text.Error(err)}
	case errors.Is(err, lastcall.ErrStopping):
		return &control.Error{Kind: control.KindLeaving, Text: "lastcall up is stopping"}
	case errors.Is(err, lastcall.ErrNotReplaced), didNotStart(err):
		return &control.Error{Kind: control.KindStart, Text: text.Error(err)}
	case wasCut(err):
		return &control.Error{Kind: control.KindCut, Text: text.Error(err)}
	}
	return &control.Error{Kind: control.KindFailed, Text: text.Error(err)}
}

// didNotStart reports whether err has the failure of a start.
func didNotStart(err error) bool {
	if failed, ok := err.(*lastcall.WorkerError); ok && failed.Starting {
		return true
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(many.Unwrap(), didNotStart)
	}
	inner := errors.Unwrap(err)
	return inner != nil && didNotStart(inner)
}
