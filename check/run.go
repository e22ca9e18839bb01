//go:build unix

package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/internal/nearest"
	"github.com/lastcall-go/lastcall/process"
)

// runner is a check that runs.
type runner struct {
	*Check
	ctx      context.Context
	abort    context.CancelCauseFunc // ends all: this check itself cannot go on
	rand     *rand.Rand              // of the scenario that runs
	guards   []*guardian             // that have no life
	ready    readiness
	listens  bool    // it was ready because it listened, so that this is waited for in each life
	url      *target // nil if there is none
	slow     *target
	stream   *target // an answer that does not end by itself
	ports    int     // were open when the url was found
	http2    bool    // url speaks it
	restless bool    // it did not settle in an earlier life
	report   *Report
	result   *Result // of the scenario that runs
	worst    *life   // of that scenario
	starts   []time.Duration
	left     []leftOver
	killed   string     // the scenario in which it had to be, at last
	hint     string     // what an operator can try, see hint
	hangs    string     // why nothing that needs a stop makes sense any more
	usual    outcome    // of its first life, which was stopped when it was idle
	loads    *loadStops // nil until they are made
	known    *outcome   // that term has failed; nil: none
	forces   *bool      // a second signal ends it at once; nil: not tried
	uploads  *string    // why an upload is not under way until it is complete, "" if it is; nil: not tried
}

// Run looks at the daemon, one scenario after the other, and reports what it found out. It ends everything that it started
// before it returns; should this process be killed, its guard does. The error is a [*ConfigError], a [*StartError], or that of
// ctx, with which the report has what was found out until then.
//
// The daemon's parent is this program's file, executed once more: see the package's documentation.
func (c *Check) Run(ctx context.Context) (_ *Report, err error) {
	r := &runner{Check: c}
	if err = r.prepare(); err != nil {
		return nil, err
	}
	r.ctx, r.abort = context.WithCancelCause(ctx)
	defer r.abort(nil)
	defer r.endGuards()
	r.report = &Report{
		Command: r.Command, Started: time.Now(), System: runtime.GOOS + "/" + runtime.GOARCH, Seed: r.Seed, Grace: r.Grace,
	}
	defer func() {
		r.report.Took, r.report.Startup = time.Since(r.report.Started), spread(r.starts)
		if err != nil {
			r.report.Error = cmp.Or(context.Cause(ctx), err).Error()
		}
		if never := (*StartError)(nil); errors.As(err, &never) {
			r.report.Output = never.Output
		}
	}()
	err = r.look()
	for _, s := range scenarios {
		if err != nil || r.ctx.Err() != nil {
			break
		}
		if r.plays(s.Name) {
			r.play(s)
		}
	}
	r.endGuards() // one that does not end is an error as well
	if r.ctx.Err() != nil {
		err = cmp.Or(ctx.Err(), context.Cause(r.ctx))
	}
	return r.report, err
}

// plays reports whether a scenario is to be played.
func (c *Check) plays(scenario string) bool {
	return (len(c.Only) == 0 || slices.Contains(c.Only, scenario)) && !slices.Contains(c.Skip, scenario)
}

// prepare fills in what was left out, in a copy, and finds what cannot be meant.
func (r *runner) prepare() (err error) {
	own := *r.Check
	r.Check = &own
	if len(own.Command) == 0 || own.Command[0] == "" {
		return &ConfigError{"Command", errors.New("is empty")}
	}
	own.Grace = cmp.Or(own.Grace, 10*time.Second)
	own.Idle = cmp.Or(own.Idle, 10*time.Second)
	own.ReadyWithin = cmp.Or(own.ReadyWithin, 30*time.Second)
	own.Signal = cmp.Or(own.Signal, syscall.SIGTERM)
	own.Repeat = cmp.Or(own.Repeat, 1)
	for name, value := range map[string]int64{
		"Grace": int64(own.Grace), "Idle": int64(own.Idle), "ReadyWithin": int64(own.ReadyWithin), "Repeat": int64(own.Repeat),
	} {
		if value < 0 {
			return &ConfigError{name, errors.New("must not be negative")}
		}
	}
	if own.Quick {
		own.Idle = min(own.Idle, quickIdle)
	}
	for own.Seed == 0 {
		own.Seed = rand.Uint64N(1 << 32)
	}
	for field, names := range map[string][]string{"Only": own.Only, "Skip": own.Skip, "Require": own.Require} {
		for _, name := range names {
			if !slices.Contains(scenarioNames, name) {
				err := fmt.Errorf("there is no scenario %q", name)
				if like := nearest.To(name, scenarioNames); like != "" {
					err = fmt.Errorf("%w, did you mean %q?", err, like)
				}
				return &ConfigError{field, err}
			}
		}
	}
	for _, name := range own.Require {
		if !own.plays(name) {
			return &ConfigError{"Require", fmt.Errorf("the scenario %s is left out by Only or Skip", name)}
		}
	}
	if !slices.ContainsFunc(scenarioNames, r.plays) {
		return &ConfigError{"Skip", errors.New("leaves nothing to play")}
	}
	for field, s := range map[string]syscall.Signal{"Signal": own.Signal, "ReloadSignal": own.ReloadSignal} {
		if s == syscall.SIGKILL || s == syscall.SIGSTOP {
			return &ConfigError{field, fmt.Errorf("no program can handle %s", process.SignalName(s))}
		}
	}
	if own.Dir != "" {
		if info, err := os.Stat(own.Dir); err != nil {
			return &ConfigError{"Dir", err}
		} else if !info.IsDir() {
			return &ConfigError{"Dir", fmt.Errorf("%s is not a directory", own.Dir)}
		} else if err := syscall.Access(own.Dir, 1); err != nil { // X_OK, access(2)
			return &ConfigError{"Dir", fmt.Errorf("%s cannot be entered: %w", own.Dir, err)}
		}
	}
	if r.ready, err = parseReady(own.Ready); err != nil {
		return &ConfigError{"Ready", err}
	}
	if own.URL != "" {
		if r.url, err = parseURL(own.URL); err != nil {
			return &ConfigError{"URL", err}
		}
	}
	if own.Stream != "" {
		if r.stream, err = parseStream(own.Stream); err != nil {
			return &ConfigError{"Stream", err}
		}
		if r.url == nil {
			r.url = r.stream.root()
		}
	}
	if own.Slow != "" {
		if r.slow, err = parseURL(own.Slow); err != nil {
			return &ConfigError{"Slow", err}
		}
		if r.url == nil {
			r.url = r.slow.root()
		}
	}
	return nil
}

// look is the first life: it shows whether the daemon starts at all, how one knows that it is ready, and where it listens.
func (r *runner) look() error {
	r.say("starting it")
	if who := r.inTheWay(); who != "" {
		return &StartError{Program: r.Command[0], Reason: who}
	}
	l, err := r.start(false)
	if err != nil {
		return err
	}
	defer l.end()
	if err := l.awaitReady(); err != nil {
		return err
	}
	r.report.Ready = l.how
	r.listens = l.listens
	if r.url == nil && r.Ready == "" && l.listens {
		l.exits(quietFor) // it may have more than one
	}
	if err := r.whereRequestsGo(l); err != nil {
		return err
	}
	l.settle(settledFirst)
	r.usual = l.stop(r.Signal)
	return nil
}

// whereRequestsGo finds the URL, if none was given, and tries it.
func (r *runner) whereRequestsGo(l *life) error {
	if r.url == nil {
		var others []*target
		r.url, others = l.findURL()
		for _, t := range others {
			r.report.Others = append(r.report.Others, t.String())
		}
		r.report.Found, r.ports = r.url != nil, len(l.ports())
	}
	if r.url == nil {
		return nil
	}
	r.report.URL = r.url.String()
	if err := l.tryURL(); err != nil {
		return err
	}
	l.sortURLs()
	r.report.URL, r.report.Slow, r.report.Stream = r.url.String(), r.slow.String(), r.stream.String()
	return nil
}

// playing is the name of the scenario that runs, "" while none does.
func (r *runner) playing() string {
	if r.result == nil {
		return ""
	}
	return r.result.Scenario
}

// say tells the observer what is being done.
func (r *runner) say(format string, args ...any) {
	if r.Observe == nil {
		return
	}
	r.Observe(Progress{Scenario: r.playing(), Text: fmt.Sprintf(format, args...), Report: r.report})
}

// times is how often something is done: n times, fewer for a quick look.
func (r *runner) times(n int) int {
	if r.Quick {
		n = max(1, n/3)
	}
	return n * r.Repeat
}

// spread of durations, which are sorted by it.
func spread(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	all = slices.Sorted(slices.Values(all))
	return Spread{Min: all[0], Median: all[len(all)/2], Max: all[len(all)-1]}
}
