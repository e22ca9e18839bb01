package serve

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// passed is the environment of a process to which sockets were passed.
func passed(count, names string) func(string) string {
	env := map[string]string{"LISTEN_PID": strconv.Itoa(os.Getpid()), "LISTEN_FDS": count, "LISTEN_FDNAMES": names}
	return func(key string) string { return env[key] }
}

// hold listens, and returns the socket as a descriptor that stays open.
func hold(t *testing.T) (fd int, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Skip("listeners have no descriptors here: ", err)
	}
	fd = int(file.Fd())
	neverCloseThese.Lock()
	defer neverCloseThese.Unlock()
	if neverCloseThese.files == nil {
		neverCloseThese.files = make(map[int]*os.File)
	}
	neverCloseThese.files[fd] = file
	return fd, ln.Addr().String()
}

func TestInheritedNames(t *testing.T) {
	fd, addr := hold(t)
	for _, test := range []struct {
		what, count, names, name string
		first                    int
		err                      string // part of it; "": the socket
	}{
		{"the first of one", "1", "", "", fd, ""},
		{"any name for the only one without a name", "1", "", "web", fd, ""},
		{"by name", "2", "admin:web", "web", fd - 1, ""},
		{"the first of two", "2", "web:admin", "", fd, ""},
		{"another name", "2", "web:admin", "db", fd, "only web, admin"},
		{"a name without names", "2", "", "web", fd, "2 sockets were passed, without names"},
		{"a descriptor that is no socket", "1", "web", "web", 1 << 20, "file descriptor 1048576"},
	} {
		t.Run(test.what, func(t *testing.T) {
			ln, err := inheritedFrom(passed(test.count, test.names), test.first, test.name)
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err == "" && ln.Addr().String() != addr:
				t.Errorf("got the socket of %v, want %v", ln.Addr(), addr)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error %v, want %q", err, test.err)
			}
			if ln != nil {
				ln.Close()
			}
		})
	}
}

func TestNothingInheritedIsNoError(t *testing.T) {
	for what, env := range map[string]map[string]string{
		"no variables":              {},
		"meant for another process": {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
		"no sockets":                {"LISTEN_PID": strconv.Itoa(os.Getpid()), "LISTEN_FDS": "0"},
	} {
		ln, err := inheritedFrom(func(key string) string { return env[key] }, 3, "web")
		if ln != nil || err != nil {
			t.Errorf("%s: %v, %v; want nil, nil", what, ln, err)
		}
	}
}

// Connections that enter the queue of a held socket while no instance runs are answered by the next one, which may be
// the same worker.
func TestHeldSocketOutlivesItsServers(t *testing.T) {
	fd, addr := hold(t)
	ln, err := inheritedFrom(passed("1", "web"), fd, "web")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "held") })}
	web := HTTP(srv, ln)
	for i := range 3 {
		client, err := net.Dial("tcp", addr) // before the instance
		if err != nil {
			t.Fatal("refused though the socket is held: ", err)
		}
		defer client.Close()
		io.WriteString(client, "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")

		group := &lastcall.Group{Grace: time.Hour}
		group.Add("web", web)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- group.Run(ctx) }()

		client.SetDeadline(time.Now().Add(2 * time.Minute))
		if answer, err := io.ReadAll(client); err != nil || !strings.HasSuffix(string(answer), "held") {
			t.Errorf("instance %d answered %q, %v", i, answer, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
