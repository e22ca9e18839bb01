//go:build unix

package process

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestReady(t *testing.T) {
	address := freeAddress(t)
	flag := filepath.Join(t.TempDir(), "ready")
	for _, test := range []struct {
		name   string
		script string // what makes it ready once it gets USR1
		ready  Ready
	}{
		{"notify", "notify READY=1", Ready{Notify: true}},
		{"fd", "newline 3", Ready{FD: 3}},
		{"distant fd", "newline 7", Ready{FD: 7}},
		{"tcp", "listen " + address, Ready{TCP: address}},
		{"http", "listen " + address + " http", Ready{HTTP: "http://" + address + "/"}},
		{"log", "say it is ready now", Ready{Log: regexp.MustCompile("ready .ow$")}},
		{"exec", "say touch", Ready{Exec: []string{"test", "-e", flag}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := listen(t)
			p := script("on USR1 { " + test.script + "; say told }; say up; wait")
			p.Stdout, p.Ready = v.w, test.ready
			r := run(t, p, limit)
			v.await(t, "up")
			r.until(lastcall.StateStarting)
			if err := r.group.Ready(); err == nil {
				t.Error("it is ready too soon")
			}
			eventually(t, "the start has returned", func() bool { return p.PID() != 0 })
			if test.name == "exec" {
				noError(t, os.WriteFile(flag, nil, 0o600))
			} else {
				noError(t, p.Signal(userSignal))
			}
			r.until(lastcall.StateReady)
			noError(t, r.stop())
			v.silence(t)
		})
	}
	t.Run("delay", func(t *testing.T) {
		p := script("wait")
		p.Ready.Delay = 100 * time.Millisecond
		began := time.Now()
		r := run(t, p, limit).until(lastcall.StateReady)
		if took := time.Since(began); took < p.Ready.Delay {
			t.Errorf("ready after %v", took)
		}
		noError(t, r.stop())
	})
}

// A child that ends, or says that it will not be ready, or has no more time, fails the start.
func TestNotReady(t *testing.T) {
	v := listen(t)
	p := script("exit 3")
	p.Ready.FD = 3
	if e := errorAs[*ExitError](t, run(t, p, limit).end()); e.Code != 3 {
		t.Errorf("got %v", e)
	}
	p = script("close 3; wait")
	p.Ready.FD = 3
	if e := errorAs[*ReadyError](t, run(t, p, limit).end()); !strings.Contains(e.Error(), "closed the descriptor") {
		t.Errorf("got %v", e)
	}
	address := freeAddress(t)
	p = script("on TERM { say TERM; exit 0 }; say up; wait")
	p.Stdout, p.Ready = v.w, Ready{TCP: address, Within: 300 * time.Millisecond}
	if e := errorAs[*ReadyError](t, run(t, p, limit).end()); e.Within != p.Ready.Within || !strings.Contains(e.Error(), "refused") {
		t.Errorf("got %v", e)
	}
	v.silence(t)
}

// Nobody looks at a child that is ready.
func TestProbesEnd(t *testing.T) {
	v := listen(t)
	address := freeAddress(t)
	p := script("listen " + address + "; wait")
	p.Stdout, p.Ready = v.w, Ready{TCP: address}
	r := run(t, p, limit).until(lastcall.StateReady)
	v.await(t, "connection")
	conn, err := net.Dial("tcp", address) // the next one that is accepted is this
	noError(t, err)
	conn.Close()
	eventually(t, "the second connection", func() bool { return len(v.all()) >= 2 })
	noError(t, r.stop())
	v.silence(t)
	if got := v.all(); len(got) != 2 {
		t.Errorf("it saw %d connections", len(got))
	}
}

func TestNotifyProtocol(t *testing.T) {
	v := listen(t)
	p := script("on USR1 { notify RELOADING=1|STATUS=reading }; on HUP { notify READY=1|STATUS=done }; notify STATUS=half way; notify UNKNOWN=1|READY=1|STATUS=serving; wait")
	p.Stdout, p.Ready = v.w, Ready{Notify: true}
	r := run(t, p, limit).until(lastcall.StateReady)
	eventually(t, "its status", func() bool { return r.status() == "serving" })
	noError(t, p.Signal(userSignal))
	eventually(t, "not ready while it reloads", func() bool { return r.group.Ready() != nil && r.status() == "reading" })
	noError(t, p.Signal(hangUp))
	eventually(t, "ready again", func() bool { return r.group.Ready() == nil && r.status() == "done" })
	noError(t, r.stop())
	v.silence(t)
}

func TestParseNote(t *testing.T) {
	status := "a=b"
	for text, want := range map[string]note{
		"":                       {},
		"READY=1\n":              {ready: true},
		"READY=0":                {},
		"STATUS=a=b":             {status: &status},
		"MAINPID=12\nSTOPPING=1": {mainPID: 12, stopping: true},
		"MAINPID=1":              {},
		"EXTEND_TIMEOUT_USEC=1500000\nWATCHDOG=1":         {extend: 1500 * time.Millisecond, beat: true},
		"WATCHDOG=trigger\nWATCHDOG_USEC=2000":            {trigger: true, watchdog: 2 * time.Millisecond},
		"EXTEND_TIMEOUT_USEC=-1\nEXTEND_TIMEOUT_USEC=1e9": {},
		"EXTEND_TIMEOUT_USEC=18446744073709551615":        {},
	} {
		got := parseNote(text)
		if (got.status == nil) != (want.status == nil) || got.status != nil && *got.status != *want.status {
			t.Errorf("%q: status %v", text, got.status)
		}
		got.status, want.status = nil, nil
		if got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
}

// More time is given to a stop and a start that make progress, as far as the limit.
func TestExtend(t *testing.T) {
	t.Parallel()
	v := listen(t)
	p := script("on TERM { notify EXTEND_TIMEOUT_USEC=10000000; sleep 2500ms; say drained; exit 0 }; say up; wait")
	p.Stdout, p.Notify, p.Grace = v.w, true, 2*time.Second // in which it asks for more, on a busy machine as well
	r := run(t, p, limit)
	v.await(t, "up")
	noError(t, r.stop())
	v.await(t, "drained")

	p = script("on TERM { notify EXTEND_TIMEOUT_USEC=100000000 }; say up again; wait")
	p.Stdout, p.Notify, p.Grace, p.Extend = v.w, true, 2*time.Second, 200*time.Millisecond
	r = run(t, p, limit)
	v.await(t, "up again")
	if e := errorAs[*ExitError](t, r.stop()); !e.Killed || e.After < 2190*time.Millisecond || e.After > limit/2 {
		t.Errorf("got %+v", e)
	}

	// It must ask within the time that it has, which is a while on a machine that is busy.
	p = script("notify EXTEND_TIMEOUT_USEC=20000000; sleep 8500ms; notify READY=1; wait")
	p.Ready = Ready{Notify: true, Within: 8 * time.Second}
	r = run(t, p, limit).until(lastcall.StateReady)
	noError(t, r.stop())
}

func TestWatchdog(t *testing.T) {
	v := listen(t)
	p := script("on ABRT { say ABRT }; on TERM { exit 0 }; on USR1 { notify WATCHDOG=1; say beat }; env WATCHDOG_USEC; notify READY=1; wait")
	p.Stdout, p.Ready, p.Watchdog = v.w, Ready{Notify: true}, 700*time.Millisecond
	p.Grace = time.Second
	began := time.Now()
	r := run(t, p, limit).until(lastcall.StateReady)
	v.await(t, "WATCHDOG_USEC=700000")
	noError(t, lastcall.Sleep(context.Background(), 400*time.Millisecond)) // within its time, and beyond half of it
	noError(t, p.Signal(userSignal))
	e := errorAs[*SickError](t, r.end())
	if took := time.Since(began); took < 1100*time.Millisecond || !strings.Contains(e.Error(), "WATCHDOG=1") {
		t.Errorf("after %v: %v", took, e)
	}
	v.silence(t)
	v.order(t, "beat", "ABRT")
}

func TestAlive(t *testing.T) {
	v := listen(t)
	flag := filepath.Join(t.TempDir(), "alive")
	noError(t, os.WriteFile(flag, nil, 0o600))
	p := script("say up; wait")
	p.Stdout = v.w
	p.Alive = Alive{Exec: []string{"test", "-e", flag}, Every: 10 * time.Millisecond, Failures: 2}
	r := run(t, p, limit)
	v.await(t, "up")
	noError(t, os.Remove(flag))
	if e := errorAs[*SickError](t, r.end()); !strings.Contains(e.Error(), "2 times in a row") {
		t.Errorf("got %v", e)
	}
	v.silence(t)
}

func TestListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	noError(t, err)
	defer file.Close()
	v := listen(t)
	p := script("env LISTEN_PID; env LISTEN_FDS; env LISTEN_FDNAMES; env " + trampolineVariable + "; say pid PID; serve; newline 6; wait")
	p.Stdout = v.w
	p.Listen = []Socket{{"web", file}, {"", file}}
	p.Ready.FD = 6
	r := run(t, p, limit).until(lastcall.StateReady)
	pid := v.value(t, "pid ")
	if pidOf(t, pid) != p.PID() {
		t.Errorf("PID is %d, want %s", p.PID(), pid)
	}
	v.await(t, "LISTEN_PID="+pid, "LISTEN_FDS=2", "LISTEN_FDNAMES=web:unknown", trampolineVariable+"=")
	conn, err := net.Dial("tcp", l.Addr().String())
	noError(t, err)
	conn.Close()
	v.await(t, "accepted")
	noError(t, r.stop())
	v.silence(t)
}
