package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/lastcall-go/lastcall/bench/sample"
)

// candidate is an implementation whose workers are measured.
type candidate struct {
	name    string
	knows   string
	command []string // to which the number of workers is added
	peer    bool
}

// workerResult is what was measured of one candidate with one number of workers.
type workerResult struct {
	Name    string           `json:"name"`
	Knows   string           `json:"knows,omitempty"`
	Workers int              `json:"workers"`
	Samples []*sample.Sample `json:"samples"`

	peer bool
}

func (r *workerResult) bytes() float64 {
	return r.median(func(s *sample.Sample) float64 { return s.Bytes })
}
func (r *workerResult) allocs() float64 {
	return r.median(func(s *sample.Sample) float64 { return s.Allocs })
}
func (r *workerResult) start() float64 {
	return r.median(func(s *sample.Sample) float64 { return float64(s.Start) })
}
func (r *workerResult) stop() float64 {
	return r.median(func(s *sample.Sample) float64 { return float64(s.Stop) })
}
func (r *workerResult) stopCPU() float64 {
	return r.median(func(s *sample.Sample) float64 { return float64(s.StopCPU) })
}
func (r *workerResult) extra() int {
	return int(r.median(func(s *sample.Sample) float64 { return float64(s.Extra) }))
}
func (r *workerResult) peak() float64 {
	return r.median(func(s *sample.Sample) float64 { return float64(s.PeakRSS) })
}
func (r *workerResult) median(figure func(*sample.Sample) float64) float64 {
	return medianOf(r.Samples, figure)
}

// The names of the implementations that the targets are about.
const (
	nameHand     = "hand-written: channel, WaitGroup"
	nameNoLabels = "lastcall, no labels"
	nameLastcall = "lastcall"
	nameGroups   = "lastcall, in groups of 10"
)

// bytesPerWorker is what a million workers are expected to need at most, with what the collector adds; less memory than
// that, and the measurement is skipped.
const bytesPerWorker = 8 << 10

func (b *bench) measureWorkers(ctx context.Context) error {
	own := func(name, knows, variant string) candidate {
		return candidate{name: name, knows: knows, command: []string{b.self, childCommand, "workers", variant}}
	}
	ours := []candidate{
		own(nameHand, "", "hand"),
		own(nameNoLabels, "name, state, times", "lastcall-nolabels"),
		own(nameLastcall, "name, state, times, stacks", "lastcall"),
	}
	if b.has("memory") || b.has("stop") {
		all := append(ours, own("hand-written: context, WaitGroup", "", "context"))
		for _, p := range peers {
			program, version, err := p.build(ctx, b.dir)
			if err != nil {
				b.skip(p.module, err)
				continue
			}
			all = append(all, candidate{
				name: p.name + " " + shortVersion(version), knows: p.knows, command: []string{program}, peer: true,
			})
		}
		for i, n := range b.Sizes {
			results, err := b.sampleWorkers(ctx, all, n, b.Samples[i])
			if err != nil {
				return err
			}
			b.workerTables(results, n)
			b.workerTargets(results, n)
		}
		if err := b.goroutineTable(ctx, own(nameGroups, "", "lastcall-groups")); err != nil {
			return err
		}
	}
	if !b.has("million") {
		return nil
	}
	if free, need := memory("MemAvailable"), int64(b.Million)*bytesPerWorker; free > 0 && free < need {
		b.skip(thousands(b.Million)+" workers", fmt.Errorf("%d MB of memory are free, %d MB may be needed", free>>20, need>>20))
		return nil
	}
	results, err := b.sampleWorkers(ctx, ours, b.Million, 3)
	if err != nil {
		return err
	}
	b.millionTable(results)
	b.workerTargets(results, b.Million)
	return nil
}

// sampleWorkers takes the samples in turns, so that what else the machine does falls on all alike.
func (b *bench) sampleWorkers(ctx context.Context, candidates []candidate, n, rounds int) ([]*workerResult, error) {
	results := make([]*workerResult, len(candidates))
	for i, c := range candidates {
		results[i] = &workerResult{Name: c.name, Knows: c.knows, Workers: n, peer: c.peer}
	}
	for round := range rounds {
		b.progress("%s workers, round %d of %d", thousands(n), round+1, rounds)
		for i, c := range candidates {
			s, err := takeSample(ctx, append(c.command[:len(c.command):len(c.command)], strconv.Itoa(n)))
			if err != nil {
				return nil, fmt.Errorf("%s with %d workers: %w", c.name, n, err)
			}
			results[i].Samples = append(results[i].Samples, s)
		}
	}
	for _, r := range results {
		b.result.Workers = append(b.result.Workers, *r)
	}
	return results, nil
}

func takeSample(ctx context.Context, command []string) (*sample.Sample, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(err, errors.New(strings.TrimSpace(stderr.String())))
	}
	s := new(sample.Sample)
	return s, json.Unmarshal(text, s)
}

func (b *bench) workerTables(results []*workerResult, n int) {
	base, rounds := results[0], len(results[0].Samples)
	if b.has("memory") {
		t := b.table(fmt.Sprintf("Memory of an idle worker, %s workers", thousands(n)),
			fmt.Sprintf("Live heap and stacks a worker while all wait, after a collection (HeapAlloc + StackInuse); names are the caller's. Medians of %d processes each.", rounds),
			"implementation", "knows of a worker", "bytes", "ratio", "allocations", "goroutines")
		for _, r := range results {
			goroutines := 1 + float64(r.extra())/float64(n)
			t.row(r.Name, r.Knows, fmt.Sprintf("%.0f", r.bytes()), ratio(r.bytes(), base.bytes()),
				fmt.Sprintf("%.1f", r.allocs()), strconv.FormatFloat(goroutines, 'g', 5, 64))
		}
	}
	if b.has("stop") {
		t := b.table(fmt.Sprintf("Soft stop, %s workers", thousands(n)),
			fmt.Sprintf("All told to stop → all returned, the processor time of the process meanwhile, and nothing → all arrived. Medians of %d processes each.", rounds),
			"implementation", "knows of a worker", "stop", "ratio", "CPU", "ratio", "start", "ratio")
		for _, r := range results {
			t.row(r.Name, r.Knows, duration(r.stop()), ratio(r.stop(), base.stop()),
				duration(r.stopCPU()), ratio(r.stopCPU(), base.stopCPU()), duration(r.start()), ratio(r.start(), base.start()))
		}
	}
}

func (b *bench) workerTargets(results []*workerResult, n int) {
	base := results[0]
	for _, r := range results {
		var memory float64
		switch r.Name {
		case nameNoLabels:
			memory = 1.10
		case nameLastcall:
			memory = 1.15
		default:
			continue
		}
		what := fmt.Sprintf("%s, %s workers: ", r.Name, thousands(n))
		b.target(Target{What: what + "memory, ratio", Limit: memory, Measured: r.bytes() / base.bytes()})
		b.target(Target{What: what + "stop, ratio", Limit: 1.25, Measured: r.stop() / base.stop()})
		b.target(Target{What: what + "start, ratio", Limit: 1.5, Measured: r.start() / base.start()})
		b.target(Target{What: what + "goroutines beyond the workers and the caller of Run", Limit: 0, Measured: float64(r.extra())})
		if fastest := fastestWithNames(results); fastest != nil {
			b.target(Target{What: what + "stop, to the fastest peer that knows names, " + fastest.Name, Limit: 1, Measured: r.stop() / fastest.stop()})
		}
	}
}

// fastestWithNames is the peer that stops fastest of those that know their workers by name; nil if there is none.
func fastestWithNames(results []*workerResult) (fastest *workerResult) {
	for _, r := range results {
		if r.peer && r.Knows != "" && (fastest == nil || r.stop() < fastest.stop()) {
			fastest = r
		}
	}
	return fastest
}

// goroutineTable shows that a group costs no goroutine beyond that of the worker which it is.
func (b *bench) goroutineTable(ctx context.Context, groups candidate) error {
	results, err := b.sampleWorkers(ctx, []candidate{groups}, b.Sizes[0], 1)
	if err != nil {
		return err
	}
	r, s := results[0], results[0].Samples[0]
	t := b.table("Goroutines of idle groups",
		"A group that is a worker of another group runs on that worker's goroutine, and on no other.",
		"implementation", "workers", "groups", "goroutines beyond", "a group")
	perGroup := float64(s.Extra) / float64(s.Groups)
	t.row(r.Name, fmt.Sprint(s.Workers), fmt.Sprint(s.Groups), fmt.Sprint(s.Extra), figures(perGroup))
	b.target(Target{What: "goroutines of an idle group", Limit: 0, Measured: perGroup})
	return nil
}

func (b *bench) millionTable(results []*workerResult) {
	base := results[0]
	t := b.table(thousands(base.Workers)+" workers",
		fmt.Sprintf("They start, wait and stop. Medians of %d processes each.", len(base.Samples)),
		"implementation", "bytes", "ratio", "start", "ratio", "stop", "ratio", "CPU", "ratio", "peak memory")
	for _, r := range results {
		t.row(r.Name, fmt.Sprintf("%.0f", r.bytes()), ratio(r.bytes(), base.bytes()),
			duration(r.start()), ratio(r.start(), base.start()), duration(r.stop()), ratio(r.stop(), base.stop()),
			duration(r.stopCPU()), ratio(r.stopCPU(), base.stopCPU()), fmt.Sprintf("%.2f GB", r.peak()/1e9))
	}
}

// shortVersion is a version without a commit's date and hash.
func shortVersion(version string) string {
	if parts := strings.Split(version, "-"); len(parts) == 3 && len(parts[1]) == 14 {
		return parts[0] + "-" + parts[1][:8]
	}
	return version
}
