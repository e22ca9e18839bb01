package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// initResult is what one init added to the life of one program.
type initResult struct {
	Name  string    `json:"name"`
	Start []float64 `json:"start_ns"` // started → the program runs
	Told  []float64 `json:"told_ns"`  // signal → the program told
	Gone  []float64 `json:"gone_ns"`  // signal → the init has ended

	s *supervisor
}

// The programs without an init: what is measured is what an init adds to them.
const (
	nameBareC  = "none, a C program"
	nameBareGo = "none, a Go program"
)

func (v *supervision) measureInits(ctx context.Context) error {
	v.progress("inits: %d lives each", v.InitLives)
	bare := func(name, kid string) *supervisor {
		return &supervisor{name: name, path: kid, configure: func(_ string, children [][]string, _ bool) ([]string, error) {
			return children[0], nil
		}}
	}
	var results []*initResult
	for _, s := range slices.Concat(v.inits, []*supervisor{bare(nameBareC, v.kid), bare(nameBareGo, v.goKid)}) {
		results = append(results, &initResult{Name: s.name, s: s})
	}
	for round := range v.InitLives {
		for i := range results {
			if err := v.initOnce(ctx, results[(i+round)%len(results)]); err != nil {
				return err
			}
		}
	}

	t := v.table("Inits for one program",
		fmt.Sprintf("Started → the program runs; SIGTERM → the program told, in its handler; SIGTERM → the init has ended. Medians of %d lives each, ratios to lastcall.", v.InitLives),
		"init", "start", "ratio", "told", "ratio", "gone", "ratio")
	own, byName := results[0], make(map[string]*initResult)
	for _, r := range results {
		byName[r.Name] = r
		t.row(r.Name, duration(median(r.Start)), ratio(median(r.Start), median(own.Start)),
			duration(median(r.Told)), ratio(median(r.Told), median(own.Told)),
			duration(median(r.Gone)), ratio(median(r.Gone), median(own.Gone)))
		v.result.Supervision.Inits = append(v.result.Supervision.Inits, *r)
	}
	runtime := median(byName[nameBareGo].Start) - median(byName[nameBareC].Start)
	for _, name := range []string{"tini", "dumb-init"} {
		if r := byName[name]; r != nil {
			v.target(Target{What: "lastcall run: told, ratio to " + name + " plus a Go program's start", Limit: 1, Measured: median(own.Told) / (median(r.Told) + runtime)})
			v.target(Target{What: "lastcall run: gone, ratio to " + name + " plus a Go program's start", Limit: 1, Measured: median(own.Gone) / (median(r.Gone) + runtime)})
		}
	}
	return nil
}

func (v *supervision) initOnce(ctx context.Context, r *initResult) error {
	u, err := v.start(r.s, waits(1), start{})
	if err != nil {
		return err
	}
	defer u.close()
	if err := u.arrive(ctx, 1, startLimit(1)); err != nil {
		return err
	}
	slot := u.board.Slots()[0]
	if err := sleep(ctx, 10*time.Millisecond); err != nil {
		return err
	}
	asked := u.ask()
	if !u.end(20 * time.Second) {
		return fmt.Errorf("%s has not ended", r.Name)
	}
	if slot.Told() == 0 {
		return fmt.Errorf("%s has not told its program", r.Name)
	}
	r.Start = append(r.Start, float64(slot.Started()-u.began))
	r.Told = append(r.Told, float64(slot.Told()-asked))
	r.Gone = append(r.Gone, float64(u.endedAt-asked))
	return nil
}
