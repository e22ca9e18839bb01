package rawhttp

import (
	"context"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall"
)

// Load is many clients that send requests to one target, each one after the other.
type Load struct {
	Target  Target
	Clients int           // 0 is 16
	Pause   time.Duration // between a client's exchanges
	// UntilRefused ends a client when nobody listens any more, which is how a stop ends that has no successor.
	UntilRefused bool
	// Observe is told of each exchange, by the goroutine of its client.
	Observe func(client int, r Result)
}

// Run runs the clients until ctx ends, and returns how their exchanges ended. After the end of ctx no request is sent;
// those on their way are waited for, and connections that are being made are given up.
func (l Load) Run(ctx context.Context) Counts {
	clients := l.Clients
	if clients == 0 {
		clients = 16
	}
	var (
		mu    sync.Mutex
		total Counts
		all   sync.WaitGroup
	)
	for i := range clients {
		all.Go(func() {
			counts := l.client(ctx, i)
			mu.Lock()
			total.Add(counts)
			mu.Unlock()
		})
	}
	all.Wait()
	return total
}

func (l Load) client(ctx context.Context, i int) (counts Counts) {
	c := NewClient(l.Target)
	defer c.Close()
	for ctx.Err() == nil {
		r := c.Exchange(ctx)
		counts[r.Class]++
		if l.Observe != nil {
			l.Observe(i, r)
		}
		if l.UntilRefused && (r.Class == Refused || r.Class == Broken) {
			break
		}
		lastcall.Sleep(ctx, l.Pause)
	}
	return counts
}
