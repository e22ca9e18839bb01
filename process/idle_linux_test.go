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

// While nothing happens nothing runs: with twenty children the threads of this process wake up less than once a second. A tick a
// second, for all or for each child, would be in every window. The runtime has work of its own for a while after the start, and on
// a busy machine for longer, so it is looked at until it has come to rest.
func TestIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("looks on for some seconds")
	}
	const seconds = 6
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	group := &lastcall.Group{Grace: limit}
	for i := range 20 {
		group.Add(fmt.Sprintf("sleep%d", i), &Process{Command: []string{"sleep", "1000"}, Notify: i%2 == 0})
	}
	done := make(chan error, 1)
	go func() { done <- group.Run(ctx) }()
	eventually(t, "all are ready", func() bool { return group.Ready() == nil })
	var seen []int
	for until := time.Now().Add(limit); ; {
		n := switches(t, seconds)
		if seen = append(seen, n); n < seconds {
			break
		}
		if time.Now().After(until) {
			t.Errorf("%d context switches in %d s each: something wakes up", seen, seconds)
			break
		}
	}
	t.Logf("%d context switches in windows of %d s with 20 children", seen, seconds)
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
	before := count()
	time.Sleep(time.Duration(seconds) * time.Second)
	return count() - before
}
