// Package sample measures one implementation once, in a process that does nothing else: it starts n workers, reads what
// they cost while they wait, tells them to stop and times how long it takes until all have returned.
//
// Every implementation is given the same work: a worker records its arrival with one atomic addition, blocks on whatever
// its implementation calls a stop, records with another that it was told, and returns.
package sample

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// Work is what the workers of one sample have in common.
type Work struct {
	N     int
	Names []string // one for each worker, made before anything is measured

	arrived, told atomic.Int64
	allArrived    chan struct{}
	groups        int // groups that are workers of another group
	callers       int // goroutines that stand in for the main goroutine
}

// Arrive is the first thing a worker does.
func (w *Work) Arrive() {
	if w.arrived.Add(1) == int64(w.N) {
		close(w.allArrived)
	}
}

// Told is the last thing a worker does, as soon as its stop has woken it.
func (w *Work) Told() { w.told.Add(1) }

// Call runs the blocking call in which a program's main goroutine would sit: the goroutine that it needs here is not
// one of the implementation's.
func (w *Work) Call(run func() error) (result <-chan error) {
	w.callers++
	done := make(chan error, 1)
	go func() { done <- run() }()
	return done
}

// Groups tells how many of the goroutines are groups nested in another, each of which is a worker itself.
func (w *Work) Groups(n int) { w.groups = n }

// An Implementation starts w.N workers and returns the function that tells all of them to stop and returns when all have
// returned. It need not wait until they have started.
type Implementation func(w *Work) (stop func() error)

// Sample is what one process measured.
type Sample struct {
	Workers    int     `json:"workers"`
	Groups     int     `json:"groups,omitempty"`
	Bytes      float64 `json:"bytes_per_worker"`   // live heap and stacks, while all wait
	Allocs     float64 `json:"allocs_per_worker"`  // from nothing to waiting
	Extra      int     `json:"extra_goroutines"`   // beyond the workers, the nested groups and the caller of Run
	Start      int64   `json:"start_ns"`           // until all have arrived
	Stop       int64   `json:"stop_ns"`            // told to stop → all returned
	StopCPU    int64   `json:"stop_cpu_ns"`        // of the process, meanwhile
	StopAllocs float64 `json:"stop_allocs"`        // a worker, during the stop
	StopBytes  float64 `json:"stop_bytes"`         // a worker, during the stop
	PeakRSS    int64   `json:"peak_rss,omitempty"` // bytes, of the process
}

// Main is the main function of a program that measures one implementation: it takes n from the command line and prints
// the sample as JSON.
func Main(implementation Implementation) {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: %s WORKERS", os.Args[0]))
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail(err)
	}
	if err := Print(implementation, n); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Print takes a sample and prints it.
func Print(implementation Implementation, n int) error {
	s, err := Take(implementation, n)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

// Take measures one implementation with n workers.
func Take(implementation Implementation, n int) (*Sample, error) {
	w := &Work{N: n, Names: names(n), allArrived: make(chan struct{})}
	before := settle()
	goroutines := runtime.NumGoroutine()

	started := time.Now()
	stop := implementation(w)
	<-w.allArrived
	start := time.Since(started)

	idle := settle()
	extra := runtime.NumGoroutine() - goroutines - n - w.groups - w.callers

	cpu, told := cpuTime(), time.Now()
	err := stop()
	stopped, stopCPU := time.Since(told), cpuTime()-cpu
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if err != nil {
		return nil, fmt.Errorf("the stop returned %w", err)
	}
	if got := w.told.Load(); got != int64(n) {
		return nil, fmt.Errorf("stopped after %d of %d workers had been told", got, n)
	}

	per := func(after, before uint64) float64 { return (float64(after) - float64(before)) / float64(n) }
	runtime.KeepAlive(w)
	return &Sample{
		Workers:    n,
		Groups:     w.groups,
		Bytes:      per(idle.HeapAlloc+idle.StackInuse, before.HeapAlloc+before.StackInuse),
		Allocs:     per(idle.Mallocs, before.Mallocs),
		Extra:      extra,
		Start:      start.Nanoseconds(),
		Stop:       stopped.Nanoseconds(),
		StopCPU:    stopCPU,
		StopAllocs: per(after.Mallocs, idle.Mallocs),
		StopBytes:  per(after.TotalAlloc, idle.TotalAlloc),
		PeakRSS:    peakRSS(),
	}, nil
}

// settle gives goroutines that have arrived the time to block, and reads the memory without garbage. The second
// collection frees what the first one only found: stacks of goroutines that ended, and pools.
func settle() *runtime.MemStats {
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &m
}

// names are slices of one string, so that they cost nobody anything once the sample has begun.
func names(n int) []string {
	const prefix = "worker-"
	width := len(prefix) + len(strconv.Itoa(n))
	all := make([]byte, 0, n*width)
	for i := range n {
		all = fmt.Appendf(all, "%s%0*d", prefix, width-len(prefix), i)
	}
	text, names := string(all), make([]string, 0, n)
	for i := range n {
		names = append(names, text[i*width:(i+1)*width])
	}
	return slices.Clip(names)
}
