package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/bench/board"
)

// stopResult is what one supervisor needed to start, mend and stop so many children.
type stopResult struct {
	Name     string       `json:"name"`
	Children int          `json:"children"`
	Samples  []stopSample `json:"samples"`

	s    *supervisor
	used time.Duration
}

// stopSample is one life of a supervisor.
type stopSample struct {
	Start   elapsed `json:"start_ns"`    // started → the last child runs
	Restart elapsed `json:"restart_ns"`  // a child killed → another runs in its place
	Told50  elapsed `json:"told_p50_ns"` // signal → a child told
	Told    elapsed `json:"told_max_ns"` // signal → the last child told
	Gone    elapsed `json:"gone_ns"`     // signal → the supervisor has ended
	Untold  int     `json:"untold"`      // children that were not told
	Left    int     `json:"left"`        // children that were still there when the supervisor had ended
}

// elapsed is nanoseconds; NaN, which JSON does not have, is of what did not happen.
type elapsed float64

var never = elapsed(math.NaN())

// MarshalJSON is the number, or null.
func (e elapsed) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(e)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(e))
}

// stopFigures are those of a stopSample that are compared.
var stopFigures = []struct {
	name string
	of   func(stopSample) elapsed
}{
	{"start", func(s stopSample) elapsed { return s.Start }},
	{"told, p50", func(s stopSample) elapsed { return s.Told50 }},
	{"told, max", func(s stopSample) elapsed { return s.Told }},
	{"gone", func(s stopSample) elapsed { return s.Gone }},
	{"restart", func(s stopSample) elapsed { return s.Restart }},
}

func (r *stopResult) figure(i int) float64 {
	var values []float64
	for _, s := range r.Samples {
		if v := float64(stopFigures[i].of(s)); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return median(values)
}

// jointly is up to how many children the supervisors of one round live at the same time, to save time: idle neighbours
// disturb nobody. With more each is alone.
const jointly = 10

// enough is how long one supervisor may take with one number of children before its turns end, after the second.
const enough = 25 * time.Second

func (v *supervision) measureStops(ctx context.Context) error {
	for _, n := range v.Children {
		v.progress("start, restart and stop of %s: %d rounds", children(n), v.Lives)
		results := make([]*stopResult, len(v.several))
		for i, s := range v.several {
			results[i] = &stopResult{Name: s.name, Children: n, s: s}
		}
		for round := range v.Lives {
			var turn []*stopResult
			for i := range results {
				if r := results[(i+round)%len(results)]; r.s != nil && (round < 2 || r.used < enough) {
					turn = append(turn, r)
				}
			}
			if n <= jointly {
				if err := v.liveAndStop(ctx, n, turn); err != nil {
					return err
				}
				continue
			}
			for _, r := range turn {
				began := time.Now()
				if err := v.liveAndStop(ctx, n, []*stopResult{r}); err != nil {
					return err
				}
				r.used += time.Since(began)
			}
		}
		v.stopTable(n, results)
	}
	return nil
}

// liveAndStop is one life of each of the supervisors: start, one child killed, stop. Each of the three is done by one of
// them after the other.
func (v *supervision) liveAndStop(ctx context.Context, n int, turn []*stopResult) error {
	type life struct {
		*stopResult
		*subject
		stopSample
		victim *board.Slot
		killed int64
	}
	var lives []*life
	defer func() {
		for _, l := range lives {
			l.close()
		}
	}()
	for _, r := range turn {
		u, err := v.start(r.s, waits(n), start{})
		if err != nil {
			return err
		}
		l := &life{stopResult: r, subject: u}
		lives = append(lives, l)
		if err := u.arrive(ctx, n, startLimit(n)); err != nil {
			if r.Name == nameUp || ctx.Err() != nil {
				return err
			}
			v.skip(fmt.Sprintf("%s with %s", r.Name, children(n)), err)
			r.s = nil // no further turn
			continue
		}
		for _, slot := range u.board.Slots() {
			l.Start = max(l.Start, elapsed(slot.Started()-u.began))
		}
	}
	// Some restart later who lived for less than a second, and some look around once a second: hit them anywhere.
	if err := sleep(ctx, 1200*time.Millisecond+rand.N(time.Second)); err != nil {
		return err
	}

	for _, l := range lives {
		if l.subject.s.once || l.stopResult.s == nil {
			continue
		}
		alive := l.alive()
		if len(alive) == 0 {
			continue
		}
		l.victim = alive[len(alive)-1]
		l.killed = monotonic()
		_ = syscall.Kill(int(l.victim.PID), syscall.SIGKILL)
		_ = l.arrive(ctx, n+1, 50*time.Millisecond) // who takes longer need not be waited for before the next
	}
	for _, l := range lives {
		l.Restart = never
		if l.victim != nil && l.arrive(ctx, n+1, 5*time.Second) == nil {
			l.Restart = elapsed(l.board.Slots()[n].Started() - l.killed)
		}
	}
	if err := sleep(ctx, 200*time.Millisecond); err != nil {
		return err
	}

	for _, l := range lives {
		if l.stopResult.s == nil {
			continue
		}
		asked := l.ask()
		l.Gone, l.Told50, l.Told = never, never, never
		if l.end(40 * time.Second) {
			l.Gone = elapsed(l.endedAt - asked)
		}
		if l.subject.s.leaves {
			l.Gone = never
			time.Sleep(300 * time.Millisecond)
		}
		var told []float64
		for _, slot := range l.board.Slots() {
			if slot == l.victim {
				continue
			}
			if at := slot.Told(); at != 0 {
				told = append(told, float64(at-asked))
			} else {
				l.Untold++
			}
		}
		l.Left = len(l.alive())
		if told != nil {
			l.Told50, l.Told = elapsed(percentile(told, 0.5)), elapsed(percentile(told, 1))
		}
		l.Samples = append(l.Samples, l.stopSample)
	}
	return nil
}

func (v *supervision) stopTable(n int, results []*stopResult) {
	header := []string{"supervisor"}
	for _, f := range stopFigures {
		header = append(header, f.name, "ratio")
	}
	t := v.table(fmt.Sprintf("Start, stop and restart, %s", children(n)),
		fmt.Sprintf("Started → the last child runs; signal → a child told, in its handler; signal → the supervisor has ended; a child killed → the next one runs, the first time. Medians of at most %d lives each, ratios to lastcall. Untold and left are children, in the worst of the lives.", v.Lives),
		append(header, "untold", "left")...)
	own := results[0]
	for _, r := range results {
		if len(r.Samples) == 0 {
			continue
		}
		cells := []string{r.Name}
		for i := range stopFigures {
			if value := r.figure(i); math.IsNaN(value) {
				cells = append(cells, "-", "-")
			} else {
				cells = append(cells, duration(value), ratio(value, own.figure(i)))
			}
		}
		untold, left := 0, 0
		for _, s := range r.Samples {
			untold, left = max(untold, s.Untold), max(left, s.Left)
		}
		t.row(append(cells, fmt.Sprint(untold), fmt.Sprint(left))...)
		v.result.Supervision.Stops = append(v.result.Supervision.Stops, *r)
	}
	v.stopTargets(n, own, results[1:])
}

// dinitName is the one that lastcall is to be level with; it is to be ahead of all others.
const dinitName = "dinit"

func (v *supervision) stopTargets(n int, own *stopResult, peers []*stopResult) {
	if len(own.Samples) == 0 {
		return
	}
	worst, who := math.Inf(-1), ""
	for i, f := range stopFigures {
		for _, r := range peers {
			share := own.figure(i) / r.figure(i)
			switch {
			case math.IsNaN(share):
			case r.Name == dinitName:
				v.target(Target{What: fmt.Sprintf("lastcall up, %s: %s, ratio to dinit", children(n), f.name), Limit: 1.2, Measured: share})
			case share > worst:
				worst, who = share, r.Name+", "+strings.ReplaceAll(f.name, ", ", " ")
			}
		}
	}
	if who != "" {
		v.target(Target{What: fmt.Sprintf("lastcall up, %s: the worst ratio to any other peer (%s)", children(n), who), Limit: 1, Measured: worst})
	}
}
