package main

import (
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

func TestPsTable(t *testing.T) {
	now := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	list := []control.Instance{
		{Name: "db", Process: "db", State: lastcall.StateReady, PID: 42, Started: now.Add(-26 * time.Hour), CPU: 75 * time.Second, Memory: 5<<20 + 300<<10, Family: 3, Status: "serving\x1b[2J"},
		{Name: "web-1", Process: "web", State: lastcall.StateStarting, PID: 1234567, Started: now.Add(-300 * time.Millisecond), Restarts: 12, CPU: 10 * time.Millisecond, Memory: 900 << 10, Family: 1, Detail: "not ready: connection refused", Status: "loading"},
		{Name: "läufer", Process: "läufer", State: lastcall.StateFailed, Detail: "exit code 1", Exit: "exit code 1"},
		{Name: "nightly", Process: "nightly", State: lastcall.StateReady, Next: now.Add(10*time.Hour + 5*time.Minute), Detail: "its last run failed: exit code 2"},
	}
	want := `
NAME     STATE         PID  UPTIME  RESTARTS    CPU   MEMORY  STATUS
db       ready          42    1d2h         0  1m15s  5.3 MiB  serving\x1b[2J
web-1    starting  1234567    0.3s        12   0.0s  900 KiB  not ready: connection refused; loading
läufer   failed          -       -         0      -        -  exit code 1
nightly  ready           -       -         0      -        -  runs next in 10h05m; its last run failed: exit code 2`
	if got := "\n" + strings.Join(psTable(list, nil, now), "\n"); got != want {
		t.Errorf("the table is%s\nwant%s", got, want)
	}

	var s shares
	cpu := func(at, cpu time.Duration) string {
		list[0].CPU = cpu
		return strings.Fields(psTable(list, s.update(list, now.Add(at)), now)[1])[5]
	}
	for _, test := range []struct {
		at, cpu time.Duration
		want    string
	}{
		{0, time.Second, "-"},
		{100 * time.Millisecond, 2 * time.Second, "-"}, // too soon to tell
		{2 * time.Second, 2 * time.Second, "50.0%"},
		{2100 * time.Millisecond, 3 * time.Second, "50.0%"},
		{4 * time.Second, 6 * time.Second, "200.0%"},
		{6 * time.Second, 6 * time.Second, "0.0%"},
	} {
		if got := cpu(test.at, test.cpu); got != test.want {
			t.Errorf("after %v the share is %s, want %s", test.at, got, test.want)
		}
	}
	list[0].PID++ // another run begins at 0
	if got := cpu(9*time.Second, time.Second); got != "-" {
		t.Errorf("of a new run the share is %s", got)
	}
}

func TestCoarse(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 0: "0.0s", 9990 * time.Millisecond: "9.9s", 10 * time.Second: "10s", time.Minute: "1m00s",
		time.Hour - 1: "59m59s", 25*time.Hour - 1: "1d0h", 240 * time.Hour: "10d0h",
	} {
		if got := coarse(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	for n, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 10200: "10 KiB", 999 << 10: "999 KiB", 1<<20 - 1: "1.0 MiB", 1500 << 20: "1.5 GiB", 1<<64 - 1: "16 EiB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
