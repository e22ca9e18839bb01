package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// While nothing happens nothing runs: the threads of this process wake up no more often with children than without. A tick a second,
// for all or for each child, would be seen.
func TestIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("looks on for some seconds")
	}
	const seconds, more = 6, 4
	none := switches(t, seconds)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	group := &lastcall.Group{Grace: limit}
	for i := range 20 {
		group.Add(fmt.Sprintf("sleep%d", i), &Process{Command: []string{"sleep", "1000"}, Notify: i%2 == 0})
	}
	done := make(chan error, 1)
	go func() { done <- group.Run(ctx) }()
	eventually(t, "all are ready", func() bool { return group.Ready() == nil })
	some := none + more + 1
	for range 3 { // the runtime has work of its own now and then
		if some = switches(t, seconds); some <= none+more {
			break
		}
	}
	t.Logf("%d context switches in %d s without children, %d with 20", none, seconds, some)
	if some > none+more {
		t.Errorf("%d context switches in %d s with children, %d without: something wakes up", some, seconds, none)
	}
	cancel()
	noError(t, <-done)
}

// switches counts the voluntary context switches of all threads of this process while nothing is asked of it for some seconds,
// without the one that waits for these.
func switches(t *testing.T, seconds int) int {
	t.Helper()
	count := func() (sum int) {
		threads, err := filepath.Glob("/proc/self/task/*/status")
		noError(t, err)
		for _, path := range threads {
			if _, err := os.Stat(path); err != nil {
				continue // it has ended
			}
			var n int
			fmt.Sscan(field(t, path, "voluntary_ctxt_switches:"), &n)
			sum += n
		}
		return sum
	}
	time.Sleep(time.Second) // what was asked before has come to rest
	before := count()
	time.Sleep(time.Duration(seconds) * time.Second)
	return count() - before
}
