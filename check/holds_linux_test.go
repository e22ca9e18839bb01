package check

import (
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
)

// A pair of sockets that a process has with itself is nothing that somebody could miss; a listening socket is.
func TestHoldsNoPairOfItsOwn(t *testing.T) {
	count := func() (n int) {
		for _, what := range holds(os.Getpid()) {
			if what == "socket" {
				n++
			}
		}
		return n
	}
	before := count()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(pair[0])
	defer syscall.Close(pair[1])
	if n := count(); n != before {
		t.Errorf("with a pair of its own %d sockets, want %d as before", n, before)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if n := count(); n != before+1 {
		t.Errorf("with a listening socket %d sockets, want %d", n, before+1)
	}
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if list := holds(os.Getpid()); !slices.Contains(list, file.Name()) {
		t.Errorf("it holds %v, want %s among them", list, file.Name())
	}
}
