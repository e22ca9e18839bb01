//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

func TestExit(t *testing.T) {
	for _, test := range []struct {
		script string
		want   Exit // PID is not compared
		status int
	}{
		{"exit 0", Exit{}, 0},
		{"exit 3", Exit{Code: 3}, 3},
		{"die KILL", Exit{Code: -1, Signal: syscall.SIGKILL}, 137},
		{"die TERM", Exit{Code: -1, Signal: syscall.SIGTERM}, 143}, // that nobody here sent
	} {
		t.Run(test.script, func(t *testing.T) {
			p := script(test.script)
			err := p.Run(t.Context())
			got, ok := p.Exit()
			if got.PID == 0 || !ok {
				t.Errorf("Exit is %v, %v", got, ok)
			}
			if (err != nil) != (test.status != 0) {
				t.Errorf("Run returned %v", err)
			}
			if err != nil {
				if e := errorAs[*ExitError](t, err); e.Exit != got || e.Killed {
					t.Errorf("the error has %+v, Exit is %+v", e, got)
				}
			}
			got.PID = 0
			if got != test.want || got.Status() != test.status {
				t.Errorf("Exit is %+v, status %d", got, got.Status())
			}
		})
	}
	if got := exitOf(1, 0x8b); got != (Exit{PID: 1, Code: -1, Signal: syscall.SIGSEGV, Core: true}) {
		t.Errorf("a core dump reads as %+v", got)
	}
	if p := script("exit 143"); p.CleanCodes == nil {
		p.CleanCodes = []int{143}
		noError(t, p.Run(t.Context()))
	}
}

func TestStartError(t *testing.T) {
	noProgram := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(noProgram, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := os.Open(os.DevNull)
	noError(t, err)
	for _, sockets := range [][]Socket{nil, {{File: listener}}} { // also by way of the trampoline
		for path, want := range map[string]error{"/no/such/program": fs.ErrNotExist, "no-such-program": nil, noProgram: fs.ErrPermission} {
			p := &Process{Command: []string{path}, Listen: sockets}
			err := errorAs[*StartError](t, p.Run(t.Context()))
			if want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

func TestStop(t *testing.T) {
	for _, test := range []struct {
		name   string
		script string
		steps  []Step
		fails  bool
		lines  []string
	}{
		{"dies of the signal", "say up; wait", nil, false, nil},
		{"handles the signal", "on TERM { say bye; exit 0 }; say up; wait", nil, false, []string{"bye"}},
		{"exits badly", "on TERM { exit 7 }; say up; wait", nil, true, nil},
		{"exits with 128 and the signal", "on TERM { exit 143 }; say up; wait", nil, false, nil},
		{"exits with 128 and another signal", "on TERM { exit 130 }; say up; wait", nil, true, nil},
		{"own signal", "on USR1 { say bye; exit 0 }; say up; wait", []Step{{Signal: syscall.SIGUSR1}}, false, []string{"bye"}},
		{"list of signals", "on INT { say INT }; on TERM { say TERM; exit 0 }; say up; wait",
			[]Step{{syscall.SIGINT, 50 * time.Millisecond}, {Signal: syscall.SIGTERM}}, false, []string{"INT", "TERM"}},
		{"dies of a later signal", "on INT { say INT }; say up; wait",
			[]Step{{syscall.SIGINT, 50 * time.Millisecond}, {Signal: syscall.SIGTERM}}, false, []string{"INT"}},
		{"is halted", "on TERM { say bye; exit 0 }; say up; wait", nil, false, []string{"bye"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := listen(t)
			p := script(test.script)
			p.Stdout, p.Stop = v.w, test.steps
			r := run(t, p, limit)
			v.await(t, "up")
			if test.name == "is halted" {
				r.until(lastcall.StateReady)
				noError(t, p.Signal(syscall.SIGSTOP))
			}
			if err := r.stop(); (err != nil) != test.fails {
				t.Errorf("the group returned %v", err)
			}
			v.silence(t)
			v.order(t, append([]string{"up"}, test.lines...)...)
		})
	}
}

func TestHardStop(t *testing.T) {
	v := listen(t)
	p := script("ignore TERM; spawn plain { ignore TERM; say a; wait }; spawn sid { ignore TERM; say b; wait }; say up; wait")
	p.Stdout = v.w
	r := run(t, p, 300*time.Millisecond)
	v.await(t, "up", "a", "b")
	began := time.Now()
	err := r.stop()
	errorAs[*ExitError](t, err)
	if took := time.Since(began); took < 200*time.Millisecond || took > limit/2 {
		t.Errorf("the stop took %v", took)
	}
	v.silence(t)

	v = listen(t) // a main process that has nobody has all the time
	p = script("ignore TERM; say up; wait")
	p.Stdout = v.w
	r = run(t, p, 200*time.Millisecond)
	v.await(t, "up")
	e := errorAs[*lastcall.WorkerError](t, r.stop())
	if killed := errorAs[*ExitError](t, e.Err); e.Kind != lastcall.ErrInterrupted || !killed.Killed || killed.After < 190*time.Millisecond {
		t.Errorf("got %v, %+v", e, killed)
	}
}

func TestOwnLimit(t *testing.T) {
	v := listen(t)
	p := script("ignore TERM; env LASTCALL_GRACE; say up; wait")
	p.Stdout, p.Grace = v.w, 250*time.Millisecond
	r := run(t, p, limit)
	v.await(t, "up", "LASTCALL_GRACE=0.25")
	if e := errorAs[*ExitError](t, r.stop()); !e.Killed || e.After < p.Grace {
		t.Errorf("got %+v", e)
	}
}

// Without a limit of its own the child is told what the group gives it.
func TestToldGrace(t *testing.T) {
	v := listen(t)
	p := script("env LASTCALL_GRACE; wait")
	p.Stdout = v.w
	r := run(t, p, 7*time.Second)
	v.await(t, "LASTCALL_GRACE=7")
	noError(t, r.stop())
}

// A slow child has its whole time, whatever those beside it do.
func TestClockIsOwn(t *testing.T) {
	v := listen(t)
	slow := script("on TERM { sleep 500ms; say drained; exit 0 }; say slow; wait")
	slow.Stdout = v.w
	r := run(t, slow, limit)
	for _, name := range []string{"fast", "faster", "fastest"} {
		p := script("say " + name + "; wait")
		p.Stdout = v.w
		r.group.Add(name, p)
	}
	v.await(t, "slow", "fast", "faster", "fastest")
	noError(t, r.stop())
	v.await(t, "drained")
}

// A stop that comes at any time around the start is carried out, and the child hears of it once it can.
func TestStopDuringStart(t *testing.T) {
	for i := range 40 {
		v := listen(t)
		p := &Process{Command: []string{"sleep", "1000"}, Stdout: v.w, Stderr: v.w}
		ctx, cancel := context.WithCancel(context.Background())
		var group lastcall.Group
		group.Grace, group.HardStop = limit, limit
		group.Add("child", p)
		time.AfterFunc(time.Duration(i)*50*time.Microsecond, cancel)
		if err := group.Run(ctx); err != nil {
			t.Fatal(err)
		}
		v.silence(t)
		if exit, ok := p.Exit(); ok && exit.Signal != syscall.SIGTERM {
			t.Errorf("the child ended: %v", exit)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := script("exit 0")
	if err := p.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, ok := p.Exit(); ok {
		t.Error("it was started after the stop")
	}
}

func TestRestart(t *testing.T) {
	v := listen(t)
	p := script("say up; exit 3")
	p.Stdout = v.w
	r := run(t, p, limit, lastcall.Restart(lastcall.RestartPolicy{Limit: 2, MinDelay: time.Millisecond}))
	errorAs[*ExitError](t, r.end())
	v.silence(t)
	if got := v.all(); len(got) != 3 {
		t.Errorf("it said %q", got)
	}
}

func TestSignal(t *testing.T) {
	v := listen(t)
	p := script("on HUP { say HUP }; say up PID; wait")
	p.Stdout = v.w
	if err := p.Signal(syscall.SIGHUP); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("before the start: %v", err)
	}
	r := run(t, p, limit).until(lastcall.StateReady)
	if pid := pidOf(t, v.value(t, "up ")); pid != p.PID() {
		t.Errorf("PID is %d, want %d", p.PID(), pid)
	}
	noError(t, p.Signal(syscall.SIGHUP))
	v.await(t, "HUP")
	noError(t, r.stop())
	if err := p.Signal(syscall.SIGHUP); !errors.Is(err, os.ErrProcessDone) || p.PID() != 0 {
		t.Errorf("after the end: %v, PID %d", err, p.PID())
	}
}

// What is written is passed on, to the last byte, and by one pipe if it goes to one writer.
func TestOutput(t *testing.T) {
	var out, bad bytes.Buffer
	p := &Process{Command: []string{"sh", "-c", "echo one; echo two >&2; dd if=/dev/zero bs=1000 count=300 2>/dev/null; printf end"}, Stdout: &out, Stderr: &out}
	noError(t, p.Run(t.Context()))
	if got := out.String(); !strings.HasPrefix(got, "one\ntwo\n") || !strings.HasSuffix(got, "\x00end") || len(got) != 300_000+11 {
		t.Errorf("got %d bytes: %.20q…", len(got), got)
	}
	out.Reset()
	p = &Process{Command: []string{"sh", "-c", "echo one; echo two >&2"}, Stdout: &out, Stderr: &bad}
	noError(t, p.Run(t.Context()))
	if out.String() != "one\n" || bad.String() != "two\n" {
		t.Errorf("got %q and %q", out.String(), bad.String())
	}
}

// locked is a buffer for several goroutines.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// A grandchild that holds the pipe open keeps neither the exit from being seen nor the stop from ending.
func TestPipeDecidesNothing(t *testing.T) {
	p := script("spawn sid { say held PID; wait }; exit 3")
	out := new(locked)
	p.Stdout, p.Kill = out, KillProcess
	began := time.Now()
	e := errorAs[*ExitError](t, p.Run(t.Context()))
	if e.Code != 3 || time.Since(began) > limit/2 {
		t.Errorf("got %v after %v", e, time.Since(began))
	}
	held := ""
	eventually(t, "the grandchild's line is still passed on", func() bool {
		out.mu.Lock()
		defer out.mu.Unlock()
		held = out.b.String()
		return strings.HasSuffix(held, "\n")
	})
	syscall.Kill(pidOf(t, strings.Fields(held)[1]), syscall.SIGKILL)
}

// Signals are to the program what they would be without us.
func TestSignalsAreClean(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc/self/status")
	}
	v := listen(t)
	p := &Process{Command: []string{"sh", "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status"}, Stdout: v.w}
	noError(t, p.Run(t.Context()))
	want, err := exec.Command("sh", "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status").Output()
	noError(t, err)
	if got := strings.Join(v.all(), "\n") + "\n"; got != string(want) || v.value(t, "SigBlk:") != "0000000000000000" {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// The sudden death of the parent takes the child along.
func TestParentDies(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "freebsd" {
		t.Skip("this system tells no child that its parent has ended")
	}
	v := listen(t)
	p := script("start kill { say up; wait }; wait")
	p.Stdout, p.Kill = v.w, KillProcess
	r := run(t, p, limit)
	r.until(lastcall.StateReady)
	v.await(t, "up")
	noError(t, p.Signal(syscall.SIGKILL))
	errorAs[*ExitError](t, r.end())
	v.silence(t)
}

// Unless it is to live on.
func TestOutlive(t *testing.T) {
	v := listen(t)
	p := script("start outlive { say up PID; wait }; wait")
	p.Stdout, p.Kill = v.w, KillProcess
	r := run(t, p, limit)
	r.until(lastcall.StateReady)
	pid := pidOf(t, v.value(t, "up "))
	noError(t, p.Signal(syscall.SIGKILL))
	errorAs[*ExitError](t, r.end())
	if !exists(pid) {
		t.Error("it is gone")
	}
	syscall.Kill(pid, syscall.SIGKILL)
	v.silence(t)
}

func TestProblems(t *testing.T) {
	for _, p := range []*Process{
		{},
		{Command: []string{"x"}, Stop: []Step{{}}},
		{Command: []string{"x"}, Stop: []Step{{Signal: syscall.SIGINT}, {Signal: syscall.SIGTERM}}},
		{Command: []string{"x"}, Kill: 7},
		{Command: []string{"x"}, Grace: -1},
		{Command: []string{"x"}, Ready: Ready{Notify: true, FD: 3}},
		{Command: []string{"x"}, Ready: Ready{FD: 3}, Listen: []Socket{{File: os.Stdin}}},
		{Command: []string{"x"}, Listen: []Socket{{}}},
		{Command: []string{"x"}, Listen: []Socket{{Name: "a:b", File: os.Stdin}}},
		{Command: []string{"x"}, Alive: Alive{TCP: "a", HTTP: "b"}},
	} {
		if err := p.Run(t.Context()); err == nil {
			t.Errorf("no error for %+v", p)
		}
	}
}

// The group's report says which process a worker runs: the main one, whatever else runs meanwhile, and none once it has ended.
func TestPIDInTheReport(t *testing.T) {
	v := listen(t)
	p := script("say up; wait")
	p.Stdout = v.w
	r := run(t, p, limit)
	v.await(t, "up")
	eventually(t, "the report has the pid", func() bool { return r.group.Report().Workers[0].PID != 0 })
	if w := r.group.Report().Workers[0]; w.PID != p.PID() {
		t.Errorf("the report says pid %d, and it is %d", w.PID, p.PID())
	}
	noError(t, r.stop())
	if w := r.group.Report().Workers[0]; w.PID != 0 {
		t.Errorf("after its end the report says pid %d", w.PID)
	}

	child := script("say control; wait")
	control := p.ControlProcess(child.Command)
	control.Env = child.Env
	control.Stdout = v.w
	var g lastcall.Group
	g.Go("hook", control.Run)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	v.await(t, "control")
	if w := g.Report().Workers[0]; w.PID != 0 {
		t.Errorf("of a control process the report says pid %d", w.PID)
	}
	cancel()
	noError(t, <-done)
}
