package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall"
)

// measureOperations shows that what is done with one worker costs the same in a large group as in a small one.
func (b *bench) measureOperations(ctx context.Context) error {
	const rounds = 301
	sizes := []int{10, 1_000, b.Sizes[len(b.Sizes)-1]}
	t := b.table("Operations on one worker",
		fmt.Sprintf("The time that a call takes for one idle worker of a group. Medians of %d calls.", rounds),
		"workers in the group", "Stop", "Start", "Restart", "Replace", "Remove", "Go")
	var first []float64
	for _, n := range sizes {
		b.progress("operations on one of %s workers", thousands(n))
		medians, err := operations(ctx, n, rounds)
		if err != nil {
			return err
		}
		row := []string{thousands(n)}
		for _, m := range medians {
			row = append(row, duration(m))
		}
		t.row(row...)
		if first == nil {
			first = medians
			continue
		}
		worst := 0.0
		for i := range medians {
			worst = max(worst, medians[i]/first[i])
		}
		b.target(Target{What: fmt.Sprintf("operations on one of %s workers: the worst ratio to one of %d", thousands(n), sizes[0]), Limit: 1.5, Measured: worst})
	}
	return nil
}

// operations measures each operation on one worker after another of a group of n.
func operations(ctx context.Context, n, rounds int) (medians []float64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wait := lastcall.Func(func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
	g := new(lastcall.Group)
	for i := range n {
		g.Go("worker-"+strconv.Itoa(i), wait)
	}
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	for g.Ready() != nil {
		if err := lastcall.Sleep(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
	steps := []func(name string) error{
		func(name string) error { return g.Stop(ctx, name) },
		func(name string) error { return g.Start(ctx, name) },
		func(name string) error { return g.Restart(ctx, name) },
		func(name string) error { return g.Replace(ctx, name, wait) },
		func(name string) error { return g.Remove(ctx, name) },
		func(name string) error { g.Go(name, wait); return nil },
	}
	times := make([][]float64, len(steps))
	for round := range rounds {
		name := "worker-" + strconv.Itoa(round%n)
		for i, step := range steps {
			began := time.Now()
			if err := step(name); err != nil {
				return nil, fmt.Errorf("operation %d on %s of %d: %w", i, name, n, err)
			}
			times[i] = append(times[i], float64(time.Since(began)))
		}
	}
	for _, t := range times {
		medians = append(medians, median(t))
	}
	cancel()
	return medians, <-done
}
