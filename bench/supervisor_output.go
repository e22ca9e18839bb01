package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// outputResult is what passing the output of children on cost one supervisor.
type outputResult struct {
	Name    string         `json:"name"`
	To      string         `json:"to"` // pipe or file
	Samples []outputSample `json:"samples"`
}

type outputSample struct {
	Time  time.Duration `json:"time_ns"` // the first child began to write → the last line arrived
	CPU   time.Duration `json:"cpu_ns"`  // of the supervisor meanwhile
	Whole int           `json:"whole"`   // lines that arrived as they were written, in their child's order
	Mixed int           `json:"mixed"`   // lines that have something of a child in them and are not whole
}

const (
	outputChildren = 4
	outputLine     = 100 // bytes
)

// measureOutput has children write through those that put a name before each line.
func (v *supervision) measureOutput(ctx context.Context) error {
	prefixing := []string{nameUp, "hivemind", "goreman", "process-compose"}
	var measured []*supervisor
	for _, s := range v.several {
		if slices.Contains(prefixing, s.name) {
			measured = append(measured, s)
		}
	}
	total := v.Lines * outputChildren
	v.progress("output: %d lines through each of %d, %d times", total, len(measured), v.Outputs)
	for _, to := range []string{"pipe", "file"} {
		results := make([]*outputResult, len(measured))
		for i, s := range measured {
			results[i] = &outputResult{Name: s.name, To: to}
		}
		for round := range v.Outputs {
			for i := range results {
				i = (i + round) % len(results)
				sample, err := v.outputOnce(ctx, measured[i], to)
				if err != nil {
					return err
				}
				results[i].Samples = append(results[i].Samples, sample)
			}
		}
		v.outputTable(to, results)
	}
	return nil
}

func (v *supervision) outputOnce(ctx context.Context, s *supervisor, to string) (sample outputSample, err error) {
	modes := make([]string, outputChildren)
	for i := range modes {
		modes[i] = fmt.Sprintf("write:%d:%d", i, v.Lines)
	}
	var sink sink
	if to == "pipe" {
		sink, err = newPipeSink(v.Lines * outputChildren * outputLine * 3 / 2)
	} else {
		sink, err = newFileSink(filepath.Join(v.dir, "output"))
	}
	if err != nil {
		return sample, err
	}
	u, err := v.start(s, modes, start{stdout: sink.end()})
	if err != nil {
		sink.close()
		return sample, err
	}
	closed := false
	defer func() {
		if !closed {
			u.close()
			sink.close()
		}
	}()
	if err := u.arrive(ctx, outputChildren, startLimit(outputChildren)); err != nil {
		return sample, err
	}
	if err := sleep(ctx, 300*time.Millisecond); err != nil { // they begin to write after 500 ms
		return sample, err
	}
	before, _ := processOf(u.root)
	slots := u.board.Slots()
	began := slots[0].Started()
	for _, slot := range slots {
		began = min(began, slot.Started())
	}
	began += (500 * time.Millisecond).Nanoseconds()

	// It is over when all have written everything, and nothing has arrived for a while.
	quiet := func() bool {
		for _, slot := range slots {
			if slot.Done() == 0 {
				return false
			}
		}
		return monotonic()-sink.last() > (500 * time.Millisecond).Nanoseconds()
	}
	for end := time.Now().Add(2 * time.Minute); !quiet(); {
		if u.hasEnded() || time.Now().After(end) {
			return sample, fmt.Errorf("%s has not passed everything on: %v %s", s.name, u.state, u.said())
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return sample, err
		}
	}
	after, _ := processOf(u.root)
	sample.CPU = after.cpu - before.cpu
	sample.Time = time.Duration(sink.last() - began)
	u.close()
	closed = true
	text, err := sink.close()
	if err != nil {
		return sample, err
	}
	sample.Whole, sample.Mixed = wholeLines(text)
	return sample, nil
}

// wholeLines counts the lines that arrived as programs/kid.c wrote them, each child's in order, and those that are damaged.
// What a supervisor puts before a line or says itself is left aside.
func wholeLines(text []byte) (whole, damaged int) {
	next := make(map[string]int)
	for line := range bytes.Lines(text) {
		at := bytes.IndexByte(line, '#')
		if at < 0 {
			if bytes.Contains(line, []byte("xxx")) {
				damaged++
			}
			continue
		}
		line = bytes.TrimRight(line[at:], "\r\n")
		if len(line) != outputLine-1 || line[len(line)-1] != '.' || bytes.Count(line, []byte("x")) != outputLine-1-len("#00:000000000:.") {
			damaged++
			continue
		}
		id, number := string(line[1:3]), string(line[4:13])
		if n, err := strconv.Atoi(number); err != nil || n != next[id] {
			damaged++
			next[id] = n + 1
			continue
		}
		next[id]++
		whole++
	}
	return whole, damaged
}

func (v *supervision) outputTable(to string, results []*outputResult) {
	total := v.Lines * outputChildren
	bytes := float64(total * outputLine)
	t := v.table("Output through a supervisor, to a "+to,
		fmt.Sprintf("%d children write %d lines of %d bytes each as fast as they can; with all prefixes on. The supervisor's processor time is for each GB of what they wrote. Damaged: lines that were mixed, cut or out of order. Medians of %d runs, ratios to lastcall.", outputChildren, v.Lines, outputLine, v.Outputs),
		"supervisor", "lines a second", "MB a second", "ratio", "CPU a GB", "ratio", "lost", "damaged")
	rate := func(r *outputResult) float64 {
		return bytes / medianOf(r.Samples, func(s outputSample) float64 { return s.Time.Seconds() })
	}
	cpu := func(r *outputResult) float64 {
		return medianOf(r.Samples, func(s outputSample) float64 { return float64(s.CPU) }) / bytes * 1e9
	}
	own := results[0]
	for _, r := range results {
		lost, damaged := 0, 0
		for _, s := range r.Samples {
			lost, damaged = max(lost, total-s.Whole-s.Mixed), max(damaged, s.Mixed)
		}
		t.row(r.Name, fmt.Sprintf("%.0f", rate(r)/outputLine), figures(rate(r)/1e6), ratio(rate(r), rate(own)),
			duration(cpu(r)), ratio(cpu(r), cpu(own)), fmt.Sprint(lost), fmt.Sprint(damaged))
		v.result.Supervision.Output = append(v.result.Supervision.Output, *r)
		if r == own {
			v.target(Target{What: "output to a " + to + ": lines of lastcall up lost or damaged", Limit: 0, Measured: float64(lost + damaged)})
			continue
		}
		v.target(Target{What: "output to a " + to + ": MB a second, ratio to " + r.Name, Limit: 1, AtLeast: true, Measured: rate(own) / rate(r)})
		v.target(Target{What: "output to a " + to + ": CPU a GB, ratio to " + r.Name, Limit: 1, Measured: cpu(own) / cpu(r)})
	}
}

// sink is where a supervisor's output goes.
type sink interface {
	end() *os.File          // the supervisor's end
	last() int64            // when something last arrived
	close() ([]byte, error) // everything that arrived; once the supervisor is gone
}
