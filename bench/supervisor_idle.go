package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// idleChildren is what one supervisor with so many idle children did while it waited.
type idleChildren struct {
	Name      string        `json:"name"`
	Children  int           `json:"children"`
	Window    time.Duration `json:"window_ns"`
	Usage     usage         `json:"usage"`
	Processes int           `json:"processes"`
	Memory    int64         `json:"pss"`

	subject *subject
	pids    []int // of the supervisor
	before  usage
}

func (r *idleChildren) wakeups() float64 {
	return float64(r.Usage.Waits+r.Usage.Preempted) / r.Window.Minutes()
}
func (r *idleChildren) cpu() float64 { return float64(r.Usage.CPU) / r.Window.Minutes() }

// settle is how long the idle ones are left alone before they are watched: some arm a timer of half a minute at each start.
const settle = 35 * time.Second

const nameFloor = "Go, waits for a signal"

// measureIdle has all supervisors with all numbers of children idle at the same time: what is counted does not depend on
// the neighbours.
func (v *supervision) measureIdle(ctx context.Context) error {
	rest := min(settle, v.Watch) // there is nothing to wait for where nothing is looked at
	v.progress("idle: every supervisor with %v children, for %v after %v", v.Children, v.Watch, rest)
	var all []*idleChildren
	defer func() {
		for _, r := range all {
			r.subject.close()
		}
	}()
	begin := func(s *supervisor) error {
		for _, n := range slices.Backward(v.Children) {
			u, err := v.idleSubject(ctx, s, n)
			switch {
			case err == nil:
				all = append(all, &idleChildren{Name: s.name, Children: n, Window: v.Watch, subject: u})
			case s.name == nameUp || ctx.Err() != nil:
				return err
			default:
				v.skip(fmt.Sprintf("%s, idle with %s", s.name, children(n)), err)
			}
		}
		return nil
	}
	// lastcall is the last, just before what it is compared with: a Go program collects its garbage at the age of two
	// minutes at the latest, which is to be within the window for both or for none.
	for _, s := range slices.Backward(v.several) {
		if err := begin(s); err != nil {
			return err
		}
	}
	floor := &supervisor{name: nameFloor, path: v.goKid, configure: func(_ string, children [][]string, _ bool) ([]string, error) {
		return children[0], nil
	}}
	u, err := v.start(floor, waits(1), start{})
	if err != nil {
		return err
	}
	all = append(all, &idleChildren{Name: nameFloor, Window: v.Watch, subject: u})
	if err := u.arrive(ctx, 1, startLimit(1)); err != nil {
		return err
	}
	if err := sleep(ctx, rest); err != nil {
		return err
	}

	table := processTable()
	for _, r := range all {
		r.pids = r.subject.processes(table)
		r.Processes = len(r.pids)
	}
	for _, r := range all {
		if r.before, err = r.look(); err != nil {
			return err
		}
	}
	if err := sleep(ctx, v.Watch); err != nil {
		return err
	}
	for _, r := range all {
		after, err := r.look()
		if err != nil {
			return err
		}
		r.Usage = after.since(r.before)
	}
	for _, r := range all {
		r.Memory = proportional(r.pids)
	}
	v.idleTables(all)
	return nil
}

// idleSubject is a supervisor with n children that wait. It runs from a copy of its file, so that its memory
// is not shared with that of the other numbers of children.
func (v *supervision) idleSubject(ctx context.Context, s *supervisor, n int) (*subject, error) {
	program := filepath.Join(v.bench.dir, fmt.Sprintf("%s-%d", s.program, n))
	if err := copyProgram(program, s.path); err != nil {
		return nil, err
	}
	u, err := v.start(s, waits(n), start{program: program})
	if err != nil {
		return nil, err
	}
	if err := u.arrive(ctx, n, startLimit(n)); err != nil {
		u.close()
		return nil, err
	}
	return u, nil
}

func copyProgram(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o777)
	if err != nil {
		return err
	}
	defer target.Close()
	_, err = io.Copy(target, source)
	return err
}

// look adds up what the threads of all its processes have done so far.
func (r *idleChildren) look() (sum usage, err error) {
	for _, pid := range r.pids {
		u, err := threadUsage(pid)
		if err != nil {
			return sum, fmt.Errorf("%s: %w", r.Name, err)
		}
		sum.Waits += u.Waits
		sum.Preempted += u.Preempted
		sum.CPU += u.CPU
		sum.Threads += u.Threads
	}
	return sum, nil
}

// The limits on lastcall's memory in MB, and on its threads.
var memoryLimits = map[int]float64{1: 6, 100: 8, 1000: 20}

const threadLimit = 12

func (v *supervision) idleTables(all []*idleChildren) {
	find := func(name string, n int) *idleChildren {
		for _, r := range all {
			if r.Name == name && (r.Children == n || name == nameFloor) {
				return r
			}
		}
		return nil
	}
	floor := find(nameFloor, 0)
	for _, n := range v.Children {
		t := v.table(fmt.Sprintf("Idle supervisors, %s", children(n)),
			fmt.Sprintf("Wake-ups a minute (context switches, voluntary and not, of all threads of all processes that a supervisor consists of), all watched in the same %v; memory is proportional (PSS). %s is what the runtime itself does. Ratios to lastcall.", v.Watch, nameFloor),
			"supervisor", "wake-ups", "CPU a minute", "ratio", "memory", "ratio", "threads", "processes")
		own := find(nameUp, n)
		row := func(r *idleChildren) {
			t.row(r.Name, figures(r.wakeups()), duration(r.cpu()), ratio(r.cpu(), own.cpu()),
				megabytes(r.Memory), ratio(float64(r.Memory), float64(own.Memory)), fmt.Sprint(r.Usage.Threads), fmt.Sprint(r.Processes))
		}
		row(floor)
		for _, s := range v.several {
			if r := find(s.name, n); r != nil {
				row(r)
				v.result.Supervision.Idle = append(v.result.Supervision.Idle, *r)
			}
		}
		what := fmt.Sprintf("lastcall up, %s: ", children(n))
		v.target(Target{What: what + "wake-ups a minute beyond the runtime's", Limit: 0, Measured: own.wakeups() - floor.wakeups()})
		v.target(Target{What: what + "threads", Limit: threadLimit, Measured: float64(own.Usage.Threads)})
		if limit := memoryLimits[n]; limit > 0 {
			v.target(Target{What: what + "memory, MB", Limit: limit, Measured: float64(own.Memory) / 1e6})
		}
	}
	v.result.Supervision.Idle = append(v.result.Supervision.Idle, *floor)
}

func megabytes(bytes int64) string { return figures(float64(bytes)/1e6) + " MB" }

// children is "1 child" or "10 children".
func children(n int) string {
	if n == 1 {
		return "1 child"
	}
	return fmt.Sprintf("%d children", n)
}
