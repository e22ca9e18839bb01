package lastcall

import (
	"context"
	"errors"
	"sync"
	"time"
)

// DefaultGrace is the grace period of a group that does not say otherwise. With DefaultHardStop it stays below the 30 s
// after which Kubernetes and others kill.
const DefaultGrace = 25 * time.Second

// DefaultHardStop is how long a group that does not say otherwise waits after the hard stop.
const DefaultHardStop = 3 * time.Second

// A Group is workers that live and stop together. The zero value is useful. A Group is a Worker, so groups nest.
// Its fields are set before Run and not changed after.
//
// Workers start in dependency order, each when what it is [After] is ready, and stop in reverse, each when everything
// that depends on it has returned; what is independent starts and stops together.
type Group struct {
	// Grace is the time for the whole stop, from the signal, or the end of Run's context, to the hard stop; LameDuck is part of
	// it. 0 means DefaultGrace, and in a nested group all that the group around it has left. With L depths of dependencies, each
	// depth after the first keeps a reserve of 1/2L of what the lame duck leaves, whatever those before do; time that is not
	// spent rolls on.
	Grace time.Duration
	// HardStop is the time from hard stop to abandon; 0 means DefaultHardStop. So a stop takes at most Grace + HardStop: then Run
	// returns whatever state anything is in, and the report says what was left.
	HardStop time.Duration
	// LameDuck is the time from the signal, or the end of Run's context, to the soft stop: the workers serve on, and the group is
	// no longer ready. SIGINT skips it, and so does a group that has not been ready yet; 0 means none. It must be less than
	// Grace.
	LameDuck time.Duration
	// Observe, if set, is called with every [Event] of this group and of the groups in it.
	Observe func(Event)
	// NoLabels leaves out the goroutine labels, which cost some 100 bytes a worker. Without them nothing can tell which
	// goroutines a worker started: no stacks of abandoned workers, no leaks.
	NoLabels bool
	// KeptGoroutines names functions that keep goroutines on purpose, such as "example.com/pool.(*Pool).sweep": one that has
	// such a function on its stack is no leak. The list of the outermost group counts, in addition to the functions that serve the
	// idle connections of net/http's clients, and os/signal's:
	//
	//	net/http.(*persistConn).readLoop
	//	net/http.(*persistConn).writeLoop
	//	net/http.(*http2ClientConn).readLoop
	//	os/signal.loop
	KeptGoroutines []string

	mu    sync.Mutex // before run.mu, and a group's before that of a group in it
	specs []spec     // what was added before Run
	run   *run       // nil before Run
}

// Go is Add for a function.
func (g *Group) Go(name string, fn Func, opts ...Option) { g.Add(name, fn, opts...) }

// Add puts a worker into the group. Before Run it only records it: what is wrong with it is told by Run, for all workers
// at once, before anything starts. While the group runs, the worker starts as soon as what it is [After] is ready; if it
// cannot be added, the error is an [EventRejected], in [Report].Problems, and in what Run returns in the end, and the
// group runs on. Once the group is stopping, nothing is added; that is an EventRejected and no failure of the group.
func (g *Group) Add(name string, w Worker, opts ...Option) {
	g.add(newSpec(name, w, opts))
}

func (g *Group) add(s spec) {
	g.mu.Lock()
	r := g.run
	if r == nil {
		g.specs = append(g.specs, s)
	}
	g.mu.Unlock()
	if r != nil {
		r.add(s)
	}
}

var noOptions = new(options)

func newSpec(name string, w Worker, opts []Option) spec {
	s := spec{name: name, w: w, opt: noOptions}
	if len(opts) > 0 {
		s.opt = newOptions(opts)
	}
	s.opt = s.opt.ofWorker(w)
	return s
}

func newOptions(opts []Option) *options {
	o := new(options)
	for _, opt := range opts {
		if opt == nil {
			o.problem("nil option")
			continue
		}
		opt(o)
	}
	return o
}

// ofWorker are the options of a worker, which may say by itself when it is ready.
func (o *options) ofWorker(w Worker) *options {
	self, ok := w.(SelfReadier)
	if !ok || isNil(w) || o.selfReady {
		return o
	}
	withReady := *o
	AwaitReady(self.ReadyWithin())(&withReady)
	return &withReady
}

// ReadyWithin makes a Group a [SelfReadier]: it is ready when all its workers are, without a limit of its own.
func (g *Group) ReadyWithin() time.Duration { return 0 }

// Run starts the workers and returns when all have returned or were abandoned: after ctx ends, a worker fails, an
// essential one returns, or all are done. It knows nothing of signals, see the function [Run].
//
// It returns nil if the group stopped well, also because ctx ended. Otherwise the error holds everything that went
// wrong: a [ConfigError] if nothing could be started, and a [WorkerError] for each worker that failed, was cut or
// was abandoned, in the order in which that happened. Several errors are one that has the method Unwrap() []error.
//
// Run may be called once. The group around a nested one may run it again, by its restart policy.
func (g *Group) Run(ctx context.Context) error {
	if g == nil {
		return &ConfigError{Problems: []string{"Run of a nil group"}}
	}
	if ctx == nil {
		return &ConfigError{Problems: []string{"Run with a nil context"}}
	}
	r, err := g.begin(ctx)
	if err != nil {
		return err
	}
	return r.main()
}

// begin makes the run, or says why there can be none.
func (g *Group) begin(ctx context.Context) (*run, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	parent := attemptOf(ctx)
	if old := g.run; old != nil {
		if !old.renewable(parent) {
			problems := []string{"Run called twice on a group" + old.named()}
			return nil, &ConfigError{Problems: append(problems, old.rejected()...)}
		}
		g.specs = old.specs()
		g.run = nil
	}
	g.specs = withBesides(g.specs)
	prefix := ""
	if parent != nil { // the group around it has checked, but workers may have been added since
		prefix = parent.m.path() + "/"
	}
	if problems := g.check(g.specs, nil, prefix); len(problems) > 0 {
		return nil, &ConfigError{Problems: problems}
	}
	g.run = newRun(ctx, g, parent)
	g.specs = nil
	return g.run, nil
}

// Ready is nil when every worker is ready; otherwise the error says who is not, or that the group is leaving: in its
// lame-duck delay, stopping or stopped. It is meant for a readiness probe.
func (g *Group) Ready() error {
	r := g.current()
	if r == nil {
		return errors.New("lastcall: not started")
	}
	return r.unreadyError()
}

// Report is what is known of the group's run at the moment; the zero Report before Run.
func (g *Group) Report() Report {
	r := g.current()
	if r == nil {
		return Report{Taken: time.Now()}
	}
	return r.report()
}

// current is the group's run, nil before the first.
func (g *Group) current() *run {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.run
}
