package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/bench/board"
)

// factResult is how one program behaved in one situation.
type factResult struct {
	Name   string `json:"name"`
	Fact   string `json:"fact"`
	Answer string `json:"answer"`
	Bad    bool   `json:"bad,omitempty"` // not what lastcall promises
}

// answer is what a fact was found to be.
type answer struct {
	text string
	bad  bool
}

// facts are the situations, each one life of a supervisor or more.
var facts = []struct {
	name string
	find func(context.Context, *supervision, *supervisor) (answer, error)
}{
	{"zombies as PID 1", zombies},
	{"orphan, same group", func(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
		return orphan(ctx, v, s, "group")
	}},
	{"orphan, own session", func(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
		return orphan(ctx, v, s, "session")
	}},
	{"child ignores the stop", stubborn},
	{"second signal", secondSignal},
	{"halted child", halted},
	{"own SIGKILL: the child", suddenDeath},
	{"1.5 s drain beside a fast child", drain},
	{"child exits 7", func(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
		return ownEnd(ctx, v, s, "exit:7", 7*time.Second)
	}},
	{"no such program", func(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
		return ownEnd(ctx, v, s, "/nonexistent/program", 4*time.Second)
	}},
}

// factsAtOnce is how many lives there are at the same time: they wait nearly always.
const factsAtOnce = 24

func (v *supervision) measureFacts(ctx context.Context) error {
	programs := slices.Concat(v.inits, v.several)
	v.progress("facts: %d of each of %d programs", len(facts), len(programs))
	results := make([][]factResult, len(programs))
	slots := make(chan struct{}, factsAtOnce)
	var all sync.WaitGroup
	for j, fact := range facts {
		for i, s := range programs {
			if j == 0 {
				results[i] = make([]factResult, len(facts))
			}
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				a, err := fact.find(ctx, v, s)
				if err != nil {
					a = answer{"? " + strings.ReplaceAll(err.Error(), "|", "/"), true}
				}
				results[i][j] = factResult{s.name, fact.name, a.text, a.bad}
			})
		}
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}

	header := []string{"program"}
	for _, fact := range facts {
		header = append(header, fact.name)
	}
	t := v.table("Facts",
		fmt.Sprintf("One child unless it says otherwise, each program as it is configured by default, observed for up to %v. An orphan is a grandchild whose parent is gone; signalled and left are said of the time of the stop.", v.Patience),
		header...)
	for i, s := range programs {
		cells, bad := []string{s.name}, 0
		for _, r := range results[i] {
			cells = append(cells, r.Answer)
			if r.Bad {
				bad++
			}
		}
		t.row(cells...)
		v.result.Supervision.Facts = append(v.result.Supervision.Facts, results[i]...)
		if s.program == "lastcall" {
			v.target(Target{What: s.name + ": facts that are not as promised", Limit: 0, Measured: float64(bad)})
		}
	}
	return nil
}

// living starts a supervisor with these children and lets it settle: some treat a child of less than a second otherwise.
func (v *supervision) living(ctx context.Context, s *supervisor, modes []string, how start) (*subject, error) {
	u, err := v.start(s, modes, how)
	if err != nil {
		return nil, err
	}
	if err := u.arrive(ctx, len(modes), startLimit(len(modes))); err == nil {
		err = sleep(ctx, 1500*time.Millisecond)
		if err == nil {
			return u, nil
		}
	}
	u.close()
	return nil, cmp.Or(ctx.Err(), fmt.Errorf("%s has not started", s.name))
}

func zombies(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
	if !v.forks {
		return answer{text: "not looked for"}, nil
	}
	u, err := v.living(ctx, s, []string{"orphan"}, start{pid1: true})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	all, n := processTable(), 0
	for _, pid := range descendants(u.root, all) {
		if all[pid].zombie {
			n++
		}
	}
	if n > 0 {
		return answer{"LEFT", true}, nil
	}
	return answer{text: "none"}, nil
}

func orphan(ctx context.Context, v *supervision, s *supervisor, mode string) (answer, error) {
	if !v.forks {
		return answer{text: "not looked for"}, nil
	}
	u, err := v.living(ctx, s, []string{mode}, start{})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	var grandchild *board.Slot
	for _, slot := range u.board.Slots() {
		if slot.Grandchild != 0 {
			grandchild = slot
		}
	}
	if grandchild == nil {
		return answer{}, fmt.Errorf("%s: there is no grandchild", s.name)
	}
	u.ask()
	ended := u.end(v.Patience)
	if err := sleep(ctx, 700*time.Millisecond); err != nil {
		return answer{}, err
	}
	a := answer{text: "signalled"}
	if grandchild.Told() == 0 {
		a = answer{"not signalled", true}
	}
	if runs(int(grandchild.PID)) {
		a = answer{a.text + ", left", true}
	}
	if !ended {
		a = answer{a.text + ", HANGS", true}
	}
	return a, nil
}

func stubborn(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
	u, err := v.living(ctx, s, []string{"ignore"}, start{})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	child := u.alive()
	if len(child) != 1 {
		return answer{}, fmt.Errorf("%s has %d children", s.name, len(child))
	}
	asked := u.ask()
	for end := time.Now().Add(v.Patience); runs(int(child[0].PID)); {
		if u.end(10*time.Millisecond) && u.left(500*time.Millisecond) {
			return answer{"left alone", true}, nil
		}
		if time.Now().After(end) {
			return answer{fmt.Sprintf("waits, over %.0f s", v.Patience.Seconds()), true}, nil
		}
	}
	return answer{text: fmt.Sprintf("killed after %.1f s", float64(monotonic()-asked)/1e9)}, nil
}

func secondSignal(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
	u, err := v.living(ctx, s, []string{"ignore"}, start{})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	child := u.alive()
	if len(child) != 1 {
		return answer{}, fmt.Errorf("%s has %d children", s.name, len(child))
	}
	u.ask()
	if u.end(time.Second) {
		return answer{"already gone", true}, nil
	}
	u.ask()
	for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); {
		if !runs(int(child[0].PID)) {
			return answer{text: "kills"}, nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return answer{}, err
		}
	}
	if child[0].Signals() > 1 {
		return answer{"forwarded", true}, nil
	}
	return answer{"ignored", true}, nil
}

func halted(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
	u, err := v.living(ctx, s, []string{"wait"}, start{})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	child := u.alive()
	if len(child) != 1 {
		return answer{}, fmt.Errorf("%s has %d children", s.name, len(child))
	}
	if err := syscall.Kill(int(child[0].PID), syscall.SIGSTOP); err != nil {
		return answer{}, err
	}
	if err := sleep(ctx, 200*time.Millisecond); err != nil {
		return answer{}, err
	}
	u.ask()
	ended := u.end(min(15*time.Second, v.Patience))
	switch {
	case child[0].Told() != 0:
		return answer{text: "told"}, nil
	case ended && runs(int(child[0].PID)):
		return answer{"left", true}, nil
	case ended:
		return answer{"killed untold", true}, nil
	}
	return answer{"waits", true}, nil
}

func suddenDeath(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
	u, err := v.living(ctx, s, []string{"wait"}, start{})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	child := u.alive()
	if len(child) != 1 {
		return answer{}, fmt.Errorf("%s has %d children", s.name, len(child))
	}
	u.signal(syscall.SIGKILL)
	if err := sleep(ctx, 1500*time.Millisecond); err != nil {
		return answer{}, err
	}
	if runs(int(child[0].PID)) {
		return answer{"lives on", true}, nil
	}
	return answer{text: "ends too"}, nil
}

func drain(ctx context.Context, v *supervision, s *supervisor) (answer, error) {
	modes := []string{"wait", "drain:1500"}
	if s.single {
		modes = modes[1:]
	}
	u, err := v.living(ctx, s, modes, start{})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	u.ask()
	u.end(min(20*time.Second, v.Patience))
	over := func() (told, done bool) {
		for _, slot := range u.board.Slots() {
			told, done = told || slot.Told() != 0, done || slot.Done() != 0
		}
		return told, done
	}
	if _, done := over(); done {
		return answer{text: "completed"}, nil
	}
	if err := sleep(ctx, 2*time.Second); err != nil {
		return answer{}, err
	}
	told, done := over()
	switch {
	case done:
		return answer{"completed, alone", true}, nil
	case told:
		return answer{"KILLED", true}, nil
	}
	return answer{"not told", true}, nil
}

// ownEnd is what the program makes of a child that ends by itself.
func ownEnd(ctx context.Context, v *supervision, s *supervisor, mode string, watch time.Duration) (answer, error) {
	u, err := v.start(s, []string{mode}, start{noRestart: true})
	if err != nil {
		return answer{}, err
	}
	defer u.close()
	if u.end(watch) {
		code := u.state.ExitCode()
		if status := u.state.Sys().(syscall.WaitStatus); status.Signaled() {
			return answer{"dies of " + status.Signal().String(), true}, nil
		}
		return answer{fmt.Sprintf("exits %d", code), code == 0}, ctx.Err()
	}
	if starts := u.board.Started(); starts > 1 {
		return answer{fmt.Sprintf("restarts it, %d times in %.0f s", starts-1, watch.Seconds()), true}, nil
	}
	return answer{"stays", true}, nil
}
