//go:build linux || freebsd

package process

import (
	"errors"
	"io/fs"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// A child that ends before it is ready has failed, also with a clean exit code, in whatever way it was to become ready.
func TestEndBeforeReady(t *testing.T) {
	nowhere := freeAddress(t)
	for name, ready := range map[string]Ready{
		"notify": {Notify: true}, "fd": {FD: 3}, "log": {Log: regexp.MustCompile("never")}, "tcp": {TCP: nowhere}, "http": {HTTP: "http://" + nowhere},
		"exec": {Exec: []string{"false"}}, "delay": {Delay: limit},
	} {
		t.Run(name, func(t *testing.T) {
			p := script("exit 4")
			p.Stdout, p.Ready, p.CleanCodes = listen(t).w, ready, []int{4}
			r := run(t, p, limit)
			err := r.end()
			if e := errorAs[*ReadyError](t, err); !strings.HasSuffix(e.Error(), "ended first: exit code 4") {
				t.Errorf("got %v", e)
			}
			if e := errorAs[*lastcall.WorkerError](t, err); !e.Starting {
				t.Errorf("it is no failure of the start: %+v", e)
			}
		})
	}
}

// What a child says in its last moment counts.
func TestReadyAndEnd(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		ready  Ready
		kill   Mode
	}{
		"notify":            {"notify READY=1; exit 0", Ready{Notify: true}, KillFamily},
		"fd":                {"newline 3; exit 0", Ready{FD: 3}, KillFamily},
		"fd of a family":    {"newline 3; spawn plain { wait }; exit 0", Ready{FD: 3}, KillFamily},
		"log":               {"say ready; exit 0", Ready{Log: regexp.MustCompile("ready")}, KillFamily},
		"log of kill alone": {"say ready; exit 0", Ready{Log: regexp.MustCompile("ready")}, KillProcess},
		"a task":            {"exit 0", Ready{Exit: true}, KillFamily},
	} {
		t.Run(name, func(t *testing.T) {
			p := script(test.script)
			p.Stdout, p.Ready, p.Kill = listen(t).w, test.ready, test.kill
			noError(t, run(t, p, limit).end())
		})
	}
}

// A stop before a child is ready is none of its failures.
func TestStopBeforeReady(t *testing.T) {
	v := listen(t)
	p := script("on TERM { exit 0 }; say up; wait")
	p.Stdout, p.Ready = v.w, Ready{Notify: true}
	r := run(t, p, limit)
	v.await(t, "up")
	noError(t, r.stop())
}

// A main process that ends by itself is over at once, whatever it leaves behind: it is not ready, it has no number, and the clean-up has
// the time that a stop would have, and no more.
func TestDeathIsSaidAtOnce(t *testing.T) {
	for name, of := range map[string]struct{ own, group time.Duration }{"its own": {time.Second, limit}, "the group's": {0, time.Second}} {
		t.Run(name, func(t *testing.T) {
			v := listen(t)
			p := script("on USR1 { exit 7 }; spawn plain { ignore TERM; say left; wait }; say up; wait")
			p.Stdout, p.Grace = v.w, of.own
			said := make(chan lastcall.Event, 100)
			ctx := t.Context()
			group := &lastcall.Group{Grace: of.group, HardStop: limit, Observe: func(e lastcall.Event) {
				if e.Kind == lastcall.EventReadiness {
					said <- e
				}
			}}
			group.Add("child", p)
			done := make(chan error, 1)
			go func() { done <- group.Run(ctx) }()
			v.await(t, "up", "left")
			noError(t, p.Signal(userSignal))
			select {
			case e := <-said:
				how := map[bool]string{true: ", exit code 7"}[runtime.GOOS == "linux"] // elsewhere to ask is to take the status
				if !regexp.MustCompile(`^its main process has ended` + how + `; waiting for .*\[\d+\]$`).MatchString(e.Reason) {
					t.Errorf("it says %q", e.Reason)
				}
			case err := <-done:
				t.Fatalf("the end was said with the end of the family: %v", err)
			}
			if p.PID() != 0 {
				t.Errorf("the dead process %d is the child's", p.PID())
			}
			select {
			case err := <-done:
				e := errorAs[*FamilyError](t, err)
				if e.Main == nil || e.Main.Code != 7 || len(e.Rest) != 1 {
					t.Errorf("got %+v", e)
				}
			case <-time.After(lastcall.DefaultGrace * 4 / 5):
				t.Fatal("the clean-up has no bound of its own")
			}
		})
	}
}

// A directory that is not there is no program that is not there.
func TestNotFound(t *testing.T) {
	for name, test := range map[string]struct {
		p        *Process
		notFound bool
		text     string
	}{
		"in the path":  {&Process{Command: []string{"lastcall-nosuch"}}, true, "lastcall-nosuch: cannot be started: executable file not found in $PATH"},
		"by a path":    {&Process{Command: []string{"/nosuch"}}, true, "/nosuch: cannot be started: no such file or directory"},
		"a directory":  {&Process{Command: []string{"/dev"}}, false, "/dev: cannot be started: permission denied"},
		"no directory": {&Process{Command: []string{"true"}, Dir: "/nosuch"}, false, "true: cannot be started: chdir /nosuch: no such file or directory"},
		"not a directory": {&Process{Command: []string{"true"}, Dir: "/dev/null"}, false,
			"true: cannot be started: chdir /dev/null: not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			e := errorAs[*StartError](t, test.p.Run(t.Context()))
			if e.NotFound() != test.notFound || e.Error() != test.text {
				t.Errorf("not found: %t, %q; want %t, %q", e.NotFound(), e, test.notFound, test.text)
			}
			if test.p.Dir != "" && !errors.As(e, new(*fs.PathError)) {
				t.Errorf("it does not name the directory: %#v", e.Err)
			}
		})
	}
}
