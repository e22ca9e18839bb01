package library

import (
	"context"

	"github.com/oklog/run"

	"github.com/lastcall-go/lastcall"
)

// region before
func oklogBefore(ctx context.Context, s *shop, e *exporter) error {
	var g run.Group
	g.Add(run.ContextHandler(ctx)) // or run.SignalHandler
	packing, cancel := context.WithCancel(ctx)
	g.Add(func() error { return s.consume(packing) }, func(error) { cancel() })
	g.Add(e.Run, func(error) { e.Close() }) // it does not return, so Run does not
	return g.Run()
}

// region after
func oklogAfter(s *shop, e *exporter) *lastcall.Group {
	var group lastcall.Group
	group.Go("packer", func(ctx context.Context) error {
		return lastcall.Drain(ctx, s.queue, s.pack)
	})
	group.Go("exporter", Actor(e.Run, func(error) { e.Close() })) // abandoned by name, with its stack
	return &group
}

// region end

// consume takes and packs orders, all under one context.
func (s *shop) consume(ctx context.Context) error {
	for {
		order, err := s.take(ctx)
		if err != nil {
			return nil
		}
		if err := s.pack(ctx, order); err != nil {
			return err
		}
	}
}

// An exporter has the shape of oklog's actors. Close is to make Run return, and does not: the other side does not answer.
type exporter struct{ answer chan struct{} }

func newExporter() *exporter { return &exporter{answer: make(chan struct{})} }

// Run waits for the other side.
func (e *exporter) Run() error {
	<-e.answer
	return nil
}

// Close asks Run to return.
func (e *exporter) Close() {}
