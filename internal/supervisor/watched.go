//go:build unix

package supervisor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/watch"
)

// quietAfterChange is how long the files of a process must have been left alone before it is restarted.
const quietAfterChange = 100 * time.Millisecond

// watched is what is watched for a process.
type watched struct {
	what    config.Watch
	logs    []string
	watcher *watch.Watcher
}

// watches are what is watched for all processes.
type watches struct {
	mu   sync.Mutex
	of   map[string]watched // by the names of processes
	over bool
}

// watchFiles watches the files of the processes as their definitions are now. What is watched already stays so.
func (s *Supervisor) watchFiles() error {
	wanted := map[string]config.Watch{}
	var logs []string // a line in one of them is no reason to restart what writes it
	s.mu.Lock()
	for _, p := range s.order {
		for _, file := range []string{p.def.Log.File, p.def.Log.Stderr} {
			if file != "" {
				logs = append(logs, file)
			}
		}
		if len(p.def.Watch.Paths) > 0 {
			wanted[p.name] = p.def.Watch
		}
	}
	s.mu.Unlock()
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	for name, w := range s.watches.of {
		if !reflect.DeepEqual(wanted[name], w.what) || !slices.Equal(logs, w.logs) {
			w.watcher.Close()
			delete(s.watches.of, name)
		}
	}
	var errs []error
	for name, what := range wanted {
		if _, ok := s.watches.of[name]; ok || s.watches.over {
			continue
		}
		watcher, err := watch.New(watch.Options{
			Paths: what.Paths, Ignore: what.Ignore, Except: logs, Quiet: quietAfterChange, Changed: func(file string) { go s.restartChanged(name, file) },
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: watch: %w", name, err))
			continue
		}
		if s.watches.of == nil {
			s.watches.of = map[string]watched{}
		}
		s.watches.of[name] = watched{what, logs, watcher}
	}
	return errors.Join(errs...)
}

// endWatches watches nothing any more.
func (s *Supervisor) endWatches() {
	s.watches.mu.Lock()
	defer s.watches.mu.Unlock()
	s.watches.over = true
	for _, w := range s.watches.of {
		w.watcher.Close()
	}
	s.watches.of = nil
}

// restartChanged restarts a process of which a file has changed. What an earlier change or a person has begun with it is taken back.
func (s *Supervisor) restartChanged(name, file string) {
	s.mu.Lock()
	p, dir := s.programs[name], s.file.Dir
	s.mu.Unlock()
	if p == nil {
		return
	}
	err := s.change(context.Background(), p, true, func(ctx context.Context) error {
		s.mu.Lock()
		t := &target{program: p, def: p.def, instances: slices.Clone(p.instances)}
		s.mu.Unlock()
		t.instances = slices.DeleteFunc(t.instances, func(i *instance) bool { return i.held.Load() })
		if len(t.instances) == 0 {
			return nil
		}
		if below, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(below) {
			file = below
		}
		s.say("%s: %s has changed, restarting it", name, file)
		return s.restart(ctx, t, func(string) {})
	})
	if err != nil && !errors.Is(err, lastcall.ErrStopping) && !errors.Is(err, errInterrupted) {
		s.say("%s: not restarted: %v", name, err)
	}
}
