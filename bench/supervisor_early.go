package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// earlyResult is what became of stops that came while a supervisor was starting.
type earlyResult struct {
	Name   string `json:"name"`
	Trials int    `json:"trials"`
	Hung   int    `json:"hung"`   // it had not ended after earlyLimit
	Left   int    `json:"left"`   // it had ended and left a process
	Untold int    `json:"untold"` // it had ended with a child that ran and was not told

	mu sync.Mutex
	s  *supervisor
}

const (
	earlySpan     = 20 * time.Millisecond // the instants are spread over so much
	earlyLimit    = 10 * time.Second
	earlyChildren = 3                // of those that can have several
	earlyTime     = 20 * time.Second // no more trials of one that is not lastcall after so long
)

// measureEarly stops each init and supervisor at instants spread over the first 20 ms of its life.
func (v *supervision) measureEarly(ctx context.Context) error {
	v.progress("signals at %d instants of the first %v", v.Trials, earlySpan)
	t := v.table(fmt.Sprintf("SIGTERM at any instant of the first %v", earlySpan),
		fmt.Sprintf("Supervisors with %d children. Lost: the signal had no effect, all runs on %v later. Left: a process lived on when it had ended. Untold: a child that ran was killed without having been told. Fewer trials where %d take longer than %v.", earlyChildren, earlyLimit, v.Trials, earlyTime),
		"program", "trials", "lost", "left", "untold")
	for _, s := range slices.Concat(v.inits, v.several) {
		r := &earlyResult{Name: s.name, s: s}
		if err := v.earlyTrials(ctx, r); err != nil {
			return err
		}
		t.row(r.Name, fmt.Sprint(r.Trials), fmt.Sprint(r.Hung), fmt.Sprint(r.Left), fmt.Sprint(r.Untold))
		v.result.Supervision.Early = append(v.result.Supervision.Early, earlyResult{Name: r.Name, Trials: r.Trials, Hung: r.Hung, Left: r.Left, Untold: r.Untold})
		if s.program == "lastcall" {
			v.target(Target{What: r.Name + ": early signals lost, and processes left", Limit: 0, Measured: float64(r.Hung + r.Left)})
		}
	}
	return nil
}

// earlyTrials has one trial begin after the other. How it ends is looked at beside the next ones: one that hangs would
// hold up the rest.
func (v *supervision) earlyTrials(ctx context.Context, r *earlyResult) error {
	n := earlyChildren
	if r.s.single {
		n = 1
	}
	var judging sync.WaitGroup
	defer judging.Wait()
	slots := make(chan struct{}, 16)
	began := time.Now()
	for i := range v.Trials {
		if time.Since(began) > earlyTime && r.s.program != "lastcall" {
			break
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		u, err := v.start(r.s, waits(n), start{})
		if err != nil {
			return err
		}
		time.Sleep(earlySpan * time.Duration(i) / time.Duration(v.Trials))
		u.ask()
		r.Trials++
		judging.Go(func() {
			r.judge(u)
			u.close()
			<-slots
		})
	}
	return nil
}

func (r *earlyResult) judge(u *subject) {
	ended := u.end(earlyLimit)
	left := ended && u.left(500*time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ended {
		r.Hung++
		u.v.progress("%s: lost with %d children started: %s", r.Name, u.board.Started(), u.said())
		return
	}
	if left {
		r.Left++
	}
	for _, slot := range u.board.Slots() {
		if slot.Told() == 0 && !runs(int(slot.PID)) {
			r.Untold++
			break
		}
	}
}
