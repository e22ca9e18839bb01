package demo

import (
	"context"
	"sync"

	"github.com/lastcall-go/lastcall"
)

// A queue holds jobs in memory, without a limit. Jobs that are left at the end are not lost: the journal has them.
type queue struct {
	mu    sync.Mutex
	jobs  []order
	avail chan struct{} // has a token while jobs is not empty, and sometimes a stale one
}

func newQueue() *queue { return &queue{avail: make(chan struct{}, 1)} }

func (q *queue) put(o order) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, o)
	q.signal()
}

// take waits for a job until ctx ends, and after that returns a job only if there is one, as [lastcall.DrainFunc]
// requires. After the hard stop the queue counts as empty: its jobs are in the journal for the next run.
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

// first takes a job if there is one: another taker may have taken the job that the token was for.
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

// signal wakes one taker if there is a job.
func (q *queue) signal() {
	if len(q.jobs) == 0 {
		return
	}
	select {
	case q.avail <- struct{}{}:
	default:
	}
}
