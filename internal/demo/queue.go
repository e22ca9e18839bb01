package demo

import (
	"context"
	"sync"

	"github.com/lastcall-go/lastcall"
)

// queue holds jobs in memory, as many as come. What is in it at the end is not lost: the journal has it.
type queue struct {
	mu    sync.Mutex
	jobs  []order
	avail chan struct{} // has a token while jobs is not empty; it may have one that is out of date
}

func newQueue() *queue { return &queue{avail: make(chan struct{}, 1)} }

func (q *queue) put(o order) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, o)
	q.signal()
}

// take waits for a job until ctx ends, and returns one that is there after that, too, as [lastcall.DrainFunc] wants it. After the
// hard stop the queue is as good as empty: its jobs are in the journal for the next time.
func (q *queue) take(ctx context.Context) (order, error) {
	for {
		if ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-q.avail:
			}
		}
		if lastcall.Grace(ctx).Err() != nil {
			return order{}, lastcall.ErrEmpty
		}
		if o, ok := q.first(); ok {
			return o, nil
		}
		if ctx.Err() != nil {
			return order{}, lastcall.ErrEmpty
		}
	}
}

// first takes a job if there is one: the token may have come for one that another taker has had meanwhile.
func (q *queue) first() (o order, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.jobs) == 0 {
		return order{}, false
	}
	o, q.jobs = q.jobs[0], q.jobs[1:]
	q.signal()
	return o, true
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
