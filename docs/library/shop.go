// Package library has the programs that docs/library.md shows: the same small shop, held together by other libraries and by
// lastcall. Its tests stop each and show what is lost and what is not. It is a module of its own, so that the other libraries
// are no requirement of lastcall.
package library

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A shop takes orders from a queue and packs each, which takes a second and ends with an entry in the store.
type shop struct {
	queue   chan string
	store   store
	packing func(ctx context.Context) error // what takes a second
}

func newShop() *shop {
	return &shop{
		queue:   make(chan string, 10),
		packing: func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Second) },
	}
}

// take waits for an order.
func (s *shop) take(ctx context.Context) (string, error) {
	select {
	case order := <-s.queue:
		return order, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// pack packs an order unless ctx ends meanwhile.
func (s *shop) pack(ctx context.Context, order string) error {
	if err := s.packing(ctx); err != nil {
		return err
	}
	return s.store.add(order)
}

// serve answers requests until ctx ends, and then those in flight, as http.Server does. Each answer acknowledges an order.
// There is one request, which takes until a second after the stop.
func (s *shop) serve(ctx context.Context) error {
	<-ctx.Done()
	time.Sleep(time.Second)
	s.queue <- "late order"
	return nil
}

// A store keeps entries until it is closed.
type store struct {
	mu      sync.Mutex
	closed  bool
	entries []string
}

func (s *store) add(entry string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the store is closed")
	}
	s.entries = append(s.entries, entry)
	return nil
}

// Close closes the store.
func (s *store) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Serve keeps the store open until ctx ends.
func (s *store) Serve(ctx context.Context) error {
	<-ctx.Done()
	return s.Close(ctx)
}
