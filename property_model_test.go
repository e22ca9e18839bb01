package lastcall_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A plan is one case of the property test: a tree of groups, what its workers do, and what happens to it from outside.
// It prints as the Go-like program that it stands for.
type plan struct {
	Root    *groupPlan
	Adds    []addPlan     // while it runs
	Signals []signalPlan  // none: Group.Run; some: Run with these
	Cancel  time.Duration // when Run's context ends
	Probe   time.Duration // when somebody looks at Ready and Report
	Observe bool          // without a listener other code runs
	Labels  bool
}

type groupPlan struct {
	Grace, HardStop, LameDuck time.Duration
	Workers                   []*workerPlan
	Reversed                  bool // dependents are added first
}

type workerPlan struct {
	Name            string
	After, Requires []string
	Essential       bool
	AwaitReady      bool
	Within          time.Duration
	StopWithin      time.Duration
	Restart         *lastcall.RestartPolicy
	Lives           []life     // what each start does; the last one repeats
	Group           *groupPlan // in place of Lives
}

// addPlan is a Group.Add.
type addPlan struct {
	At     time.Duration
	Group  string // path, "" is the root
	Worker *workerPlan
}

type signalPlan struct {
	At  time.Duration
	Int bool // SIGINT, otherwise SIGTERM
}

// life is what a worker does in one start.
type life struct {
	Ready   time.Duration // with AwaitReady: when it says so; negative: never
	Unready time.Duration // when it says Unready, and a moment later Ready; 0: never
	Units   []unitPlan
	Each    *unitPlan // a loop of Each: take for At, handle for Lasts
	Child   bool      // starts a goroutine that lasts as long as Grace
	Leaves  bool      // starts a goroutine that outlasts it
	End     ending
	After   time.Duration // of its start, when it ends by itself
	Told    leaving
	Takes   time.Duration // to leave, once told
}

// unitPlan is work in flight.
type unitPlan struct {
	At       time.Duration
	Lasts    time.Duration
	Stubborn bool // does not look at its context
	Fails    bool // even if it was not cut
	Tracked  bool
}

// ending is how a worker ends by itself.
type ending int

const (
	lastsUntilTold ending = iota
	completes
	fails
	panics
	panicsWithText
	goexits
	failsForGood // lastcall.Permanent
)

// leaving is what a worker does once it was told to stop.
type leaving int

const (
	returnsNil leaving = iota
	returnsCtxErr
	failsToStop
	panicsWhileStopping
	drains      // takes its time under Grace, returns nil or Grace's error
	ignoresSoft // returns at the hard stop
	isStuck     // takes its time whatever happens
)

var endingNames = [...]string{"until told", "return nil", "return err", "panic(err)", `panic("text")`, "runtime.Goexit()", "return Permanent(err)"}
var leavingNames = [...]string{"return nil", "return ctx.Err()", "return errWhileStopping", "panic(errWhileStopping)",
	"return Sleep(Grace(ctx), %v)", "<-Grace(ctx).Done(); return its error", "time.Sleep(%v); return nil"}

// GoString is what rapid prints of a failing case.
func (p *plan) GoString() string {
	var b strings.Builder
	b.WriteString("\n")
	p.Root.print(&b, "", "g")
	for _, a := range p.Adds {
		fmt.Fprintf(&b, "after %v, in group %q:\n", a.At, a.Group)
		a.Worker.print(&b, "\t", groupVar(a.Group))
	}
	fmt.Fprintf(&b, "after %v: g.Ready(), g.Report()\n", p.Probe)
	for _, s := range p.Signals {
		fmt.Fprintf(&b, "after %v: %v\n", s.At, s.signal())
	}
	fmt.Fprintf(&b, "after %v: cancel()\n", p.Cancel)
	run := "g.Run(ctx)"
	if len(p.Signals) > 0 {
		run = "lastcall.Run(ctx, g, lastcall.FromSignals(signals))"
	}
	fmt.Fprintf(&b, "%s // observed: %t, labels: %t\n", run, p.Observe, p.Labels)
	return b.String()
}

func groupVar(path string) string {
	if path == "" {
		return "g"
	}
	return strings.ReplaceAll(path, "/", "_")
}

func (g *groupPlan) print(b *strings.Builder, indent, name string) {
	fmt.Fprintf(b, "%s%s := &lastcall.Group{", indent, name)
	var fields []string
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"Grace", g.Grace}, {"HardStop", g.HardStop}, {"LameDuck", g.LameDuck}} {
		if f.d != 0 {
			fields = append(fields, fmt.Sprintf("%s: %v", f.name, f.d))
		}
	}
	fmt.Fprintf(b, "%s}\n", strings.Join(fields, ", "))
	for _, w := range g.inOrder() {
		w.print(b, indent, name)
	}
}

// inOrder are the workers as they are added.
func (g *groupPlan) inOrder() []*workerPlan {
	list := slices.Clone(g.Workers)
	if g.Reversed {
		slices.Reverse(list)
	}
	return list
}

func (w *workerPlan) print(b *strings.Builder, indent, group string) {
	what := "func(ctx) error"
	if w.Group != nil {
		what = w.Name
		if group != "g" {
			what = group + "_" + w.Name
		}
		w.Group.print(b, indent+"\t", what)
	}
	fmt.Fprintf(b, "%s%s.Add(%q, %s", indent, group, w.Name, what)
	if len(w.After) > 0 {
		fmt.Fprintf(b, ", After(%s)", quoted(w.After))
	}
	if len(w.Requires) > 0 {
		fmt.Fprintf(b, ", Requires(%s)", quoted(w.Requires))
	}
	if w.AwaitReady {
		fmt.Fprintf(b, ", AwaitReady(%v)", w.Within)
	}
	if w.StopWithin != 0 {
		fmt.Fprintf(b, ", StopWithin(%v)", w.StopWithin)
	}
	if w.Essential {
		b.WriteString(", Essential()")
	}
	if w.Restart != nil {
		fmt.Fprintf(b, ", Restart(%+v)", *w.Restart)
	}
	b.WriteString(")\n")
	for i, l := range w.Lives {
		fmt.Fprintf(b, "%s\t// start %d: %s\n", indent, i+1, l)
	}
}

func quoted(names []string) string {
	var list []string
	for _, n := range names {
		list = append(list, fmt.Sprintf("%q", n))
	}
	return strings.Join(list, ", ")
}

func (l life) String() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case l.Ready < 0:
		add("never Ready")
	case l.Ready > 0:
		add("Ready after %v", l.Ready)
	}
	if l.Unready > 0 {
		add("Unready after %v", l.Unready)
	}
	if l.Child {
		add("go <-Grace(ctx).Done()")
	}
	if l.Leaves {
		add("go time.Sleep(forever)")
	}
	for _, u := range l.Units {
		verb := "Do"
		if u.Tracked {
			verb = "Track"
		}
		add("%v: %s(%s)", u.At, verb, u)
	}
	if l.Each != nil {
		add("Each(take %v, handle(%s))", l.Each.At, *l.Each)
	}
	if l.End != lastsUntilTold {
		add("%v: %s", l.After, endingNames[l.End])
	}
	told := leavingNames[l.Told]
	if strings.Contains(told, "%v") {
		told = fmt.Sprintf(told, l.Takes)
	}
	add("told: %s", told)
	return strings.Join(parts, "; ")
}

func (u unitPlan) String() string {
	text := u.Lasts.String()
	if u.Stubborn {
		text += ", stubborn"
	}
	if u.Fails {
		text += ", fails"
	}
	return text
}

func (s signalPlan) signal() os.Signal {
	if s.Int {
		return os.Interrupt
	}
	return syscall.SIGTERM
}

// forever is longer than anything that a plan does. Nothing really lasts for ever: it would not leave its bubble.
const forever = 100 * time.Hour

// A trial is a plan that is carried out, and what was seen of it.
type trial struct {
	plan    *plan
	began   time.Time
	root    *lastcall.Group
	workers map[string]*subject // by path
	groups  map[string]*lastcall.Group

	mu     sync.Mutex
	order  int // counts what the workers recorded
	events []lastcall.Event
	wrong  []string

	twice  atomic.Int64 // Adds of a worker that was there already
	err    error
	ended  time.Duration
	report lastcall.Report
}

// subject is a worker of a trial.
type subject struct {
	plan   *workerPlan
	path   string
	parent string              // its group's path
	added  bool                // while the group ran
	err    error               // its own
	late   error               // its own while stopping
	index  int                 // of all workers
	mark   func(time.Duration) // its own function to be stuck in

	starts []*startRecord // guarded by trial.mu
}

// instant is when something was recorded: the virtual time, and the place among everything that was recorded. Zero is never.
type instant struct {
	at    time.Duration
	order int
}

func (i instant) never() bool { return i.order == 0 }

// startRecord is what one start of a worker saw.
type startRecord struct {
	life     life
	began    instant
	ready    instant // before it said so
	told     instant // its context ended
	toldBy   error   // why
	hardAt   time.Duration
	graced   bool // Grace had not ended then
	cut      instant
	returned instant // just before
	result   ending
	failure  error // what it failed with on purpose
	ctxErr   bool  // it returned its context's error, or its grace's
	units    []*unitRecord
}

type unitRecord struct {
	tracked      bool
	began, ended instant
	cut          bool // the hard stop came and it failed
}

func newTrial(p *plan) *trial {
	c := &trial{plan: p, workers: map[string]*subject{}, groups: map[string]*lastcall.Group{}}
	c.root = c.build(p.Root, "")
	c.root.NoLabels = !p.Labels
	if p.Observe {
		c.root.Observe = c.observe
	}
	return c
}

func (c *trial) build(g *groupPlan, path string) *lastcall.Group {
	group := &lastcall.Group{Grace: g.Grace, HardStop: g.HardStop, LameDuck: g.LameDuck}
	c.mu.Lock()
	c.groups[path] = group
	c.mu.Unlock()
	for _, w := range g.inOrder() {
		c.add(group, path, w, false)
	}
	return group
}

func join(group, name string) string {
	if group == "" {
		return name
	}
	return group + "/" + name
}

func (c *trial) add(g *lastcall.Group, group string, w *workerPlan, running bool) {
	path := join(group, w.Name)
	var work lastcall.Worker
	if c.subject(path) != nil {
		work = lastcall.Func(func(context.Context) error {
			c.wrongf("%s: a worker that was added twice was started", path)
			return nil
		})
	} else {
		s := &subject{plan: w, path: path, parent: group, added: running, err: errors.New("error of " + path), late: errors.New("late error of " + path)}
		c.mu.Lock()
		s.index = len(c.workers)
		s.mark = marks[s.index%len(marks)]
		c.workers[path] = s
		c.mu.Unlock()
		if w.Group != nil {
			work = c.build(w.Group, path)
		} else {
			work = lastcall.Func(func(ctx context.Context) error { return c.live(ctx, s) })
		}
	}
	var opts []lastcall.Option
	if len(w.After) > 0 {
		opts = append(opts, lastcall.After(w.After...))
	}
	if len(w.Requires) > 0 {
		opts = append(opts, lastcall.Requires(w.Requires...))
	}
	if w.AwaitReady {
		opts = append(opts, lastcall.AwaitReady(w.Within))
	}
	if w.StopWithin > 0 {
		opts = append(opts, lastcall.StopWithin(w.StopWithin))
	}
	if w.Essential {
		opts = append(opts, lastcall.Essential())
	}
	if w.Restart != nil {
		opts = append(opts, lastcall.Restart(*w.Restart))
	}
	g.Add(w.Name, work, opts...)
}

func (c *trial) observe(e lastcall.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
}

func (c *trial) wrongf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < 20 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

func (c *trial) now() instant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nowLocked()
}

func (c *trial) nowLocked() instant {
	c.order++
	return instant{time.Since(c.began), c.order}
}

// record sets a time that is not set yet.
func (c *trial) record(i *instant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i.never() {
		*i = c.nowLocked()
	}
}

// run carries the plan out, in a bubble.
func (c *trial) run() {
	c.began = time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	over := make(chan struct{})
	at := func(d time.Duration, do func()) {
		go func() {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				do()
			case <-over:
			}
		}()
	}
	for _, a := range c.plan.Adds {
		at(a.At, func() { c.addLate(a) })
	}
	at(c.plan.Probe, c.probe)
	at(c.plan.Cancel, cancel)
	if len(c.plan.Signals) == 0 {
		c.err = c.root.Run(ctx)
	} else {
		signals := make(chan os.Signal, len(c.plan.Signals))
		go func() { // one after the other, so that their order is known
			for _, s := range c.plan.Signals {
				time.Sleep(s.At - time.Since(c.began))
				signals <- s.signal()
			}
		}()
		c.err = lastcall.Run(ctx, c.root, lastcall.FromSignals(signals))
	}
	c.ended = time.Since(c.began)
	c.report = c.root.Report()
	close(over)
	time.Sleep(2 * forever) // time stands still when a bubble's first goroutine ends: what is stuck gets its end before
}

// addLate adds a worker to a group of the trial, which may not run yet, or no longer.
func (c *trial) addLate(a addPlan) {
	c.mu.Lock()
	g := c.groups[a.Group]
	c.mu.Unlock()
	if c.subject(join(a.Group, a.Worker.Name)) != nil {
		c.twice.Add(1)
	}
	c.add(g, a.Group, a.Worker, true)
}

// subject is the worker at path, nil if there is none.
func (c *trial) subject(path string) *subject {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.workers[path]
}

// probe looks at the group from outside when nothing moves: what Ready says is what Report says, and nobody waits for
// nothing.
func (c *trial) probe() {
	synctest.Wait()
	ready, rep := c.root.Ready(), c.root.Report()
	if rep.Started.IsZero() || !rep.Ended.IsZero() {
		return
	}
	var unready []string
	states := map[string]lastcall.WorkerReport{}
	for _, w := range rep.Workers {
		states[w.Name] = w
		if w.State != lastcall.StateReady && w.State != lastcall.StateStopped || w.State == lastcall.StateReady && w.Unready != "" {
			unready = append(unready, w.Name)
		}
	}
	leaving := !rep.SoftStop.IsZero() || !rep.LameDuck.IsZero()
	if leaving != (ready != nil && !strings.HasPrefix(ready.Error(), "not ready")) || !leaving && (ready == nil) != (len(unready) == 0) {
		c.wrongf("at %v Ready() is %v, but leaving is %t and not ready in the report are %v", c.plan.Probe, ready, leaving, unready)
	}
	if leaving {
		return
	}
	for _, w := range rep.Workers {
		s := c.subject(w.Name)
		if w.State != lastcall.StateWaiting || s == nil {
			continue
		}
		if above := states[s.parent]; s.parent != "" && (above.State > lastcall.StateReady || !above.SoftStop.IsZero()) {
			continue
		}
		waitsFor := slices.ContainsFunc(w.After, func(dep string) bool {
			d := states[dep]
			return d.State != lastcall.StateReady && d.State != lastcall.StateStopped
		})
		requiredBy := slices.ContainsFunc(rep.Workers, func(u lastcall.WorkerReport) bool {
			return slices.Contains(u.After, w.Name) && u.State >= lastcall.StateStarting && u.State <= lastcall.StateCut
		})
		// The layer of a dependency may have other members that are not ready, or wait for its own restart.
		moves := slices.ContainsFunc(rep.Workers, func(p lastcall.WorkerReport) bool {
			return p.State == lastcall.StateStarting || p.State == lastcall.StateStopping || p.State == lastcall.StateCut
		})
		if !waitsFor && !requiredBy && !moves && c.groupRuns(s.parent) {
			c.wrongf("at %v %s waits, but everything that it is after is ready", c.plan.Probe, w.Name)
		}
	}
}

// groupRuns reports whether the group at path runs and does not stop.
func (c *trial) groupRuns(path string) bool {
	c.mu.Lock()
	g := c.groups[path]
	c.mu.Unlock()
	rep := g.Report()
	return !rep.Started.IsZero() && rep.SoftStop.IsZero() && rep.LameDuck.IsZero() && rep.Ended.IsZero()
}

// live is the function of every worker.
func (c *trial) live(ctx context.Context, s *subject) (err error) {
	c.mu.Lock()
	r := &startRecord{life: s.plan.Lives[min(len(s.starts), len(s.plan.Lives)-1)], began: c.nowLocked()}
	s.starts = append(s.starts, r)
	c.mu.Unlock()
	l := r.life
	if lastcall.Name(ctx) != s.path {
		c.wrongf("%s: its name is %q", s.path, lastcall.Name(ctx))
	}
	grace := lastcall.Grace(ctx)
	defer context.AfterFunc(ctx, func() { c.sawSoft(ctx, s, r) })()
	defer context.AfterFunc(grace, func() { c.sawHard(grace, s, r) })()
	defer func() { c.record(&r.returned) }()

	if l.Child {
		go func() { <-grace.Done() }()
	}
	if l.Leaves {
		go s.mark(forever)
	}
	if l.Unready > 0 {
		go func() {
			if lastcall.Sleep(ctx, l.Unready) == nil {
				lastcall.Unready(ctx, "by plan")
				lastcall.Status(ctx, "not ready by plan")
				if lastcall.Sleep(ctx, time.Second) == nil && !s.plan.AwaitReady {
					lastcall.Ready(ctx)
				}
			}
		}()
	}
	for _, u := range l.Units {
		go func() {
			if lastcall.Sleep(ctx, u.At) == nil || u.Tracked && c.running(r) {
				_ = c.unit(ctx, s, r, u)
			}
		}()
	}
	// The AwaitReady call comes from another goroutine, as that of a server does from its listener.
	if s.plan.AwaitReady && l.Ready >= 0 {
		go func() {
			if lastcall.Sleep(ctx, l.Ready) == nil && c.running(r) {
				c.record(&r.ready)
				lastcall.Ready(ctx)
			}
		}()
	}
	if l.End != lastsUntilTold {
		if lastcall.Sleep(ctx, l.After) == nil {
			return c.endByItself(s, r)
		}
	} else if l.Each != nil {
		if err := c.each(ctx, s, r); err != nil {
			r.result = fails
			if r.ctxErr = errors.Is(err, context.Canceled); !r.ctxErr {
				r.failure = err
				if interrupted := workerError(err, lastcall.ErrInterrupted); interrupted != nil {
					r.failure = interrupted.Err
				}
			}
			return err
		}
	}
	<-ctx.Done()
	c.record(&r.told)
	if err := lastcall.Do(ctx, func(context.Context) error { return nil }); !errors.Is(err, lastcall.ErrStopping) {
		c.wrongf("%s: Do after the soft stop returned %v", s.path, err)
	}
	return c.leave(ctx, grace, s, r)
}

// running reports whether the worker has not begun to return, so that what it starts now is its own.
func (c *trial) running(r *startRecord) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.returned.never()
}

// sawSoft is called when the worker's context has ended.
func (c *trial) sawSoft(ctx context.Context, s *subject, r *startRecord) {
	now := c.now()
	cause := context.Cause(ctx)
	grace := lastcall.Grace(ctx)
	deadline, ok := grace.Deadline()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !r.returned.never() {
		return
	}
	if r.told.never() {
		r.told = now
	}
	r.toldBy, r.graced = cause, grace.Err() == nil
	if ok {
		r.hardAt = deadline.Sub(c.began)
	}
	if !errors.Is(cause, lastcall.ErrStopping) || !errors.Is(cause, context.Canceled) || !ok {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: told with cause %v, grace's deadline known: %t", s.path, cause, ok))
	}
}

// sawHard is called when the worker's grace has ended.
func (c *trial) sawHard(grace context.Context, s *subject, r *startRecord) {
	cause := context.Cause(grace)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !r.returned.never() {
		return
	}
	r.cut = c.nowLocked()
	if !errors.Is(cause, lastcall.ErrHardStop) || errors.Is(cause, lastcall.ErrStopping) {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: cut with cause %v", s.path, cause))
	}
}

func (c *trial) endByItself(s *subject, r *startRecord) error {
	r.result = r.life.End
	switch r.life.End {
	case completes:
		return nil
	case fails:
		r.failure = s.err
		return s.err
	case failsForGood:
		r.failure = s.err
		return lastcall.Permanent(s.err)
	case panics:
		r.failure = s.err
		panic(s.err)
	case panicsWithText:
		panic("text of " + s.path)
	}
	runtime.Goexit()
	return nil
}

func (c *trial) leave(ctx, grace context.Context, s *subject, r *startRecord) error {
	switch r.life.Told {
	case returnsCtxErr:
		r.ctxErr = true
		return ctx.Err()
	case failsToStop:
		r.result, r.failure = fails, s.late
		return s.late
	case panicsWhileStopping:
		r.result, r.failure = panics, s.late
		panic(s.late)
	case drains:
		err := lastcall.Sleep(grace, r.life.Takes)
		r.ctxErr = err != nil
		return err
	case ignoresSoft:
		<-grace.Done()
		r.ctxErr = true
		return grace.Err()
	case isStuck:
		s.mark(r.life.Takes)
	}
	return nil
}

// unit is one unit of work in flight.
func (c *trial) unit(ctx context.Context, s *subject, r *startRecord, u unitPlan) error {
	ended := ctx.Err() != nil
	do := lastcall.Do
	if u.Tracked {
		do = lastcall.Track
	}
	var rec *unitRecord
	err := do(ctx, func(ctx context.Context) (err error) {
		rec, err = c.handle(ctx, s, r, u)
		return err
	})
	switch {
	case rec == nil && u.Tracked, rec != nil && ended && !u.Tracked:
		c.wrongf("%s: a unit of work was admitted: %t, its context had ended: %t, tracked: %t", s.path, rec != nil, ended, u.Tracked)
	case rec == nil:
		if !errors.Is(err, lastcall.ErrStopping) {
			c.wrongf("%s: a unit of work was refused with %v", s.path, err)
		}
		synctestYield()
		if ctx.Err() == nil && c.running(r) {
			c.wrongf("%s: a unit of work was refused before the soft stop", s.path)
		}
	default:
		c.compareCut(ctx, s, rec, err)
	}
	return err
}

// synctestYield lets everything that happens at this instant happen.
func synctestYield() { time.Sleep(time.Nanosecond) }

// handle is the work of a unit.
func (c *trial) handle(ctx context.Context, s *subject, r *startRecord, u unitPlan) (*unitRecord, error) {
	c.mu.Lock()
	rec := &unitRecord{tracked: u.Tracked, began: c.nowLocked()}
	r.units = append(r.units, rec)
	c.mu.Unlock()
	var err error
	if u.Stubborn {
		time.Sleep(u.Lasts)
	} else {
		err = lastcall.Sleep(ctx, u.Lasts)
	}
	if u.Fails && err == nil {
		err = errors.New("a unit of " + s.path)
	}
	c.mu.Lock()
	rec.ended = c.nowLocked()
	c.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		rec.cut = true
		if cause := context.Cause(ctx); !errors.Is(cause, lastcall.ErrHardStop) {
			c.wrongf("%s: a unit of work was cut with cause %v", s.path, cause)
		}
	}
	return rec, err
}

// each takes items and handles them until the soft stop, or one that cannot be handled.
func (c *trial) each(ctx context.Context, s *subject, r *startRecord) error {
	u := *r.life.Each
	taken := 0
	var last *unitRecord
	err := lastcall.Each(ctx, func(ctx context.Context) (int, error) {
		if taken == 20 {
			return 0, io.EOF
		}
		taken++
		return taken, lastcall.Sleep(ctx, max(u.At, time.Millisecond))
	}, func(ctx context.Context, _ int) (err error) {
		last, err = c.handle(ctx, s, r, u)
		return err
	})
	if err != nil {
		c.compareCut(ctx, s, last, err)
	}
	return err
}

// compareCut compares what Do or Each returned with what became of the unit.
func (c *trial) compareCut(ctx context.Context, s *subject, u *unitRecord, err error) {
	is := errors.Is(err, lastcall.ErrInterrupted)
	c.mu.Lock()
	if is && lastcall.Grace(ctx).Err() != nil {
		u.cut = true // the hard stop came between the unit's last look and its end
	}
	cut := u.cut
	c.mu.Unlock()
	if is != cut {
		c.wrongf("%s: a unit of work returned %v, cut: %t", s.path, err, cut)
	}
}

// marks are functions to be stuck in, one a worker, so that the stacks tell whose goroutine it is.
var marks = [...]func(time.Duration){
	mark0, mark1, mark2, mark3, mark4, mark5, mark6, mark7, mark8, mark9, mark10, mark11,
	mark12, mark13, mark14, mark15, mark16, mark17, mark18, mark19, mark20, mark21, mark22, mark23,
}

func mark0(d time.Duration)  { time.Sleep(d) }
func mark1(d time.Duration)  { time.Sleep(d) }
func mark2(d time.Duration)  { time.Sleep(d) }
func mark3(d time.Duration)  { time.Sleep(d) }
func mark4(d time.Duration)  { time.Sleep(d) }
func mark5(d time.Duration)  { time.Sleep(d) }
func mark6(d time.Duration)  { time.Sleep(d) }
func mark7(d time.Duration)  { time.Sleep(d) }
func mark8(d time.Duration)  { time.Sleep(d) }
func mark9(d time.Duration)  { time.Sleep(d) }
func mark10(d time.Duration) { time.Sleep(d) }
func mark11(d time.Duration) { time.Sleep(d) }
func mark12(d time.Duration) { time.Sleep(d) }
func mark13(d time.Duration) { time.Sleep(d) }
func mark14(d time.Duration) { time.Sleep(d) }
func mark15(d time.Duration) { time.Sleep(d) }
func mark16(d time.Duration) { time.Sleep(d) }
func mark17(d time.Duration) { time.Sleep(d) }
func mark18(d time.Duration) { time.Sleep(d) }
func mark19(d time.Duration) { time.Sleep(d) }
func mark20(d time.Duration) { time.Sleep(d) }
func mark21(d time.Duration) { time.Sleep(d) }
func mark22(d time.Duration) { time.Sleep(d) }
func mark23(d time.Duration) { time.Sleep(d) }
