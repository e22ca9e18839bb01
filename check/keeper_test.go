//go:build unix

package check

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

// Each fact about a life is taken once, whatever comes over the connection.
func TestFactsAreTakenOnce(t *testing.T) {
	ours, theirs, err := socketpair()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.FileConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	g := &guardian{conn: conn.(*net.UnixConn)}
	k := newKeeper(g)
	for _, line := range []string{
		"ready 7", "ready 8", "error 2", "started 9 1", "started 10 1", "error 2", "exited 256 1", "exited 0 1", "alone", "alone", "left 9", "over", "over",
		"left 10", "lost 9",
	} {
		fmt.Fprintln(theirs, line)
	}
	theirs.Close()
	ready := make(chan struct{})
	if err := g.listen(ready); err != nil {
		t.Error(err)
	}
	if !closed(ready) || g.pid != 7 || <-k.begun != error(syscall.ENOENT) || len(k.begun) > 0 {
		t.Errorf("ready: %v, pid %d", closed(ready), g.pid)
	}
	if !closed(k.exited) || k.status != 256 || !closed(k.alone) || !closed(k.over) || len(k.left) != 1 {
		t.Errorf("%+v", k)
	}
}

// What is not the guard's own is found out, in bounded memory.
func TestOnlyAGuardIsHeard(t *testing.T) {
	for _, text := range []string{
		"\n", "nonsense\n", "exited\n", "exited 1\n", "exited 1 2 3\n", "started x y\n", "left -1\n", "ready 99999999999\n", "over 1\n", "over  \n",
		strings.Repeat("ready 1\n", 1000) + "ready\n", strings.Repeat("x", 1<<20),
	} {
		ours, theirs, err := socketpair()
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.FileConn(ours)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = theirs.WriteString(text) // until nobody reads it
			theirs.Close()
		}()
		g := &guardian{conn: conn.(*net.UnixConn)}
		if err := g.listen(make(chan struct{})); !errors.Is(err, errUnsaid) {
			t.Errorf("%.20q...: %v", text, err)
		}
		conn.Close()
		ours.Close()
	}
}
