package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idleResult is what one program did while it waited.
type idleResult struct {
	Name    string        `json:"name"`
	Window  time.Duration `json:"window_ns"`
	Copies  []usage       `json:"copies"`
	Calls   *int          `json:"system_calls,omitempty"` // of a further copy, under strace
	command []string
	base    string // the name of the program that it is compared with

	running []*daemon
	before  []usage
	traced  *daemon
	trace   string
}

func (r *idleResult) minute(figure func(usage) int64) float64 {
	return medianOf(r.Copies, func(u usage) float64 { return float64(figure(u)) }) / r.Window.Minutes()
}
func (r *idleResult) waits() float64     { return r.minute(func(u usage) int64 { return u.Waits }) }
func (r *idleResult) mainWaits() float64 { return r.minute(func(u usage) int64 { return u.MainWaits }) }

// idleCopies is how many processes of each program are watched: which of its threads a Go program wakes up is chance.
const idleCopies = 3

// measureIdle watches all programs at the same time, through the same window.
func (b *bench) measureIdle(ctx context.Context) error {
	if _, err := threadUsage(os.Getpid()); err != nil {
		b.skip("idle", err)
		return nil
	}
	programs := b.idlePrograms(ctx)
	strace, err := exec.LookPath("strace")
	if err != nil {
		b.skip("the count of system calls", err)
	}
	defer func() {
		for _, p := range programs {
			for _, d := range append(p.running, p.traced) {
				if d != nil {
					d.stop()
				}
			}
		}
	}()
	for _, p := range programs {
		for range idleCopies {
			d, err := startDaemon(ctx, p.command)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			p.running = append(p.running, d)
		}
		if strace == "" {
			continue
		}
		p.trace = filepath.Join(b.dir, fmt.Sprintf("trace-%d", p.running[0].pid))
		p.traced, err = startDaemon(ctx, append([]string{strace, "-f", "-qq", "-ttt", "-o", p.trace}, p.command...))
		if err != nil {
			b.skip("the count of system calls", err)
			strace = ""
		}
	}

	b.progress("idle for %v", b.Window)
	if err := sleep(ctx, min(2*time.Second, b.Window)); err != nil { // until the start is over everywhere
		return err
	}
	begin := time.Now()
	for _, p := range programs {
		for _, d := range p.running {
			u, err := threadUsage(d.pid)
			if err != nil {
				return err
			}
			p.before = append(p.before, u)
		}
	}
	if err := sleep(ctx, b.Window); err != nil {
		return err
	}
	for _, p := range programs {
		p.Window = b.Window
		for i, d := range p.running {
			u, err := threadUsage(d.pid)
			if err != nil {
				return err
			}
			p.Copies = append(p.Copies, u.since(p.before[i]))
		}
		if p.traced != nil {
			calls, err := countCalls(p.trace, begin, begin.Add(b.Window))
			if err != nil {
				return err
			}
			p.Calls = &calls
		}
	}
	b.idleTable(programs)
	return nil
}

// The names of the programs that the targets are about.
const (
	idleHand     = "hand-written, signal.Notify"
	idleLastcall = "lastcall"
	seedHand     = "seed's workers, hand-written Go"
	seedLastcall = "seed's workers, lastcall"
)

func (b *bench) idlePrograms(ctx context.Context) []*idleResult {
	own := func(name, base, variant string) *idleResult {
		return &idleResult{Name: name, base: base, command: []string{b.self, childCommand, "daemon", variant, "2"}}
	}
	programs := []*idleResult{own(idleHand, idleHand, "hand"), own(idleLastcall, idleHand, "lastcall")}
	if program, err := b.compileC(ctx, "sigwait", sigwaitC); err != nil {
		b.skip("the C program", err)
	} else {
		programs = append(programs, &idleResult{Name: "C, sigwaitinfo", base: idleHand, command: []string{program}})
	}
	programs = append(programs, own(seedHand, seedHand, "seed-hand"), own(seedLastcall, seedHand, "seed-lastcall"))
	source := filepath.Join(b.dir, "seed.py")
	if err := os.WriteFile(source, seedPython, 0o666); err != nil {
		b.skip("Python", err)
		return programs
	}
	for _, name := range []string{"python3", "python2"} {
		interpreter, version, err := python(ctx, name)
		if err != nil {
			b.skip(name, err)
			continue
		}
		programs = append(programs, &idleResult{
			Name: "seed's workers, Python " + version, base: seedHand, command: []string{interpreter, source},
		})
	}
	return programs
}

func (b *bench) idleTable(programs []*idleResult) {
	t := b.table("Idle",
		fmt.Sprintf("Wake-ups a minute (voluntary context switches) of two workers and a main thread, all watched in the same %v; the seed's workers look up every ten seconds. Medians of %d processes each, system calls of one more under strace. The Go runtime itself wakes up once a minute.", b.Window, idleCopies),
		"program", "wake-ups", "ratio", "of the main thread", "preempted", "CPU", "system calls", "threads")
	byName := make(map[string]*idleResult)
	for _, p := range programs {
		byName[p.Name] = p
		calls := "-"
		if p.Calls != nil {
			calls = figures(float64(*p.Calls) / p.Window.Minutes())
		}
		t.row(p.Name, figures(p.waits()), ratio(p.waits(), byName[p.base].waits()), figures(p.mainWaits()),
			figures(p.minute(func(u usage) int64 { return u.Preempted })), duration(p.minute(func(u usage) int64 { return u.CPU })),
			calls, fmt.Sprint(medianOf(p.Copies, func(u usage) float64 { return float64(u.Threads) })))
		b.result.Idle = append(b.result.Idle, *p)
	}
	for _, pair := range [][2]string{{idleLastcall, idleHand}, {seedLastcall, seedHand}} {
		own, base := byName[pair[0]], byName[pair[1]]
		b.target(Target{What: "idle, " + own.Name + ": wake-ups a minute beyond hand-written", Limit: 0, Measured: own.waits() - base.waits()})
		b.target(Target{What: "idle, " + own.Name + ": of the main thread beyond hand-written", Limit: 0, Measured: own.mainWaits() - base.mainWaits()})
	}
}

// countCalls counts the system calls that began in the window, in what strace -f -ttt wrote.
func countCalls(file string, from, to time.Time) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	calls := 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || strings.HasPrefix(fields[2], "<...") || strings.HasPrefix(fields[2], "---") {
			continue
		}
		seconds, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			continue
		}
		if at := time.UnixMicro(int64(seconds * 1e6)); at.After(from) && at.Before(to) {
			calls++
		}
	}
	return calls, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
