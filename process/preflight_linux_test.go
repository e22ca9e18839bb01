package process

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// A limit of memory that the runtime cannot live with is an error that says what is enough.
func TestPreflight(t *testing.T) {
	if lacks, err := Preflight(); err != nil || len(lacks) > 0 {
		t.Fatalf("here: %q, %v", lacks, err)
	}
	space, data, ok := memoryInUse()
	if !ok {
		t.Fatal("nothing tells of the memory in use")
	}
	for _, c := range []struct {
		name       string
		resource   int
		used, room uint64
	}{{"address space (ulimit -v)", syscall.RLIMIT_AS, space, roomSpace}, {"data (ulimit -d)", syscall.RLIMIT_DATA, data, roomData}} {
		var before syscall.Rlimit
		noError(t, syscall.Getrlimit(c.resource, &before))
		noError(t, syscall.Setrlimit(c.resource, &syscall.Rlimit{Cur: c.used + c.room*3/4, Max: before.Max}))
		_, err := Preflight()
		noError(t, syscall.Setrlimit(c.resource, &before))
		if err == nil || !strings.Contains(err.Error(), "limit of "+c.name) {
			t.Errorf("with %d of %d bytes to go: %v", c.room*3/4, c.room, err)
		}
	}
}

// A child that ends before its program runs, here because the Go runtime refuses its environment, has not been started.
func TestEndsBeforeItsProgram(t *testing.T) {
	mask := 0o27
	t.Setenv("GOMEMLIMIT", "nonsense")
	p := &Process{Command: []string{"true"}, Env: []string{}, Umask: &mask}
	err := errorAs[*StartError](t, run(t, p, time.Second).end())
	if want := "exit code 2 before its program ran"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	eventually(t, "no zombie is left", func() bool { return !hasZombies(t) }) // an orphan of another test is reaped a moment later
}
