package lastcall

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"time"
)

// repeatWindow is the time in which repeats of a stop signal count once: a terminal and a wrapper often both deliver
// the same Ctrl-C.
const repeatWindow = 100 * time.Millisecond

// lastResortAfter is how long [Main] waits after the third signal for everything to come to its end by itself.
const lastResortAfter = time.Second

// A RunOption says how [Run] and [Main] treat signals.
type RunOption func(*control)

// OnReload makes SIGHUP call fn, on a goroutine of its own, with a context that ends at the soft stop. Signals that
// come while it runs are one more call after it. Its error is told to the listeners ([EventReload]) and stops nothing.
// Without OnReload, and where the program's controlling terminal has hung up, SIGHUP is a soft stop; see [Run].
func OnReload(fn func(context.Context) error) RunOption {
	return func(c *control) { c.reload = fn }
}

// FromSignals reads signals from ch in place of the process's, which are left alone: for tests, which with it run in a
// testing/synctest bubble, and for programs that are told to stop by other means.
func FromSignals(ch <-chan os.Signal) RunOption {
	return func(c *control) { c.injected = ch }
}

// Run runs w under the process's signals, which are armed before w starts and put back as they were when Run returns.
//
//   - The first SIGTERM or SIGINT is the soft stop, after the lame-duck delay of w if it is a [Group] that has one;
//     SIGINT skips the delay. So is the end of ctx.
//   - SIGHUP calls the function of [OnReload]. Where there is none, or where the controlling terminal that the program
//     had at its start has hung up, it is a soft stop, as SIGTERM is, so that closing a terminal loses nothing. It
//     never makes a stop harder.
//   - The second is the hard stop: work in flight is cut. It is still bounded, and everything is still told in order.
//   - After the third, Run returns at once with a [ForcedError]; workers may still be running.
//   - Repeats within 100 ms count once.
//   - A SIGINT or SIGHUP that was ignored when the program started, by nohup or for a shell's background job, stays
//     ignored. (That SIGTERM was, the Go runtime does not tell.)
//   - SIGQUIT keeps Go's meaning. SIGUSR1, and SIGINFO on the BSDs and macOS, write the live
//     report. SIGPIPE is an error of the write and not the end of the program: who reads a daemon's output may go away.
//
// A w that is not a Group runs as the worker "main" of one. The error is that of [Group.Run]; a reload, or the writing
// of a live report, that has not come to its end HardStop after w did is [ErrAbandoned] as well. Run never exits;
// that is [Main]'s.
func Run(ctx context.Context, w Worker, opts ...RunOption) error {
	c := arm(opts)
	defer c.close()
	return c.run(ctx, w)
}

// A control stops a group on signals. The group finds it in the context that Run gives it.
type control struct {
	listeners   []func(Event)
	reload      func(context.Context) error
	reportTo    io.Writer
	reportWidth func() int // of the terminal that the report is written to; nil: it is none
	interactive *bool      // nil: where standard error is a terminal
	left        []error    // reloads and reports that were given up
	injected    <-chan os.Signal
	lastResort  func(error) // ends the program where Run cannot return after the third signal; may be nil

	terminal bool // the program had a controlling terminal when the signals were armed

	source source
	group  *Group
	asked  chan request  // what the stop signals have asked of the group, at most one of each
	force  chan struct{} // closed at the third stop signal

	reloadContext context.Context // ends at the group's soft stop
	endReload     context.CancelCauseFunc
	reloading     coalescer
	reporting     coalescer

	third     os.Signal // set before force is closed
	closed    chan struct{}
	listening sync.WaitGroup
}

// A request is a stop that a signal asks for.
type request struct {
	how   escalation
	cause *StopCause
}

// escalation is how a group is to stop: each stop signal asks for the next.
type escalation uint8

const (
	toSoft escalation = iota
	toHard
	toForce
)

// arm makes a control and arms the signals. What comes before run waits there.
func arm(opts []RunOption) *control {
	c := &control{group: new(Group), asked: make(chan request, 3), force: make(chan struct{}), closed: make(chan struct{}), reportTo: os.Stderr}
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	c.terminal = openTerminal() == nil
	c.source = c.armed()
	return c
}

// run runs w until it has ended, and what signals started besides. The signals stay armed.
func (c *control) run(ctx context.Context, w Worker) error {
	g, ok := w.(*Group)
	switch {
	case ctx == nil:
		return &ConfigError{Problems: []string{"Run with a nil context"}}
	case isNil(w):
		return &ConfigError{Problems: []string{"Run of a nil worker"}}
	case ok:
		c.group = g
	default:
		c.group.Add("main", w)
	}
	c.reloadContext, c.endReload = context.WithCancelCause(context.WithoutCancel(ctx))
	c.reloading = coalescer{name: "reload", do: c.reloadOnce}
	c.reporting = coalescer{name: "live report", do: func() { fmt.Fprint(c.reportTo, c.drawn(c.group.Report())) }}
	c.listening.Go(c.listen)
	err := c.group.runUnder(ctx, c)
	c.endReload(&StopCause{Reason: StopCompleted})
	if c.left = c.awaitCoalescers(); len(c.left) > 0 {
		err = joinErrors(append(errorsIn(err), c.left...))
	}
	if c.forced() {
		err = &ForcedError{Signal: c.third, Err: err}
	}
	return err
}

// awaitCoalescers waits for the coalescers, as long as for a worker after its hard stop, and returns those that it gave up.
func (c *control) awaitCoalescers() (left []error) {
	limit := c.group.HardStop
	orDefault(&limit, DefaultHardStop)
	patience, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for _, e := range []*coalescer{&c.reloading, &c.reporting} {
		select {
		case <-e.end():
		case <-c.force:
		case <-patience.Done():
			left = append(left, &WorkerError{Kind: ErrAbandoned, Name: e.name, Took: c.sinceStop()})
		}
	}
	return left
}

// sinceStop is the time since the group's soft stop, or since its end where there was none.
func (c *control) sinceStop() time.Duration {
	r := c.group.current()
	if r == nil {
		return 0
	}
	r.lock()
	defer r.unlock()
	return time.Duration(r.now() - cmp.Or(r.stopAt, r.endedAt))
}

// close puts the signals back as they were, and waits until nothing of the control is left.
func (c *control) close() {
	close(c.closed)
	c.source.stop()
	c.listening.Wait()
}

// forced reports whether the third stop signal has come.
func (c *control) forced() bool {
	select {
	case <-c.force:
		return true
	default:
		return false
	}
}

// source is where signals come from: a channel each for those that ask for a stop, for a report and for a reload, so
// that a flood of one kind cannot crowd out another.
type source struct {
	stopping, report, reload <-chan os.Signal
	stop                     func()
}

// armed arms the process's signals, or takes the injected ones.
func (c *control) armed() source {
	if c.injected != nil {
		return source{c.injected, nil, nil, func() {}}
	}
	var channels []chan os.Signal
	notify := func(signals ...os.Signal) <-chan os.Signal {
		ch := make(chan os.Signal, 8)
		for _, sig := range signals {
			if !signal.Ignored(sig) {
				signal.Notify(ch, sig)
			}
		}
		channels = append(channels, ch)
		return ch
	}
	s := source{stopping: notify(stopSignals...), report: notify(reportSignals...), reload: notify(reloadSignals...)}
	notify(errorSignals...) // nobody reads them: that they are caught is what counts
	s.stop = func() {
		for _, ch := range channels {
			signal.Stop(ch)
		}
	}
	return s
}

// listen acts on signals until the control is closed. It calls nothing that may block: whatever the program is busy
// with, the next signal counts.
func (c *control) listen() {
	var stops escalation // so many have been asked for
	var last time.Time
	for {
		var sig os.Signal
		select {
		case <-c.closed:
			return
		case sig = <-c.source.stopping:
		case sig = <-c.source.report:
		case sig = <-c.source.reload:
		}
		hangup := isOneOf(sig, reloadSignals)
		switch {
		case sig == nil: // the injected channel was closed
			<-c.closed
			return
		case hangup && c.reload != nil && !(c.terminal && hungUp(openTerminal())):
			c.reloading.ask()
		case hangup && stops > 0: // both the kernel and a shell send it, and init systems after SIGTERM
		case isOneOf(sig, reportSignals):
			c.reporting.ask()
		case hangup || isOneOf(sig, stopSignals):
			now := time.Now()
			if stops > 0 && now.Sub(last) < repeatWindow {
				continue
			}
			last = now
			if stops == toForce {
				c.endWith(sig)
			}
			if stops <= toForce {
				c.asked <- request{stops, &StopCause{Hard: stops > toSoft, Reason: StopSignal, Signal: sig}}
				stops++
			}
		}
	}
}

// endWith forces the end: nothing waits any longer.
func (c *control) endWith(sig os.Signal) {
	c.third = sig
	close(c.force)
	if c.lastResort != nil {
		time.AfterFunc(lastResortAfter, func() { c.lastResort(&ForcedError{Signal: sig}) })
	}
}

// reloadOnce calls the reload function and tells the listeners. A panic is contained: the old configuration goes on.
func (c *control) reloadOnce() {
	if c.reloadContext.Err() != nil {
		return
	}
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		if err != nil {
			err = errorLater("reload: %w", err)
		}
		if r := c.group.current(); r != nil {
			r.lock()
			r.emitGroup(Event{Kind: EventReload, State: r.state(), Err: err})
			r.unlock()
		}
	}()
	err = c.reload(c.reloadContext)
}

func isOneOf(sig os.Signal, list []os.Signal) bool {
	for _, s := range list {
		if s == sig {
			return true
		}
	}
	return false
}

// signalName is the name that people know: SIGTERM rather than "terminated".
func signalName(sig os.Signal) string {
	if sig == nil {
		return "no signal"
	}
	for name, s := range signalNames {
		if s == sig {
			return name
		}
	}
	return sig.String()
}
