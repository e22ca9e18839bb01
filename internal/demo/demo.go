package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/serve"
)

// Config is the configuration of the demo. The zero value works.
type Config struct {
	Out      io.Writer     // for the demo's output; nil discards it
	Listen   string        // the api's address; "" is a free port on 127.0.0.1
	Data     string        // the directory of the journal, which is created and kept; "" is a temporary one
	For      time.Duration // how long after the start the demo signals itself; 0 is never
	Grace    time.Duration // see [lastcall.Group]; 0 is 10 s
	LameDuck time.Duration // see [lastcall.Group]
	Workers  int           // consumers; 0 is 3
	Clients  int           // number of clients; 0 is 8, negative is none, for load from elsewhere
	Stuck    bool          // adds a worker that ignores every stop

	lose func(order) bool // for tests: orders that the store acknowledges and does not write
}

// A Result is the outcome of a run.
type Result struct {
	Report lastcall.Report
	Count  *Count // nil if there was nothing to count: the start failed, or the end was forced
}

// Run runs the service and its clients until a signal comes or ctx ends, and counts what became of everything in
// flight. The error is that of [lastcall.Run], and a [LostError] if something was lost.
func Run(ctx context.Context, c Config, opts ...lastcall.RunOption) (Result, error) {
	d := prepare(c)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.endItself = func() { endItself(cancel) }

	d.group.Observe = d.observe
	err := lastcall.Run(ctx, &d.group, opts...)
	result := Result{Report: d.group.Report()}
	if forced := (*lastcall.ForcedError)(nil); errors.As(err, &forced) {
		d.cleanUp(false)
		return result, err // at once: workers still run, and the clients wait for them
	}
	d.load.stop()
	if !d.opened {
		d.cleanUp(false)
		return result, err
	}
	after, readErr := readJournal(d.store.path())
	if readErr != nil {
		return result, join(err, readErr)
	}
	count := take(d.atSignal, d.load, d.consumers, d.store.before, after)
	result.Count = &count
	d.cleanUp(len(count.Lost) > 0)
	if len(count.Lost) > 0 {
		err = join(err, &LostError{Lost: count.Lost})
	}
	return result, err
}

// join joins both errors in one line; the first may be nil.
func join(err, second error) error {
	if err == nil {
		return second
	}
	return fmt.Errorf("%w; %w", err, second)
}

// A demo is one run.
type demo struct {
	config    Config
	group     lastcall.Group
	store     *store
	consumers *consumers
	load      *load
	api       *serve.Server

	endItself func()
	once      sync.Once
	atSignal  snapshot
	opened    bool // the clients have started; only the listener reads this and the next two while the group runs
	saidSoft  bool // see afterEcho
	saidHard  bool
}

// prepare creates the group. It opens nothing: the workers do, which start when the signals are armed, so that an early
// stop leaves nothing behind.
func prepare(c Config) *demo {
	if c.Out == nil {
		c.Out = io.Discard
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Grace == 0 {
		c.Grace = 10 * time.Second
	}
	if c.Workers == 0 {
		c.Workers = 3
	}
	if c.Clients == 0 {
		c.Clients = 8
	}
	c.Clients = max(c.Clients, 0)
	d := &demo{config: c, group: lastcall.Group{Grace: c.Grace, LameDuck: c.LameDuck}}

	between := func(low, high time.Duration) func() time.Duration {
		return func() time.Duration { return low + rand.N(high-low) }
	}
	d.store = &store{dir: c.Data, queue: newQueue(), news: make(chan struct{}, 1), lose: c.lose}
	d.consumers = &consumers{store: d.store, pause: between(20*time.Millisecond, 300*time.Millisecond), inHand: make(map[uint64]order)}
	handler := api(d.store, serve.Readiness(&d.group), between(20*time.Millisecond, 400*time.Millisecond))
	d.load = newLoad(c.Clients, between(0, 250*time.Millisecond), strconv.FormatInt(time.Now().UnixNano(), 36))
	d.api = serve.HTTP(&http.Server{Addr: c.Listen, Handler: handler}, nil)

	d.group.Add("store", d.store)
	below := []string{"stats"}
	for n := range c.Workers {
		name := "consumer-" + strconv.Itoa(n+1)
		d.group.Add(name, d.consumers, lastcall.After("store"))
		below = append(below, name)
	}
	d.group.Add("stats", stats(d.store, 500*time.Millisecond, between(20*time.Millisecond, 400*time.Millisecond)), lastcall.After("store"))
	if c.Stuck {
		d.group.Go("stuck", stuck, lastcall.After("store"))
		below = append(below, "stuck")
	}
	d.group.Add("api", d.api, lastcall.After(below...))
	return d
}

// stuck is a bad worker: it ignores every stop, soft or hard.
func stuck(ctx context.Context) error {
	lastcall.Status(ctx, "ignores every stop")
	select {}
}

// observe is the demo's listener: it starts the clients when the api is ready, and notes what is in flight when the
// stop begins.
func (d *demo) observe(e lastcall.Event) {
	switch {
	case e.Name == "api" && e.Kind == lastcall.EventState && e.State == lastcall.StateReady:
		addr := d.api.Addr().String()
		d.greet(addr)
		d.load.open(addr)
		d.opened = true
		if d.config.For > 0 {
			time.AfterFunc(d.config.For, d.endItself)
		}
	case e.Name == "" && d.opened && (e.Kind == lastcall.EventLameDuck || e.Kind == lastcall.EventState && e.State == lastcall.StateStopping):
		d.once.Do(func() {
			d.atSignal = snapshot{requests: d.load.inFlight(), jobs: d.consumers.inFlight()}
			d.afterEcho(e.Cause, &d.saidSoft)
			fmt.Fprintf(d.config.Out, "%s: %s and %s in flight\n", e.Cause.Why(),
				text.Count(len(d.atSignal.requests), "request"), text.Count(len(d.atSignal.jobs), "job"))
		})
	case e.Kind == lastcall.EventState && e.State == lastcall.StateCut:
		d.afterEcho(e.Cause, &d.saidHard)
		fmt.Fprintf(d.config.Out, "%s: %v\n", e.Name, e.Cause)
	case e.Kind == lastcall.EventAwaiting:
		fmt.Fprint(d.config.Out, "waiting for")
		for i, a := range e.Awaited {
			if i > 0 {
				fmt.Fprint(d.config.Out, ",")
			}
			fmt.Fprint(d.config.Out, " ", a)
		}
		fmt.Fprintln(d.config.Out)
	}
}

// afterEcho begins a new line, because the terminal has written ^C for a signal from the keyboard. Many workers may be
// told of one signal: said remembers the first.
func (d *demo) afterEcho(cause *lastcall.StopCause, said *bool) {
	if cause.Signal == os.Interrupt && !*said {
		fmt.Fprintln(d.config.Out)
		*said = true
	}
}

// greet writes what runs, and where.
func (d *demo) greet(addr string) {
	kept := ""
	if n := len(d.store.before.pending()); n > 0 {
		kept = fmt.Sprintf(", with %s kept from last time", text.Count(n, "job"))
	}
	fmt.Fprintf(d.config.Out, `a small order service and its clients, in one process:
  api        http://%s/orders, with %s
  consumers  %d, for the orders' jobs; stats, at most twice a second
  store      %s%s
`, addr, text.Count(d.config.Clients, "client"), d.config.Workers, d.store.path(), kept)
	if d.config.For > 0 {
		fmt.Fprintf(d.config.Out, "it signals itself after %s\n", d.config.For)
	} else {
		fmt.Fprintln(d.config.Out, "press Ctrl-C to stop it")
	}
}

// cleanUp removes a temporary directory, unless its journal is evidence of a loss.
func (d *demo) cleanUp(evidence bool) {
	switch {
	case d.config.Data != "" || d.store.dir == "":
	case evidence:
		fmt.Fprintf(d.config.Out, "the journal is kept: %s\n", d.store.path())
	default:
		_ = os.RemoveAll(d.store.dir) // the system clears its temporary directory too
	}
}
