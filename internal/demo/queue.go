package demo

import (
	"context"
	"sync"
)

// queue holds jobs in memory, as many as come. What is in it at the end is not lost: the journal has it.
type queue struct {
	mu    sync.Mutex
	jobs  []order
	avail chan struct{} // has a token while jobs is not empty
}

func newQueue() *queue { return &queue{avail: make(chan struct{}, 1)} }

func (q *queue) put(o order) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, o)
	q.signal()
}

// take waits for a job, until ctx ends.
func (q *queue) take(ctx context.Context) (order, error) {
	select {
	case <-ctx.Done():
		return order{}, ctx.Err()
	case <-q.avail:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	o := q.jobs[0]
	q.jobs = q.jobs[1:]
	q.signal()
	return o, nil
}

// signal lets one taker in if there is something to take.
func (q *queue) signal() {
	if len(q.jobs) == 0 {
		return
	}
	select {
	case q.avail <- struct{}{}:
	default:
	}
}
