package process

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/testset"
)

// Hundreds of children: the threads do not grow with them, and all of them stop.
func TestManyChildren(t *testing.T) {
	n := testset.Of(t, 200, 1000)
	group := &lastcall.Group{Grace: limit, HardStop: limit, NoLabels: true}
	processes := make([]*Process, n)
	for i := range processes {
		processes[i] = &Process{Command: []string{"sleep", "1000"}}
		group.Add(fmt.Sprintf("sleep%d", i), processes[i])
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	before := field(t, "/proc/self/status", "Threads:")
	began := time.Now()
	go func() { done <- group.Run(ctx) }()
	eventually(t, "all are ready", func() bool { return group.Ready() == nil })
	started := time.Since(began)
	runtime.GC()
	threads, pss := field(t, "/proc/self/status", "Threads:"), field(t, "/proc/self/smaps_rollup", "Pss:")
	began = time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	stopped := time.Since(began)
	after := field(t, "/proc/self/status", "Threads:")
	t.Logf("%d children: started in %v, stopped in %v, %s threads (%s before, %s after), %s kB PSS",
		n, started.Round(time.Millisecond), stopped.Round(time.Millisecond), threads, before, after, pss)
	var most, had int
	fmt.Sscan(after, &most)
	fmt.Sscan(before, &had)
	if most > max(12, had) {
		t.Errorf("%d threads, %d before", most, had)
	}
	for _, p := range processes {
		if exit, ok := p.Exit(); !ok || exit.Signal == 0 {
			t.Fatalf("a child ended: %v", exit)
		}
	}
}

// field is the number behind a name in a file of /proc.
func field(t *testing.T, path, name string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.Fields(rest)[0]
		}
	}
	t.Fatalf("no %s in %s", name, path)
	return ""
}
