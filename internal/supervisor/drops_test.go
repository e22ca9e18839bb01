//go:build unix

package supervisor

import (
	"context"
	"sync"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall/internal/rawhttp"
	"github.com/lastcall-go/lastcall/internal/testset"
)

// Clients that never retry get an answer to every request while the instances are replaced again and again.
func TestRollingRestartDropsNothing(t *testing.T) {
	addr := freeAddress(t)
	u := start(t, fileOf(t, serving("web", addr, "1", 2)))
	u.await("all 2 ready")
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var mu sync.Mutex
	var counts rawhttp.Counts
	for _, mode := range []rawhttp.Mode{rawhttp.NewConn, rawhttp.KeepAliveGET, rawhttp.KeepAlivePOST} {
		for range 2 {
			clients.Go(func() {
				c := rawhttp.NewClient(rawhttp.Target{Addr: addr, Mode: mode, Timeout: patience})
				defer c.Close()
				for ctx.Err() == nil {
					r := c.Exchange(context.Background())
					mu.Lock()
					counts[r.Class]++
					mu.Unlock()
					if r.Class != rawhttp.Answered {
						t.Errorf("%v: %v: %v", mode, r.Class, r.Err)
					}
				}
			})
		}
	}
	restarts := testset.Of(t, 4, 10)
	for range restarts {
		if err := u.Restart(t.Context(), []string{"web"}, new(said).add); err != nil {
			t.Error(err)
			break
		}
	}
	stop()
	clients.Wait()
	t.Logf("%d restarts of 2 instances, %d answers", restarts, counts[rawhttp.Answered])
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}
