package lastcalltest_test

import (
	"context"
	"regexp"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/lastcalltest"
)

// packer takes an order each 30 ms and packs it with pack.
func packer(work *lastcalltest.Work, pack func(loop, unit context.Context) error) lastcall.Worker {
	return lastcall.Func(func(loop context.Context) error {
		order := 0
		take := func(ctx context.Context) (int, error) {
			if err := lastcall.Sleep(ctx, 30*time.Millisecond); err != nil {
				return 0, err
			}
			order++
			work.Accept(order)
			return order, nil
		}
		return lastcall.Each(loop, take, func(unit context.Context, order int) error {
			err := pack(loop, unit)
			if err == nil {
				work.Finish(order)
			}
			return err
		})
	})
}

func slow(ctx context.Context) error { return lastcall.Sleep(ctx, 50*time.Millisecond) }

// A correct worker survives every round; each kind of wrong worker is found, whatever the seed, and its kind is named.
func TestStress(t *testing.T) {
	release := make(chan struct{})
	for _, test := range []struct {
		name  string
		start func(work *lastcalltest.Work) lastcall.Worker
		want  []string
	}{
		{"correct", func(work *lastcalltest.Work) lastcall.Worker {
			return packer(work, func(_, unit context.Context) error { return slow(unit) })
		}, nil},
		{"the wrong context", func(work *lastcalltest.Work) lastcall.Worker {
			return packer(work, func(loop, _ context.Context) error { return slow(loop) })
		}, []string{"worker: work lost, 1 unit: used the worker's context", "lost: accepted and not finished: "}},
		{"leaves work behind", func(work *lastcalltest.Work) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error {
				for i := 0; ctx.Err() == nil; i++ {
					work.Accept(i)
					if lastcall.Sleep(ctx, 10*time.Millisecond) == nil {
						work.Finish(i)
					}
				}
				return nil
			})
		}, []string{"lost: accepted and not finished: "}},
		{"panics when stopped early", func(*lastcalltest.Work) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error {
				var open map[string]int
				if lastcall.Sleep(ctx, 500*time.Millisecond) == nil {
					open = map[string]int{}
				}
				<-ctx.Done()
				open["a"]++
				return nil
			})
		}, []string{"failed: worker: panic: assignment to entry in nil map"}},
		{"ignores the stop", func(*lastcalltest.Work) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error { return stuck(ctx, release) })
		}, []string{"worker: abandoned"}},
		{"leaks a goroutine", func(*lastcalltest.Work) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error { return leaks(ctx, release) })
		}, []string{"left: worker"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release = make(chan struct{})
				defer close(release)
				got := record(func(tb testing.TB) { lastcalltest.Stress{Rounds: 200}.Run(tb, test.start) })
				expect(t, got, test.want...)
			})
		})
	}
}

// The seed in a failure stops the worker at the same instant again.
func TestStressSeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stops []time.Duration
		start := func(*lastcalltest.Work) lastcall.Worker {
			return lastcall.Func(func(ctx context.Context) error {
				began := time.Now()
				<-ctx.Done()
				stops = append(stops, time.Since(began))
				if stops[len(stops)-1] > 300*time.Millisecond {
					panic("too late")
				}
				return nil
			})
		}
		got := record(func(tb testing.TB) { lastcalltest.Stress{Within: time.Minute}.Run(tb, start) })
		found := regexp.MustCompile(`^round \d+ of 100, Stress\{Seed: (\d+), Rounds: 1\}: stopped after `).FindStringSubmatch(got)
		if found == nil {
			t.Fatalf("no seed in\n%s", got)
		}
		last := stops[len(stops)-1]
		seed, err := strconv.ParseUint(found[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		record(func(tb testing.TB) { lastcalltest.Stress{Within: time.Minute, Seed: seed, Rounds: 1}.Run(tb, start) })
		if again := stops[len(stops)-1]; again != last {
			t.Errorf("stopped after %v, and with the seed of that after %v", last, again)
		}
	})
}

// Stress is for virtual time.
func TestStressOutsideABubble(t *testing.T) {
	got := record(func(tb testing.TB) { lastcalltest.Stress{}.Run(tb, nil) })
	expect(t, got, "lastcalltest.Stress needs virtual time: call it inside synctest.Test")
}
