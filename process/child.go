//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/identity"
)

// child is one run of a Process. Unless it says otherwise, a field belongs to the goroutine that called Run.
type child struct {
	p    *Process
	ctx  context.Context
	hard <-chan struct{} // the hard stop; nil outside a group

	mu        sync.Mutex    // for main and spoken, which others ask for
	main      *handle       // the main process, which MAINPID may change
	first     *handle       // the one that was started, which leads the group
	exited    chan struct{} // main has ended
	sayExited func()        // closes it
	spoken    spoken        // likewise
	pgid      int           // the group of its own that first leads; 0 if it has none
	reaped    bool          // first has been; mu
	dead      bool          // main has ended, and nothing takes its place any more; mu
	cutOff    []descendant  // members that were killed with the family at one time; mu
	killedAt  time.Time     // when the group of first was; mu
	sid       int           // its session

	family    *family
	notify    *notifySocket // nil if it has none
	readyPipe *os.File      // likewise
	outputs   []*output

	becameReady chan error            // has nil, or why it cannot; is nil if it is ready as soon as its program runs
	sick        chan error            // is nil without a check
	lastLook    atomic.Pointer[error] // of the probe for readiness
	watch       context.Context       // of the goroutines that look whether it is ready or alive
	endWatch    context.CancelFunc    // ends it
	ready       bool
	startBy     deadline  // none without a limit, and once it is ready
	startLimit  time.Time // to which it may be extended
	beatBy      deadline  // none without a watchdog, and before it is ready
	watchdog    time.Duration

	told     bool // ctx has ended
	stop     stop
	controls controls
}

// Run starts the program, and returns when it and its family have ended. At the end of ctx it begins the soft stop; at
// the end of lastcall.Grace(ctx) the family is killed.
//
// It returns nil if the main process exited with a clean code, or died of a signal of the stop. Otherwise a
// [StartError], [ExitError], [ReadyError], [SickError] or [FamilyError]; ctx.Err() if ctx had ended before the start.
func (p *Process) Run(ctx context.Context) error {
	if p.of != nil {
		return p.runControl(ctx)
	}
	return p.run(ctx, nil)
}

// run is Run; hard, if set, tells of the hard stop in place of the group.
func (p *Process) run(ctx context.Context, hard <-chan struct{}) error {
	c, err := p.begin(ctx, hard)
	if err != nil {
		return err
	}
	defer c.tellPID()
	defer p.current.Store(nil)
	defer system(c.close)
	return c.end(c.live())
}

// tellPID tells the group which process its worker runs. A control process is none that the worker is there for.
func (c *child) tellPID() {
	if c.p.of == nil {
		identity.SetPID(c.ctx, c.p.PID())
	}
}

// begin starts the program. While a child lives, its goroutine is in Run and live, whose frames are small so that its stack is,
// too: what they do besides waiting is done in functions of its own.
func (p *Process) begin(ctx context.Context, hard <-chan struct{}) (*child, error) {
	if err := p.problems(); err != nil {
		return nil, lastcall.Permanent(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &child{p: p, ctx: ctx, hard: hard, family: p.registry().newFamily(p.Kill)}
	if grace := lastcall.Grace(ctx); hard == nil && grace != ctx {
		c.hard = grace.Done()
	}
	if p.Ready.ways() > 0 {
		c.becameReady = make(chan error, 1)
	}
	if p.Alive.ways() > 0 {
		c.sick = make(chan error, 1)
	}
	if !p.current.CompareAndSwap(nil, c) {
		return nil, fmt.Errorf("%s: Run was called while it runs", p.name())
	}
	if p.prepared() {
		select {
		case trampolines <- struct{}{}:
		case <-ctx.Done():
			p.current.Store(nil)
			return nil, ctx.Err()
		}
	}
	var err error
	system(func() {
		if err = ctx.Err(); err == nil { // it may have waited for others that start
			err = c.start()
		}
	})
	if p.prepared() {
		<-trampolines
	}
	if err != nil {
		p.current.Store(nil)
		return nil, err
	}
	c.tellPID()
	return c, nil
}

// live watches the child until it ends, fails (the error says how) or is to stop.
func (c *child) live() error {
	c.beginWatch()
	return c.wait()
}

func (c *child) wait() error {
	for {
		select {
		case <-c.ctx.Done():
			c.told = true
			return nil
		case <-c.exited:
			if c.hearRest(); c.hasExited() {
				return nil
			}
		case err := <-c.becameReady:
			if err != nil {
				return c.cannotBeReady(err)
			}
			c.setReady()
		case <-c.startBy.passing():
			if over, err := c.missed(&c.startBy, c.late); over {
				return err
			}
		case <-c.notes():
			if err := c.heedAll(c.notify.take()); err != nil {
				return err
			}
		case <-c.beatBy.passing():
			if over, err := c.missed(&c.beatBy, c.noBeat); over {
				return err
			}
		case err := <-c.sick:
			return c.isSick(err)
		}
	}
}

// beginWatch begins what live waits for.
func (c *child) beginWatch() {
	p := c.p
	c.watch, c.endWatch = c.ctx, func() {}
	if p.Ready.ways() > 0 || p.Alive.ways() > 0 {
		c.watch, c.endWatch = context.WithCancel(c.ctx)
	}
	if p.Ready.Within > 0 {
		c.startBy.set(p.Ready.Within)
		c.startLimit = time.Now().Add(p.Ready.Within + p.extend())
	}
	if c.notify != nil {
		c.notify.begin()
	}
	if p.Ready.ways() == 0 {
		c.setReady()
		return
	}
	c.watchReady(c.watch)
}

// notes tells of something to heed; it is nil if the child has no NOTIFY_SOCKET.
func (c *child) notes() <-chan struct{} {
	if c.notify == nil {
		return nil
	}
	return c.notify.some
}

func (c *child) heedAll(list []note) error {
	for _, n := range list {
		if err := c.obey(n); err != nil {
			return err
		}
	}
	return nil
}

// hearAll heeds all that has been sent by now.
func (c *child) hearAll() error {
	if c.notify == nil {
		return nil
	}
	return c.heedAll(c.notify.drain())
}

// late is how a child fails that was not ready in time.
func (c *child) late() error {
	e := &ReadyError{Name: c.p.name(), Within: c.p.Ready.Within}
	if last := c.lastLook.Load(); last != nil {
		e.Err = *last
	} else if c.p.Ready.Notify {
		e.Err = c.notify.refusal()
	}
	return e
}

func (c *child) noBeat() error { return c.isSick(fmt.Errorf("no WATCHDOG=1 for %v", c.watchdog)) }

func (c *child) isSick(err error) error { return &SickError{c.p.name(), err} }

// cannotBeReady is nil if the reason for err is that the child has just ended, which its status explains better.
func (c *child) cannotBeReady(err error) error {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-c.exited:
		return nil
	case <-timer.C:
	}
	if c.hasExited() || c.main.over() {
		return nil
	}
	return &ReadyError{Name: c.p.name(), Err: err}
}

// setReady is the end of the start.
func (c *child) setReady() {
	if c.ready {
		return
	}
	c.ready = true
	c.startBy.off()
	if c.p.watched() {
		c.watchdog = c.p.Watchdog
		c.beatBy.set(c.watchdog)
	}
	lastcall.Ready(c.ctx)
	c.watchAlive(c.watch)
}

// obey does what a note says. It returns an error if the child says that it is sick.
func (c *child) obey(n note) error {
	c.hear(&n)
	if n.status != nil {
		lastcall.Status(c.ctx, *n.status)
	}
	if n.mainPID != 0 {
		c.follow(n.mainPID)
	}
	if n.reloading {
		lastcall.Unready(c.ctx, "reloading")
	}
	if n.stopping {
		lastcall.Unready(c.ctx, "it says that it is stopping")
	}
	if n.ready {
		if c.ready {
			lastcall.Ready(c.ctx) // the end of a reload
		} else if c.p.Ready.Notify {
			c.tellReady(nil)
		}
	}
	if n.extend > 0 {
		c.extend(time.Now().Add(n.extend))
	}
	if n.watchdog > 0 && c.beatBy.is() {
		c.watchdog = n.watchdog
		c.beatBy.set(c.watchdog)
	}
	if n.beat && c.beatBy.is() {
		c.beatBy.set(c.watchdog)
	}
	if n.trigger && c.p.watched() {
		return &SickError{c.p.name(), errors.New("it sent WATCHDOG=trigger")}
	}
	return nil
}

// hearRest heeds the notes that were sent before the main process ended; one may name its successor.
func (c *child) hearRest() { _ = c.hearAll() }

// extend moves the limit of the start or the stop to at, as far as it may be.
func (c *child) extend(at time.Time) {
	if !c.ready && c.startBy.is() {
		if c.startLimit.Before(at) {
			at = c.startLimit
		}
		c.startBy.set(time.Until(at))
	}
	c.stop.extend(at)
}

// close gives back everything but the outputs, which end by themselves.
func (c *child) close() {
	if c.endWatch != nil {
		c.endWatch()
	}
	c.startBy.off()
	c.beatBy.off()
	if c.notify != nil {
		c.notify.close()
	}
	if c.readyPipe != nil {
		c.readyPipe.Close()
	}
	c.mu.Lock()
	main := c.main
	c.main = nil
	c.mu.Unlock()
	c.hear(nil)
	if c.first != nil && c.first != main {
		c.first.close()
	}
	defer c.leaveGroup()
	if main != nil {
		c.family.leave()
		main.close()
		return
	}
	for _, o := range c.outputs { // it was not started
		o.r.Close()
	}
}
