//go:build unix

package check

import (
	"context"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
)

// events is an answer that goes on, such as server-sent events.
type events struct {
	client *rawhttp.Client
	ended  chan rawhttp.Result
	cancel context.CancelFunc
}

// openEvents sends the request, and returns when the head of the answer has come.
func openEvents(ctx context.Context, t *target) (stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	one := t.with(rawhttp.NewConn)
	one.Timeout, one.Cut = 24*time.Hour, true // it lives as long as the daemon
	head := make(chan int, 1)
	one.OnHead = func(status int) { head <- status }
	e := &events{client: rawhttp.NewClient(one), ended: make(chan rawhttp.Result, 1), cancel: cancel}
	go func() { e.ended <- e.client.Exchange(ctx) }()
	limit := time.NewTimer(askedWithin)
	defer limit.Stop()
	select {
	case status := <-head:
		if status < 300 {
			return e, nil
		}
		e.close()
		return nil, fmt.Errorf("the answer's status is %d", status)
	case r := <-e.ended:
		cancel()
		return nil, fmt.Errorf("%v: %w", r.Class, r.Err)
	case <-limit.C:
		e.close()
		return nil, fmt.Errorf("no answer within %v", askedWithin)
	}
}

func (e *events) await() streamEnd {
	r := <-e.ended
	switch r.Class {
	case rawhttp.Answered:
		return streamEnd{true, "the answer is whole", time.Now()}
	default:
		return streamEnd{false, "cut in the middle", time.Now()}
	}
}

func (e *events) close() { e.cancel() }
