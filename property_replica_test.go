package lastcall_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
)

var (
	replicaPlans = flag.Int("replicaplans", 300, "how many random plans TestReplicaPlans plays")
	replicaSeed  = flag.Uint64("replicaseed", 0, "play only the plan of TestReplicaPlans with this seed")
)

// TestReplicaPlans has several callers scale, stop, start, restart, replace and remove members and single replicas at any instant.
// Every call returns. When nothing is under way no replica runs twice, and what a Scale that succeeded promised is so. The stop
// leaves nothing running.
func TestReplicaPlans(t *testing.T) {
	first, n := uint64(1), *replicaPlans
	if *replicaSeed != 0 {
		first, n = *replicaSeed, 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		bubble(t, func(t *testing.T) { newReplicaWorld(seed).play(t) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// replicaWorld is a group whose members have replicas of every temper.
type replicaWorld struct {
	seed uint64
	g    lastcall.Group

	mu      sync.Mutex
	rand    *rand.Rand
	running map[string]int // by replica
	calls   []string
	wrong   []string
}

func newReplicaWorld(seed uint64) *replicaWorld {
	return &replicaWorld{seed: seed, rand: rand.New(rand.NewPCG(seed, 11)), running: map[string]int{}}
}

func (w *replicaWorld) n(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(n)
}

// takes is how long something takes: often no time at all, so that things happen at the same instant.
func (w *replicaWorld) takes() time.Duration {
	return []time.Duration{0, 0, 10 * time.Millisecond, 10 * time.Millisecond, 300 * time.Millisecond}[w.n(5)]
}

func (w *replicaWorld) wrongf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// replica makes workers that are ready, fail and stop after a while.
func (w *replicaWorld) replica(name string) func(int) lastcall.Worker {
	return func(replica int) lastcall.Worker {
		return lastcall.Func(func(ctx context.Context) error {
			key := fmt.Sprintf("%s-%d", name, replica)
			if lastcall.Name(ctx) != key {
				w.wrongf("%s runs as %s", key, lastcall.Name(ctx))
			}
			w.mu.Lock()
			w.running[key]++
			w.mu.Unlock()
			defer func() {
				w.mu.Lock()
				w.running[key]--
				w.mu.Unlock()
			}()
			lastcall.Sleep(ctx, w.takes())
			if w.n(8) == 0 {
				return errors.New("broken")
			}
			lastcall.Ready(ctx)
			if w.n(8) == 0 {
				lastcall.Sleep(ctx, w.takes())
				return nil
			}
			<-ctx.Done()
			time.Sleep(w.takes())
			return nil
		})
	}
}

func (w *replicaWorld) options() []lastcall.Option {
	opts := []lastcall.Option{lastcall.AwaitReady(0), lastcall.Optional()}
	if w.n(2) == 0 {
		opts = append(opts, lastcall.Restart(lastcall.RestartPolicy{MinDelay: 10 * time.Millisecond, Limit: -1}))
	}
	return opts
}

// call is one operation, which may be refused.
func (w *replicaWorld) call(ctx context.Context) {
	member := string(rune('a' + w.n(3)))
	name, n := member, w.n(5)
	if w.n(2) == 0 {
		name = fmt.Sprintf("%s-%d", member, 1+w.n(3))
	}
	limit := 5 * time.Second // what is to start may wait for what is stopped
	if w.n(4) == 0 {
		limit = w.takes()
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	what, do := "", func() error { return nil }
	switch w.n(9) {
	case 0, 1, 2:
		what, do = fmt.Sprintf("Scale(%s, %d)", member, n), func() error { return w.g.Scale(ctx, member, n) }
	case 3:
		what, do = "Stop("+name+")", func() error { return w.g.Stop(ctx, name) }
	case 4:
		what, do = "Start("+name+")", func() error { return w.g.Start(ctx, name) }
	case 5:
		what, do = "Restart("+name+")", func() error { return w.g.Restart(ctx, name) }
	case 6:
		what, do = "Replace("+name+")", func() error {
			base, number, one := strings.Cut(name, "-")
			if !one {
				return w.g.ReplaceN(ctx, name, w.replica(name), w.options()...)
			}
			return w.g.Replace(ctx, name, w.replica(base)(int(number[0]-'0')), w.options()...)
		}
	case 7:
		what, do = "Remove("+name+")", func() error { return w.g.Remove(ctx, name) }
	case 8:
		what = "AddN(" + member + ")"
		do = func() error {
			w.g.AddN(member, n, w.replica(member), w.options()...)
			return nil
		}
	}
	err := do()
	w.mu.Lock()
	w.calls = append(w.calls, fmt.Sprintf("%s: %v", what, err))
	w.mu.Unlock()
}

func (w *replicaWorld) play(t *testing.T) {
	w.g.Grace, w.g.HardStop = time.Second, time.Second
	w.g.Observe = func(lastcall.Event) {}
	w.g.AddN("a", w.n(4), w.replica("a"), w.options()...)
	w.g.AddN("b", w.n(4), w.replica("b"), append(w.options(), lastcall.After("a"))...)
	w.g.AddN("c", w.n(4), w.replica("c"), append(w.options(), lastcall.Requires("b"))...)
	w.g.AddN("parked", 0, w.replica("parked"))
	stop := running(t, &w.g)
	var callers sync.WaitGroup
	for range 1 + w.n(3) {
		callers.Go(func() {
			for range w.n(8) {
				time.Sleep(w.takes())
				w.call(t.Context())
			}
		})
	}
	if w.n(3) == 0 {
		time.Sleep(w.takes()) // the stop comes in the middle of it
	} else {
		callers.Wait()
		w.atRest(t)
	}
	began := time.Now()
	_ = stop() // optional workers have failed, or not
	if took := time.Since(began); took > 2*time.Second {
		w.wrongf("the stop took %v", took)
	}
	callers.Wait()
	synctest.Wait()
	for key, n := range w.running {
		if n != 0 {
			w.wrongf("%s still runs", key)
		}
	}
	if len(w.wrong) > 0 {
		t.Errorf("%s\nafter\n%s", strings.Join(w.wrong, "\n"), strings.Join(w.calls, "\n"))
	}
}

// atRest scales when nothing else is under way, and looks at what is there.
func (w *replicaWorld) atRest(t *testing.T) {
	time.Sleep(time.Minute)
	n := w.n(4)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := w.g.Scale(ctx, "a", n)
	seen := map[string]bool{}
	replicas := 0
	for _, r := range w.g.Report().Workers {
		if seen[r.Name] {
			w.wrongf("at rest there are two of %s", r.Name)
		}
		seen[r.Name] = true
		if r.Member == "a" {
			replicas++
		}
		if want := fmt.Sprintf("%s-%d", r.Member, r.Replica); r.Name != want {
			w.wrongf("%s is %s", r.Name, want)
		}
	}
	w.mu.Lock()
	for key, n := range w.running {
		if n > 1 {
			w.wrong = append(w.wrong, fmt.Sprintf("at rest %s runs %d times", key, n))
		}
	}
	w.mu.Unlock()
	if err == nil && replicas != n {
		w.wrongf("a was scaled to %d, and there are %d", n, replicas)
	}
}
