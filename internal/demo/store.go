package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A store is the lowest layer: the journal, and the queue of jobs for its orders. As a worker it opens the file, and
// closes it when all workers that use it have returned.
type store struct {
	dir     string // of its files, created if needed; if "", a temporary one at the start
	queue   *queue
	news    chan struct{} // has a token since an order was taken
	lose    func(order) bool
	journal atomic.Pointer[journal]
	before  *contents // what the journal held at the start
	served  atomic.Int64
}

var errClosed = errors.New("the store is not open")

func (s *store) Run(ctx context.Context) error {
	if err := s.makeDir(); err != nil {
		return err
	}
	lastcall.Status(ctx, "replaying the journal")
	j, held, err := openJournal(s.path())
	if err != nil {
		return err
	}
	j.lose = s.lose
	s.before = held
	for _, o := range held.pending() {
		s.queue.put(o)
	}
	s.journal.Store(j)
	lastcall.Status(ctx, "")
	lastcall.Ready(ctx)
	<-ctx.Done()
	s.journal.Store(nil)
	return j.close()
}

func (s *store) makeDir() (err error) {
	if s.dir != "" {
		return os.MkdirAll(s.dir, 0o755)
	}
	s.dir, err = os.MkdirTemp("", "lastcall-demo-")
	return err
}

// path returns the path of the journal.
func (s *store) path() string { return filepath.Join(s.dir, "orders.journal") }

// take writes an order into the journal and queues its job. When it returns, the order survives a crash.
func (s *store) take(key string) (order, error) {
	j := s.journal.Load()
	if j == nil {
		return order{}, errClosed
	}
	o, err := j.add(key)
	if err == nil {
		s.queue.put(o)
		s.served.Add(1)
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
	return o, err
}

// done records that the job of o is done.
func (s *store) done(o order) error {
	j := s.journal.Load()
	if j == nil {
		return errClosed
	}
	return j.done(o)
}

// ReadyWithin makes the store's dependents wait until the journal is replayed.
func (s *store) ReadyWithin() time.Duration { return 10 * time.Second }
