//go:build unix

package supervisor

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

var _ control.Backend = (*Supervisor)(nil)

// Logs are lines of output.
func (s *Supervisor) Logs(ctx context.Context, q control.LogQuery, fn func(control.Line) error) error {
	names, err := s.written(q.Names)
	if err != nil {
		return err
	}
	err = s.out.Tail(ctx, names, q.Last, q.Follow, func(t time.Time, name, text string) error {
		line := control.Line{Time: t, Name: name, Text: text}
		if i := s.instance(strings.TrimSuffix(name, errorsSuffix)); i != nil {
			line.Process = i.def.Name
		}
		return fn(line)
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Down stops everything, and returns when that is over.
func (s *Supervisor) Down(ctx context.Context, _ func(string)) error {
	s.stop(errors.New("lastcall down"))
	select {
	case <-ctx.Done():
		return asError(context.Cause(ctx))
	case <-s.over:
		return asError(s.err)
	}
}
