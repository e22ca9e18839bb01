//go:build unix

package process

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A scene is one scenario of stopping on one fake.
type scene struct {
	*testing.T
	*fake
	main  *life
	p     *Process
	r     *registry
	err   error
	took  time.Duration // the stop
	group *lastcall.Group
}

const (
	fakeGrace = 6 * time.Second
	fakeHard  = time.Minute
)

// onEach plays a scene on every system: main is what the program does, act what happens while it runs, which is to end it or returns true
// for a stop; check looks at what is left.
func onEach(t *testing.T, main func(*life), act func(*scene) bool, check func(*scene)) {
	for _, s := range systems {
		if s.finds == "proc" && fakeProc == nil {
			continue
		}
		t.Run(s.title, func(t *testing.T) { play(t, s, main, act, check) })
	}
}

func play(t *testing.T, s behaviour, main func(*life), act func(*scene) bool, check func(*scene)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(s)
		sc := &scene{T: t, fake: f, r: newRegistry(f), p: &Process{Command: []string{"/main"}, InheritFiles: true}}
		sc.p.on = sc.r
		f.programs["/main"] = func(p *life) {
			sc.main = p
			main(p)
		}
		sc.group = &lastcall.Group{Grace: fakeGrace, HardStop: fakeHard}
		sc.group.Add("main", sc.p)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		if act == nil {
			act = func(*scene) bool { return true }
		}
		go func() { done <- sc.group.Run(ctx) }()
		synctest.Wait()
		began := time.Now()
		if act(sc) {
			cancel()
		}
		sc.err = <-done
		sc.took = time.Since(began)
		time.Sleep(time.Second) // sweeping, and exits
		synctest.Wait()
		f.mu.Lock()
		for _, p := range f.sortedLocked() {
			if p.parent == f.me && p.state == lifeEnded && (sc.tells() || !s.pidfd) { // without /proc nothing tells orphans from others' children
				t.Errorf("%s is left a zombie", p.name)
			}
		}
		f.mu.Unlock()
		if sc.took > fakeGrace+5*time.Second {
			t.Errorf("the stop took %v", sc.took)
		}
		check(sc)
		endSweeping(sc.r)
		if t.Failed() {
			t.Logf("it said %q and returned %v after %v", f.words(), sc.err, sc.took)
		}
	})
}

// endSweeping ends the goroutine that reaps orphans, which a bubble would wait for.
func endSweeping(r *registry) {
	close(r.over)
	time.Sleep(2 * sweepPause)
}

// alive are the names of those that are left.
func (s *scene) alive() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.sortedLocked() {
		if p != s.me && p.state != lifeEnded {
			names = append(names, p.name)
		}
	}
	return names
}

// gone checks that nothing is left but these.
func (s *scene) gone(but ...string) {
	s.Helper()
	if left := s.alive(); !slices.Equal(left, but) {
		s.Errorf("%q are left, want %q", left, but)
	}
}

// order checks that these were said, one after another.
func (s *scene) order(words ...string) {
	s.Helper()
	last := -1
	for _, word := range words {
		i := slices.Index(s.words(), word)
		if i <= last {
			s.Errorf("%q is not in the order %q", s.words(), words)
			return
		}
		last = i
	}
}

// clean checks that the stop was a success.
func (s *scene) clean() {
	s.Helper()
	if s.err != nil {
		s.Errorf("the stop returned %v", s.err)
	}
}

// tells reports whether the system tells of processes that left the group.
func (s *scene) tells() bool { return s.finds != "group" }

func TestFakeStopOfOne(t *testing.T) {
	for name, test := range map[string]struct {
		program func(*life)
		clean   bool
		exit    Exit
	}{
		"dies":    {func(*life) {}, true, Exit{Code: -1, Signal: syscall.SIGTERM}},
		"handles": {func(p *life) { p.handles(syscall.SIGTERM, after(time.Second, 0)) }, true, Exit{}},
		"fails":   {func(p *life) { p.handles(syscall.SIGTERM, after(time.Second, 3)) }, false, Exit{Code: 3}},
		"ignores": {func(p *life) { p.ignores() }, false, Exit{Code: -1, Signal: syscall.SIGKILL}},
		"set-id":  {func(p *life) { p.setID = true; p.handles(syscall.SIGTERM, after(time.Second, 0)) }, true, Exit{}},
		"halted":  {func(p *life) { p.halted = true; p.handles(syscall.SIGTERM, after(time.Second, 0)) }, true, Exit{}},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, test.program, nil, func(s *scene) {
				s.gone()
				if (s.err == nil) != test.clean {
					s.Errorf("the stop returned %v", s.err)
				}
				got, _ := s.p.Exit()
				if got.PID = 0; got != test.exit {
					s.Errorf("it ended with %+v, want %+v", got, test.exit)
				}
			})
		})
	}
}

func TestFakeStopDuringStart(t *testing.T) {
	for _, s := range systems {
		if s.finds == "proc" && fakeProc == nil {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			f := newFake(s)
			r := newRegistry(f)
			ctx, cancel := context.WithCancel(t.Context())
			f.programs["/main"] = func(*life) { cancel() } // between fork and the return of start
			p := &Process{Command: []string{"/main"}, InheritFiles: true, on: r}
			var g lastcall.Group
			g.Add("main", p)
			if err := g.Run(ctx); err != nil {
				t.Errorf("%s: %v", s.title, err)
			}
			if exit, _ := p.Exit(); exit.Signal != syscall.SIGTERM {
				t.Errorf("%s: it ended with %v", s.title, exit)
			}
			endSweeping(r)
		})
	}
}
