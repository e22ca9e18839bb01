package demo

import (
	"context"
	"sync"
	"testing"
)

// However many put and take at once, every job is taken once.
func TestQueue(t *testing.T) {
	const jobs, takers = 20_000, 4
	q := newQueue()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken := make(chan uint64, jobs)
	var work sync.WaitGroup
	for range takers {
		work.Go(func() {
			for {
				o, err := q.take(ctx)
				if err != nil {
					return
				}
				taken <- o.ID
			}
		})
	}
	for i := range uint64(jobs) {
		q.put(order{ID: i})
	}
	seen := map[uint64]bool{}
	for range jobs {
		seen[<-taken] = true
	}
	if len(seen) != jobs {
		t.Errorf("%d of %d jobs were taken", len(seen), jobs)
	}
	cancel()
	work.Wait()
}
