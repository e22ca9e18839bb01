package lastcall

import (
	"context"
	"errors"
	"sync"
	"time"
)

// DefaultGrace is the default grace period of a group. With DefaultHardStop it stays below the 30 s after which
// Kubernetes and others kill.
const DefaultGrace = 25 * time.Second

// DefaultHardStop is how long a group waits after the hard stop by default.
const DefaultHardStop = 3 * time.Second

// A Group is a set of workers that live and stop together. The zero value is ready to use. A Group is a Worker, so
// groups nest. Its fields are set before Run and not changed afterwards.
//
// Workers start in dependency order, each when the workers that it comes [After] are ready, and stop in reverse, each
// when everything that depends on it has returned; independent workers start and stop together.
type Group struct {
	// Grace is the time for the whole stop, from the signal, or the end of Run's context, to the hard stop; LameDuck is
	// part of it. 0 means DefaultGrace, and in a nested group all that the group around it has left. With L depths of
	// dependencies, each depth after the first keeps a reserve of 1/2L of the time after the lame duck, whatever those
	// before it do; unspent time rolls on.
	Grace time.Duration
	// HardStop is the time from the hard stop until workers are abandoned; 0 means DefaultHardStop. So a stop takes at
	// most Grace + HardStop: then Run returns, whatever state the workers are in, and the report says which still run.
	HardStop time.Duration
	// LameDuck is the time from the signal, or the end of Run's context, to the soft stop: the workers keep serving,
	// but the group is no longer ready. SIGINT skips it, and so does a group that has not been ready yet; 0 means none.
	// It must be less than Grace.
	LameDuck time.Duration
	// Observe, if set, is called with every [Event] of this group and of the groups in it.
	Observe func(Event)
	// NoLabels leaves out the goroutine labels, which cost about 100 bytes a worker. Without them the goroutines that a
	// worker started are unknown: the report has no stacks of abandoned workers and no leaks.
	NoLabels bool
	// KeptGoroutines names functions that keep goroutines on purpose, such as "example.com/pool.(*Pool).sweep": a
	// goroutine with such a function on its stack is not a leak. Only the list of the outermost group counts. These
	// functions, of idle connections of net/http's clients and of os/signal, are always included:
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

// Add adds a worker to the group. Before Run it only records the worker: Run reports what is wrong, for all workers at
// once, before anything starts. While the group runs, the worker starts as soon as the workers that it comes [After]
// are ready; if it cannot be added, the error is an [EventRejected], in [Report].Problems, and in the error of Run, and
// the group runs on. Once the group is stopping, nothing is added; that is an EventRejected and no failure of the
// group.
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

// ofWorker returns the options of a worker, which may say by itself when it is ready.
func (o *options) ofWorker(w Worker) *options {
	self, ok := w.(selfReadier)
	if !ok || isNil(w) || o.selfReady {
		return o
	}
	withReady := *o
	AwaitReady(self.ReadyWithin())(&withReady)
	return &withReady
}

// ReadyWithin makes a Group in another one ready when all its workers are, without a limit of its own; see [AwaitReady].
func (g *Group) ReadyWithin() time.Duration { return 0 }

// Run starts the workers and returns when all have returned or were abandoned: after ctx ends, a worker fails, an
// essential one returns, or all are done. It does not handle signals; the function [Run] does.
//
// It returns nil if the group stopped well, including a stop because ctx ended. Otherwise the error holds everything
// that went wrong: a [ConfigError] if nothing could be started, and a [WorkerError] for each worker that failed, was
// cut or was abandoned, in the order in which that happened. Several errors are joined into one with the method
// Unwrap() []error.
//
// Run may be called once. The group around a nested one may run it again, by its restart policy.
func (g *Group) Run(ctx context.Context) error { return g.runUnder(ctx, nil) }

// runUnder is Run with the signals of a control, if there is one.
func (g *Group) runUnder(ctx context.Context, c *control) error {
	if g == nil {
		return &ConfigError{Problems: []string{"Run of a nil group"}}
	}
	if ctx == nil {
		return &ConfigError{Problems: []string{"Run with a nil context"}}
	}
	r, err := g.begin(ctx, c)
	if err != nil {
		return err
	}
	return r.main()
}

// begin creates the run, or returns why it cannot.
func (g *Group) begin(ctx context.Context, c *control) (*run, error) {
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
	prefix := ""
	if parent != nil { // the group around it has checked, but workers may have been added since
		prefix = parent.m.path() + "/"
	}
	if problems := g.check(g.specs, nil, prefix); len(problems) > 0 {
		return nil, &ConfigError{Problems: problems}
	}
	g.run = newRun(ctx, g, parent, c)
	g.specs = nil
	return g.run, nil
}

// Ready returns nil when every worker is ready; otherwise the error names the workers that are not, or says that the
// group is in its lame-duck delay, stopping or stopped. It is meant for a readiness probe.
func (g *Group) Ready() error {
	r := g.current()
	if r == nil {
		return errors.New("lastcall: not started")
	}
	return r.unreadyError()
}

// Report returns what is known of the group's run at the moment; before Run the zero Report.
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
