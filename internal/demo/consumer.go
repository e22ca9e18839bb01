package demo

import (
	"context"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
)

// consumers do the jobs of orders, each one job at a time, and note which jobs are in flight.
type consumers struct {
	store *store
	pause func() time.Duration // how long a job takes

	mu       sync.Mutex
	inHand   map[uint64]order
	finished []order
}

// Run is one consumer. A job that the hard stop cuts is not done; its order stays in the journal for the next run.
func (c *consumers) Run(ctx context.Context) error {
	return lastcall.DrainFunc(ctx, c.take, c.handle)
}

func (c *consumers) take(ctx context.Context) (order, error) {
	o, err := c.store.queue.take(ctx)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inHand[o.ID] = o
	}
	return o, err
}

func (c *consumers) handle(ctx context.Context, o order) error {
	err := lastcall.Sleep(ctx, c.pause())
	if err == nil {
		err = c.store.done(o)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.inHand, o.ID)
	if err == nil {
		c.finished = append(c.finished, o)
	}
	return err
}

// inFlight returns the jobs in flight.
func (c *consumers) inFlight() []order {
	c.mu.Lock()
	defer c.mu.Unlock()
	jobs := make([]order, 0, len(c.inHand))
	for _, o := range c.inHand {
		jobs = append(jobs, o)
	}
	return jobs
}

// allFinished returns the jobs that were done.
func (c *consumers) allFinished() []order {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finished
}
