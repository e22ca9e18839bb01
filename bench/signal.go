package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// signalResult is how long after the signal one program's worker knew of it, once for each process.
type signalResult struct {
	Name    string  `json:"name"`
	Latency []int64 `json:"latency_ns"`
	command []string
}

const nameSigwait = "C, sigwaitinfo"

// measureSignals sends one signal to each of many processes, in turns: a stop comes once in a process's life.
func (b *bench) measureSignals(ctx context.Context) error {
	own := func(name, variant string) *signalResult {
		return &signalResult{Name: name, command: []string{b.self, childCommand, "daemon", variant, "1"}}
	}
	programs := []*signalResult{own(idleHand, "hand"), own(idleLastcall, "lastcall")}
	if program, err := b.compileC(ctx, "sigwait", sigwaitC); err != nil {
		b.skip("the C program", err)
	} else {
		programs = append(programs, &signalResult{Name: nameSigwait, command: []string{program}})
	}
	b.progress("%d signals to each of %d programs", b.Signals, len(programs))
	runtime.LockOSThread() // the sender is not to wander while it takes the time
	defer runtime.UnlockOSThread()
	for range b.Signals {
		for _, p := range programs {
			latency, err := signalOnce(ctx, p.command)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			p.Latency = append(p.Latency, latency)
		}
	}

	t := b.table("Signal sent → worker told",
		fmt.Sprintf("SIGTERM to a process that sleeps; the time between kill(2) in the sender and the worker's next instruction, both on CLOCK_MONOTONIC. %d processes each. In C, the one thread that waits is the worker.", b.Signals),
		"program", "p50", "ratio", "p90", "p99", "ratio")
	base := programs[0].Latency
	for _, p := range programs {
		p50, p99 := percentile(p.Latency, 0.50), percentile(p.Latency, 0.99)
		t.row(p.Name, duration(p50), ratio(p50, percentile(base, 0.50)),
			duration(percentile(p.Latency, 0.90)), duration(p99), ratio(p99, percentile(base, 0.99)))
		b.result.Signals = append(b.result.Signals, *p)
	}
	own50 := percentile(programs[1].Latency, 0.50) / percentile(base, 0.50)
	own99 := percentile(programs[1].Latency, 0.99) / percentile(base, 0.99)
	b.target(Target{What: "signal sent → worker told: p50, ratio", Limit: 1.15, Measured: own50})
	b.target(Target{What: "signal sent → worker told: p99, ratio", Limit: 1.2, Measured: own99})
	return nil
}

func signalOnce(ctx context.Context, command []string) (int64, error) {
	d, err := startDaemon(ctx, command)
	if err != nil {
		return 0, err
	}
	time.Sleep(2 * time.Millisecond) // from "ready" to asleep
	sent := monotonic()
	printed, err := d.stop()
	if err != nil {
		return 0, err
	}
	var told int64
	if _, err := fmt.Sscanf(printed, "told %d", &told); err != nil {
		return 0, fmt.Errorf("it printed %q: %w", printed, err)
	}
	return told - sent, nil
}
