//go:build unix

package check

import (
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// warming answers requests at once, and computes before it sets up its handler, as a server does that prepares its workers.
func warming(args []string) {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(ln, http.NotFoundHandler()) }()
	for used := processCPU(); processCPU()-used < 300*time.Millisecond; {
	}
	<-stopSignal()
}

func processCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// answersLate listens at once, answers some seconds later, and from then on stops well; before that it dies of the signal.
func answersLate(args []string) {
	signal.Reset(syscall.SIGTERM)
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		panic(err)
	}
	time.Sleep(settledAfter + time.Second) // what the test is about
	stop := stopSignal()
	go func() { _ = http.Serve(ln, http.NotFoundHandler()) }()
	<-stop
	os.Exit(0)
}

// A scenario begins when the daemon has settled, and not with the first answer: what happens before is the scenario startup's.
func TestScenariosBeginSettled(t *testing.T) {
	onLinux(t)
	t.Parallel()
	for _, how := range []string{"it answers", "it accepts connections"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			addr := freePort(t)
			c := lifeOf("warming", addr)
			c.URL = "http://" + addr + "/"
			if how != "it answers" {
				c.Ready = "tcp:" + addr
			}
			c.Only = []string{"term", "again"}
			c.Quick = true
			report := run(t, c)
			for _, name := range c.Only {
				if v := report.result(t, name); v.Verdict != Pass {
					t.Errorf("%s: %s: %s", name, v.Verdict, v.Summary)
				}
			}
		})
	}
}

// Where requests go, a daemon that listens and does not answer is not ready, however long that takes.
func TestListeningIsNotReady(t *testing.T) {
	onLinux(t)
	t.Parallel()
	for _, given := range []bool{true, false} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			addr := freePort(t)
			c := lifeOf("answers late", addr)
			if given {
				c.URL = "http://" + addr + "/"
			}
			report := run(t, c)
			if v := report.result(t, "term"); v.Verdict != Pass {
				t.Errorf("URL given: %v: %s: %s", given, v.Verdict, v.Summary)
			}
			if report.URL != "http://"+addr+"/" {
				t.Errorf("URL %q", report.URL)
			}
		})
	}
}

// The connections of the check's own questions are closed on the daemon's side before a scenario begins.
func TestSettledWithoutConnections(t *testing.T) {
	onLinux(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := uint16(ln.Addr().(*net.TCPAddr).Port)
	count := func() int { return connections(os.Getpid(), port) }
	if n := count(); n != 0 {
		t.Fatalf("%d connections to a port that only listens", n)
	}
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 1 {
		t.Errorf("%d connections, one is open", n)
	}
	client.Close()
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Error("read something")
	}
	if n := count(); n != 1 {
		t.Errorf("%d connections, one waits for the daemon to close it", n)
	}
	server.Close()
	if n := count(); n != 0 {
		t.Errorf("%d connections after both sides closed", n)
	}
}

// The advice for a daemon that needs longer says how long.
func TestLateStop(t *testing.T) {
	t.Parallel()
	c := lifeOf("forced") // its stop takes 3 s
	c.Grace = 2 * time.Second
	v := run(t, c).result(t, "term")
	if v.Verdict != Fail || v.Code != codeHangs {
		t.Fatalf("%+v", v)
	}
	contains(t, "the summary", v.Summary, "still there 2s after SIGTERM; it ended by itself ", " after it")
	contains(t, "the advice", v.Advice, "give it at least ", " (--grace, ")
}

// An HTTP server on a Unix socket is asked and loaded like any other; only what the kernel's list of TCP shows is not seen.
func TestUnixURL(t *testing.T) {
	onLinux(t)
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	c := lifeOf("serve", "unix="+socket)
	c.URL, c.Only, c.Quick = "unix:"+socket+":/index", []string{"term", "inflight", "load", "backlog"}, true
	report := run(t, c)
	for scenario, want := range map[string]Verdict{"term": Pass, "inflight": Pass, "backlog": Skip} {
		if v := report.result(t, scenario); v.Verdict != want {
			t.Errorf("%s: %s: %s", scenario, v.Verdict, v.Summary)
		}
	}
	if v := report.result(t, "load"); v.Verdict == Skip || len(v.Evidence) == 0 || v.Evidence[0].Value < loadClients*loadFirst && v.Evidence[1].Value < loadClients*loadFirst {
		t.Errorf("load: %+v", v)
	}
}
