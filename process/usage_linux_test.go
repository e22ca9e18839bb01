package process

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	v := listen(t)
	p := script("spawn sid { say below; wait }; burn 100ms; say burnt; wait")
	p.Stdout = v.w
	if _, err := p.Usage(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v before the start, want os.ErrProcessDone", err)
	}
	r := run(t, p, 5*time.Second)
	v.await(t, "below", "burnt")
	u, err := p.Usage()
	noError(t, err)
	if u.Processes != 2 || u.CPU < 50*time.Millisecond || u.CPU > limit || u.Memory < 1<<20 || u.Memory > 4<<30 {
		t.Errorf("two processes, of which one took 100 ms: %+v", u)
	}
	noError(t, r.stop())
	if left := p.Relatives(); len(left) != 1 || left[0].Left != "session" || left[0].Killed {
		t.Errorf("its relatives are %v, want one that left the session", left)
	}
}

func TestFeatures(t *testing.T) {
	for _, f := range Features() {
		if f.Name == "" || f.Does == "" || f.Why == "" {
			t.Errorf("it leaves something out: %+v", f)
		}
		if !f.Has && f.Name != "cgroups" { // whether those are delegated is the system's administrator's choice
			t.Errorf("Linux has no %s: %s", f.Name, f.Why)
		}
	}
}
