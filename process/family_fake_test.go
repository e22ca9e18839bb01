//go:build unix

package process

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fakeFamily is a main process with a member of its group, one that left the group, one that left the session, and an orphan.
func fakeFamily(of func(*life)) func(*life) {
	return func(p *life) {
		of(p)
		p.spawn("plain", "group", of)
		p.spawn("pgid", "pgid", of)
		p.spawn("sid", "sid", of)
		p.spawn("sid", "between", func(b *life) {
			b.spawn("sid", "orphan", of)
			b.spawn("bare", "bare", of)
			b.exits(0)
		})
	}
}

func TestFakeFamily(t *testing.T) {
	onEach(t, fakeFamily(func(p *life) { p.handles(syscall.SIGTERM, after(100*time.Millisecond, 0)) }), nil, func(s *scene) {
		s.clean()
		s.order("main TERM", "group TERM")
		if !s.tells() {
			s.gone("pgid", "sid", "orphan", "bare")
			return
		}
		s.order("main TERM", "group TERM", "pgid TERM")
		s.order("group TERM", "orphan TERM")
		if s.finds == "reaper" {
			s.order("group TERM", "bare TERM")
			s.gone()
		} else if s.exit == 0 { // its parent was gone before the stop, and nothing tells whose it is
			s.gone("bare")
		}
	})
}

func TestFakeFamilyIsKilled(t *testing.T) {
	onEach(t, fakeFamily(func(p *life) { p.ignores() }), nil, func(s *scene) {
		if exit := errorAs[*ExitError](s.T, s.err); !exit.Killed {
			s.Errorf("the stop returned %v", s.err)
		}
		switch {
		case !s.tells():
			s.gone("pgid", "sid", "orphan", "bare")
		case s.finds == "proc" && s.exit == 0:
			s.gone("bare")
		default:
			s.gone()
		}
	})
}

// A main process that ends by itself leaves nothing behind.
func TestFakeFamilyAfterCrash(t *testing.T) {
	onEach(t, fakeFamily(func(*life) {}), func(s *scene) bool {
		s.kill(s.main.pid, syscall.SIGKILL)
		return false
	}, func(s *scene) {
		errorAs[*ExitError](s.T, s.err)
		switch {
		case !s.tells():
			s.gone("pgid", "sid", "orphan", "bare")
		case s.finds == "proc":
			s.gone("bare")
		default:
			s.gone()
		}
	})
}

// Descendants of a nested reaper are listed with that, stay with it while it is a zombie, and are the family's all the same.
func TestFakeNestedReaper(t *testing.T) {
	below := func(p *life) {
		p.spawn("sid", "child", func(c *life) {
			c.spawn("sid", "grandchild", nil)
			c.spawn("sid", "daemon", func(d *life) { d.spawn("sid", "stray", nil); d.exits(0) })
		})
	}
	check := func(s *scene) {
		if !s.tells() {
			s.gone("child", "grandchild", "stray")
			return
		}
		s.gone()
	}
	t.Run("main", func(t *testing.T) {
		onEach(t, func(p *life) { below(p.reaps()) }, nil, func(s *scene) {
			s.clean()
			check(s)
			if s.tells() {
				s.order("main TERM", "child TERM")
				s.order("main TERM", "stray TERM")
			}
		})
	})
	t.Run("main is killed", func(t *testing.T) {
		onEach(t, func(p *life) { below(p.reaps().ignores()) }, nil, func(s *scene) {
			check(s)
			if exit := errorAs[*ExitError](s.T, s.err); !exit.Killed {
				s.Errorf("the stop returned %v", s.err)
			}
		})
	})
	t.Run("member", func(t *testing.T) {
		onEach(t, func(p *life) { p.spawn("sid", "reaper", func(p *life) { below(p.reaps()) }) }, nil, func(s *scene) {
			s.clean()
			if s.tells() {
				s.gone()
				s.order("main TERM", "reaper TERM")
				s.order("main TERM", "stray TERM")
			}
		})
	})
	t.Run("member that waits for its own", func(t *testing.T) { // as timeout(1): what it has must be told as well
		onEach(t, func(p *life) {
			p.spawn("sid", "reaper", func(p *life) {
				p.reaps().ignores()
				p.spawn("sid", "child", func(c *life) {
					c.handles(syscall.SIGTERM, func(c *life) { c.exits(0); p.exits(0) })
				})
			})
		}, nil, func(s *scene) {
			s.clean()
			if s.tells() {
				s.gone()
			}
		})
	})
	t.Run("member that is not waited for", func(t *testing.T) {
		onEach(t, func(p *life) {
			p.lazy = true
			p.handles(syscall.SIGTERM, after(time.Second, 0))
			r := p.spawn("sid", "reaper", func(p *life) { below(p.reaps()) })
			r.exits(0) // it is a zombie until main ends
		}, nil, func(s *scene) {
			s.clean()
			check(s)
		})
	})
	t.Run("at the hard stop", func(t *testing.T) {
		onEach(t, func(p *life) {
			p.ignores()
			p.lazy = true
			p.spawn("sid", "reaper", func(p *life) {
				p.reaps().ignores()
				p.spawn("sid", "deep", func(p *life) { p.reaps().ignores().spawn("sid", "deeper", func(p *life) { p.ignores() }) })
			})
		}, nil, func(s *scene) {
			if s.tells() {
				s.gone()
				errorAs[*FamilyError](s.T, s.err)
			}
			if s.finds == "reaper" && s.trees == 0 {
				s.Error("the tree was not killed at one time")
			}
		})
	})
}

// What forks and dies between the list and the look at it does not hide its child, however often that happens.
func TestFakeForksBetweenLooks(t *testing.T) {
	onEach(t, func(p *life) {
		p.handles(syscall.SIGTERM, after(time.Second, 0))
	}, func(s *scene) bool {
		hop := s.main.spawn("sid", "hop 0", nil)
		var jump func()
		hops := 0
		jump = func() {
			if hops++; hops > 5 {
				return
			}
			old := hop
			hop = old.spawn("sid", "hop", nil)
			old.exits(0)
			s.mu.Lock()
			s.listed = jump
			s.mu.Unlock()
		}
		s.main.handles(syscall.SIGTERM, func(p *life) {
			s.mu.Lock()
			s.listed = jump
			s.mu.Unlock()
			p.exits(0)
		})
		return true
	}, func(s *scene) {
		s.clean()
		if s.tells() {
			s.gone()
		}
	})
}

// A group in which only zombies are left has nobody to stop, also where it cannot be signalled.
func TestFakeGroupOfZombies(t *testing.T) {
	onEach(t, func(p *life) {
		p.spawn("sid", "parent", func(q *life) {
			q.lazy = true
			q.handles(syscall.SIGTERM, after(time.Second, 0))
			z := q.spawn("plain", "zombie", nil)
			p.f.mu.Lock()
			z.pgid = p.pid
			p.f.mu.Unlock()
			p.handles(syscall.SIGTERM, func(p *life) { z.exits(0); p.exits(0) })
		})
	}, nil, func(s *scene) {
		if s.finds == "group" && !s.groups { // it cannot be told
			if s.took > fakeGrace+zombiesWithin+time.Second {
				s.Errorf("the stop took %v", s.took)
			}
			return
		}
		s.clean()
		for _, r := range s.p.Relatives() {
			if r.OutOfReach || r.Killed {
				s.Errorf("in the report is %v", r)
			}
		}
	})
}

// Another user's process is out of reach, and said so; where it is not even shown, too.
func TestFakeOutOfReach(t *testing.T) {
	onEach(t, func(p *life) {
		p.spawn("plain", "other", func(q *life) { q.uid = 1 })
		p.spawn("sid", "far", func(q *life) { q.uid = 1 })
	}, nil, func(s *scene) {
		if s.hides && s.finds == "group" {
			return
		}
		family := errorAs[*FamilyError](s.T, s.err)
		for _, r := range family.Rest {
			if !r.OutOfReach || r.Killed {
				s.Errorf("in the report is %v", r)
			}
		}
		s.gone("other", "far")
		if s.took > time.Second {
			s.Errorf("the stop took %v", s.took)
		}
	})
}

// The number of a main process that has been reaped, and of whose family nothing is left, may be that of another child.
func TestFakeNumberIsUsedAgain(t *testing.T) {
	s := systems[slices.IndexFunc(systems, func(s behaviour) bool { return s.finds == "reaper" })]
	synctest.Test(t, func(t *testing.T) {
		f := newFake(s)
		r := newRegistry(f)
		if !r.adoptOrphans() {
			t.Error("it did not become a reaper")
		}
		family := r.newFamily(KillFamily)
		f.programs["/a"] = func(p *life) { p.exits(0) }
		h, err := f.fork("/a", nil, &syscall.ProcAttr{Sys: new(syscall.SysProcAttr)}, false)
		noError(t, err)
		family.join(h.pid)
		if !h.over() {
			t.Error("it has not ended")
		}
		family.setReaped()
		f.mu.Lock()
		f.last = h.pid - 1
		f.mu.Unlock()
		f.programs["/b"] = func(p *life) { p.spawn("sid", "stranger", nil) }
		again, err := f.fork("/b", nil, &syscall.ProcAttr{Sys: new(syscall.SysProcAttr)}, false)
		noError(t, err)
		if again.pid != h.pid {
			t.Fatalf("the number is %d, want %d", again.pid, h.pid)
		}
		if list := family.others(false); len(list) > 0 {
			t.Errorf("another child's are listed: %v", list)
		}
		if err := h.signal(syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("a signal to what has ended returned %v", err)
		}
		if strings.Contains(strings.Join(f.words(), " "), "KILL") {
			t.Error("another child was killed")
		}
		endSweeping(r)
	})
}

// A process named with MAINPID is found also where the stop reaches the main process alone: then this process would be no reaper, and
// the list that it reads that of init.
func TestFakeMainPID(t *testing.T) {
	for _, s := range systems {
		if s.finds == "group" || s.finds == "proc" && (fakeProc == nil || !s.pidfd) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			f := newFake(s)
			f.init.spawn("sid", "stranger", nil)
			r := newRegistry(f)
			var next *life
			f.programs["/main"] = func(p *life) { next = p.spawn("sid", "next", nil) }
			ctx, cancel := context.WithCancel(t.Context())
			p := &Process{Command: []string{"/main"}, InheritFiles: true, Kill: KillProcess, Notify: true, on: r}
			c, err := p.begin(ctx, nil)
			noError(t, err)
			c.follow(next.pid)
			if p.PID() != next.pid {
				t.Errorf("%s: the main process is %d, want %d", s.title, p.PID(), next.pid)
			}
			cancel()
			next.handles(syscall.SIGTERM, after(time.Second, 0))
			c.watch, c.endWatch, c.told = ctx, func() {}, true // its socket is not served, which would halt the time of this bubble
			_ = c.end(nil)
			if exit, _ := p.Exit(); exit.PID != next.pid {
				t.Errorf("%s: %+v ended, want %d", s.title, exit, next.pid)
			}
			c.close()
			endSweeping(r)
		})
	}
}
