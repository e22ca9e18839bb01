//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/process"
)

const (
	// readyWithin is how long a new instance has that is to take the place of another, unless ready.within says otherwise.
	readyWithin = time.Minute
	// provenAfter is how long it must have run before it does so, where nothing else tells that it is ready.
	provenAfter = time.Second
)

// rolls reports whether it can run beside the one that takes its place: it serves sockets that are held.
func (i *instance) rolls() bool {
	return len(i.def.Listen) > 0 && i.clock == nil
}

// roll starts an instance beside i, with a definition that may be a new one, and stops i when it is ready. If it does not
// become ready, i runs on; that is lastcall.ErrNotReplaced.
func (s *Supervisor) roll(ctx context.Context, i *instance, d *definition) (*instance, error) {
	next, err := s.newInstance(d, i.number, i)
	if err != nil {
		return nil, err
	}
	if r := d.Ready; r == (config.Ready{Within: r.Within}) {
		next.proc.Ready = process.Ready{Delay: provenAfter}
	}
	return next, s.replace(ctx, i, next)
}

// replace gives the place of old to next, which is ready then, and returns when old has ended. If next does not become ready,
// old stays as it is.
func (s *Supervisor) replace(ctx context.Context, old, next *instance) error {
	limit, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if next.def.Ready.Within == 0 && !next.def.Oneshot { // its own limit it may extend, and a task takes its time
		timer := time.AfterFunc(readyWithin, func() {
			if s.isCandidate(next) {
				cancel(fmt.Errorf("not ready within %v", readyWithin))
			}
		})
		defer timer.Stop()
	}
	s.mu.Lock()
	old.next = next
	s.mu.Unlock()
	err := s.group.Replace(limit, old.name, next, s.options(next.def)...)
	var invalid *lastcall.ConfigError
	if errors.Is(err, lastcall.ErrNotReplaced) || errors.As(err, &invalid) || errors.Is(err, lastcall.ErrStopping) {
		s.mu.Lock()
		old.next = nil
		s.mu.Unlock()
		return err
	}
	s.tookOver(old.name)
	s.mu.Lock()
	next.old = nil
	s.mu.Unlock()
	return err // how the old one ended
}

// isCandidate reports whether next has not taken anybody's place yet.
func (s *Supervisor) isCandidate(next *instance) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.names[next.name]
	return i != nil && i.next == next
}

// tookOver makes the candidate of that name the instance, if there still is one.
func (s *Supervisor) tookOver(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.names[name]
	if old == nil || old.next == nil {
		return
	}
	next := old.next
	old.next, next.old = nil, old
	s.names[name] = next
	p := s.programs[next.def.Name]
	for n, i := range p.instances {
		if i == old {
			p.instances[n] = next
		}
	}
}
