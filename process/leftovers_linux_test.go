package process

import (
	"context"
	"crypto/rand"
	"syscall"
	"testing"
	"time"
)

// A supervisor dies of SIGKILL: its child goes with it, and the grandchild that became a daemon is found by the mark.
func TestLeftovers(t *testing.T) {
	mark := rand.Text()
	v := listen(t)
	above := script("start marked-" + mark + " { spawn sid { on TERM { say daemon told; exit 0 }; say daemon PID; wait }; " +
		"spawn sid { ignore TERM; say deaf PID; wait }; wait }; wait")
	above.Stdout = v.w
	above.Kill = KillProcess
	r := run(t, above, 5*time.Second)
	daemon, deaf := pidOf(t, v.value(t, "daemon ")), pidOf(t, v.value(t, "deaf "))
	noError(t, above.Signal(syscall.SIGKILL))
	errorAs[*ExitError](t, r.end())

	eventually(t, "the child has gone with its supervisor", func() bool {
		found, err := Leftovers(mark)
		noError(t, err)
		return len(found) == 2
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		v.await(t, "daemon told")
		eventually(t, "the daemon is gone", func() bool { return !alive(daemon) })
		cancel()
	}()
	ended, err := EndLeftovers(ctx, mark)
	noError(t, err)
	killed := map[int]bool{}
	for _, one := range ended {
		killed[one.PID] = one.Killed
	}
	if len(killed) != 2 || killed[daemon] || !killed[deaf] {
		t.Errorf("daemon %d, deaf %d: ended %v", daemon, deaf, ended)
	}
	if found, err := Leftovers(mark); err != nil || len(found) > 0 {
		t.Errorf("found %v, %v after the end", found, err)
	}
}

func alive(pid int) bool {
	k, ok := statOf(pid)
	return ok && !k.dead
}
