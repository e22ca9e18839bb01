//go:build unix

package supervisor

import (
	"context"
	"strings"

	"github.com/lastcall-go/lastcall"
)

// awaitEnds returns when the processes have ended whose end the instance waits for.
func (i *instance) awaitEnds(ctx context.Context) error {
	for {
		changed := i.s.Changed()
		left := i.s.notEnded(i.def.AfterEnd)
		if len(left) == 0 {
			return nil
		}
		lastcall.Status(ctx, "waits for the end of "+strings.Join(left, ", "))
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notEnded are the instances of these processes that run, or are to run.
func (s *Supervisor) notEnded(processes []string) (left []string) {
	if len(processes) == 0 {
		return nil
	}
	states := s.states()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range processes {
		p := s.programs[name]
		if p == nil {
			continue // removed
		}
		for _, i := range p.instances {
			if !states[i.name].Ended() {
				left = append(left, i.name)
			}
		}
	}
	return left
}
