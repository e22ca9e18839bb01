package lastcall

import (
	"context"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
)

// A member is a worker in a run. There may be millions: what only some have is in extra.
type member struct {
	name string
	w    Worker

	// What the stop of very many workers touches stands together.
	//
	// The state and its times, in the run's time, 0 for not yet. When the layer stops and nobody looks on, a worker's own
	// goroutine records its end with one compare-and-swap; every other change is made with the run locked.
	layer   *layer
	first   scope // the first start's; a restart makes another
	state   atomic.Uint32
	plain   bool // no options that matter then: nothing but the state changes when it starts and ends
	self    bool // it says when it is ready
	ended   atomic.Int64
	started atomic.Int64
	readied atomic.Int64

	extra *extra // nil where there is nothing to know; guarded by run.mu
}

// extra is what is known of some workers. Guarded by run.mu.
type extra struct {
	opt         *options
	scope       *scope // the present start, if it is not the first
	restarts    restarts
	err         error
	ends        []error   // what the group's error has of it, if it is optional
	startBy     *deadline // until when it must be ready
	late        bool      // it was not, and that is a failure of the group
	unready     string
	status      string
	inFlight    int // at the soft stop
	interrupted int
	stacks      string
	drained     chan struct{}
}

func (m *member) init(l *layer, s spec) {
	m.name, m.w, m.layer = s.name, s.w, l
	m.self = s.opt.selfReady
	m.plain = !s.opt.ownLayer() && !s.opt.essential
	m.first.m = m
	if s.opt != noOptions {
		m.extra = &extra{opt: s.opt}
	}
}

func (m *member) run() *run     { return m.layer.run }
func (m *member) path() string  { return m.layer.run.prefix + m.name }
func (m *member) is() State     { return State(m.state.Load()) }
func (m *member) enter(s State) { m.state.Store(uint32(s)) }
func (m *member) live() bool    { return !m.is().Ended() }
func (m *member) running() bool { s := m.is(); return s >= StateStarting && s <= StateCut }
func (m *member) options() *options {
	if m.extra == nil || m.extra.opt == nil {
		return noOptions
	}
	return m.extra.opt
}

// more is the member's extra, made if need be.
func (m *member) more() *extra {
	if m.extra == nil {
		m.extra = new(extra)
	}
	return m.extra
}

// present is the scope of the present start.
func (m *member) present() *scope {
	if m.extra != nil && m.extra.scope != nil {
		return m.extra.scope
	}
	return &m.first
}

// swap enters the state to if the member is in from.
func (m *member) swap(from, to State) bool {
	return m.state.CompareAndSwap(uint32(from), uint32(to))
}

// counts is what a layer waits for. The two atomic ones are counted down by the workers' own goroutines.
type counts struct {
	unready     atomic.Int64 // workers that have not been ready in the present start
	live        atomic.Int64 // workers that have not ended for good
	unreadyDeps int          // layers below that are not ready
	users       int          // layers above that are not over
}

func (c *counts) init(n int) {
	c.unready.Store(int64(n))
	c.live.Store(int64(n))
}

// main is the goroutine of one start of a worker. Its frames are small: with the worker's own, they should fit in the
// 2 KiB stack that a goroutine starts with.
func (s *scope) main(labels context.Context) {
	var end outcome
	defer s.finish(&end)
	if labels != nil {
		pprof.SetGoroutineLabels(labels)
	}
	s.m.run().entered(s)
	end.err = s.m.w.Run(s)
	end.returned = true
}

// outcome is how a worker's function ended.
type outcome struct {
	err      error
	returned bool
}

// finish is deferred, so that it runs also after a panic and runtime.Goexit. The labels go before the end is known, so
// that a goroutine which is about to exit is not taken for a leak.
func (s *scope) finish(end *outcome) {
	if !end.returned {
		end.err = ErrGoexit
		if v := recover(); v != nil {
			end.err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		s.m.run().broke(s, end.err)
	}
	s.drain()
	if s.m.run().labels {
		pprof.SetGoroutineLabels(context.Background())
	}
	s.m.run().returned(s, end.err)
}
