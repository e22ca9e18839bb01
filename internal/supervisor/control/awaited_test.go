package control

import (
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

func TestWaitingFor(t *testing.T) {
	now := time.Now()
	list := []Instance{
		{Name: "db", Process: "db", State: lastcall.StateReady, PID: 1, Since: now.Add(-time.Hour)},
		{Name: "web-1", Process: "web", State: lastcall.StateStopping, PID: 2, Since: now.Add(-3900 * time.Millisecond), Status: "2 requests left"},
		{Name: "web-2", Process: "web", State: lastcall.StateCut, PID: 3, Since: now.Add(-9 * time.Second)},
		{Name: "api", Process: "api", State: lastcall.StateStarting, PID: 4, Since: now, Detail: "not ready: refused"},
		{Name: "job", Process: "job", State: lastcall.StateRestarting, Since: now, Detail: "exit code 1"},
	}
	all := "waiting for web-2 (pid 3, 9s, cut), web-1 (pid 2, 3s, 2 requests left), api (pid 4, 0s, starting, not ready: refused), job (0s, restarting, exit code 1)"
	for _, test := range []struct {
		names []string
		want  string
	}{
		{nil, all},
		{[]string{"web"}, "waiting for web-2 (pid 3, 9s, cut), web-1 (pid 2, 3s, 2 requests left)"},
		{[]string{"web-1", "db"}, "waiting for web-1 (pid 2, 3s, 2 requests left)"},
		{[]string{"db"}, all}, // what is named waits for the others
	} {
		if got := WaitingFor(Awaited(list, test.names), now); got != test.want {
			t.Errorf("%v: %s\nwant %s", test.names, got, test.want)
		}
	}
	if got := WaitingFor(Awaited(list[:1], nil), now); got != "" {
		t.Errorf("of nobody: %s", got)
	}
	for len(list) < 22 {
		list = append(list, Instance{Name: "w", State: lastcall.StateStopping, Since: now})
	}
	if got := WaitingFor(Awaited(list, nil), now); !strings.HasSuffix(got, ", and 13 more") || strings.Count(got, "(") != mostNamed {
		t.Errorf("of many: %s", got)
	}
}
