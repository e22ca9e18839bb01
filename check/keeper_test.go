//go:build unix

package check

import (
	"fmt"
	"net"
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
		"left 10", "", "nonsense", "exited", "started x y",
	} {
		fmt.Fprintln(theirs, line)
	}
	theirs.Close()
	ready := make(chan struct{})
	g.listen(ready)
	if !closed(ready) || g.pid != 7 || <-k.begun != error(syscall.ENOENT) || len(k.begun) > 0 {
		t.Errorf("ready: %v, pid %d", closed(ready), g.pid)
	}
	if !closed(k.exited) || k.status != 256 || !closed(k.alone) || !closed(k.over) || len(k.left) != 1 {
		t.Errorf("%+v", k)
	}
}
