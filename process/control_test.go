//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// nobody is the credential of an ordinary user; only root can become one.
func nobody(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process as another user")
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	noError(t, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	noError(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// openDir is a directory in which everyone may make files.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	noError(t, os.Chmod(filepath.Dir(dir), 0o755))
	noError(t, os.Chmod(dir, 0o777)) //nolint:gosec // another user writes here
	return dir
}

// fields waits until a file has n lines, and returns the words of each.
func fields(t *testing.T, file string, n int) (lines [][]string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d lines in %s", n, filepath.Base(file)), func() bool {
		text, _ := os.ReadFile(file)
		lines = nil
		for line := range strings.Lines(string(text)) {
			if strings.HasSuffix(line, "\n") {
				lines = append(lines, strings.Fields(line))
			}
		}
		return len(lines) >= n
	})
	return lines
}

// describe is a command of the shell that writes what it runs with, in one line.
const describe = `echo "$(id -u):$(id -g):$(id -G)" "$(umask)" "$(ulimit -n)" "$(ps -o nice= -p $$)" "$(pwd)" "$WORD" "${LASTCALL_FAMILY%%:*}" >>`

// Probes and control processes start as the program does.
func TestControlProcessIsAsTheProgram(t *testing.T) {
	for _, as := range []string{"this user", "nobody"} {
		t.Run(as, func(t *testing.T) {
			dir, mask := openDir(t), 0o027
			sh := func(file string) []string { return []string{"/bin/sh", "-c", describe + file} }
			p := &Process{
				Command: []string{"/bin/sh", "-c", describe + "program; exec sleep 1000"}, Dir: dir, Setenv: []string{"WORD=here"},
				Umask: &mask, Limits: Limits{NoFile: 123}, Nice: 3, Mark: "mark",
				Ready: Ready{Exec: sh("ready")}, Alive: Alive{Exec: sh("alive"), Every: time.Millisecond},
			}
			if as == "nobody" {
				p.Sys = &syscall.SysProcAttr{Credential: nobody(t)}
			}
			noError(t, p.ControlProcess(sh("before")).Run(t.Context()))
			r := run(t, p, limit).until(lastcall.StateReady)
			noError(t, p.ControlProcess(sh("during"), "MORE=1").Run(t.Context()))
			want := fields(t, filepath.Join(dir, "program"), 1)[0]
			for _, name := range []string{"before", "ready", "alive", "during"} {
				if got := fields(t, filepath.Join(dir, name), 1)[0]; fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %v, and the program %v", name, got, want)
				}
			}
			if as == "nobody" && strings.HasPrefix(want[0], "0:") {
				t.Errorf("it runs as root: %v", want)
			}
			if len(want) < 7 || want[5] != "here" || want[6] != "mark" {
				t.Errorf("it runs with %v", want)
			}
			noError(t, r.stop())
		})
	}
}

// hanging is a command of the shell that leaves children in its group and out of it, says all their numbers, and does not end.
func hanging(file string) []string {
	return []string{"/bin/sh", "-c", "sleep 1000 & a=$!; " + tool(leaveVariable) + " & echo $$ $a $! >>" + file + "; sleep 1000"}
}

// gone waits until none of these processes is there, not even as a zombie.
func gone(t *testing.T, pids []string) {
	t.Helper()
	for _, pid := range pids {
		n := pidOf(t, pid)
		eventually(t, "process "+pid+" is gone", func() bool { return !exists(n) })
	}
}

// A probe that times out leaves nothing, and one that runs when the stop comes is over when the stop is.
func TestProbeLeavesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	p := script("wait")
	p.Alive = Alive{Exec: hanging(file), Every: time.Millisecond, Within: time.Second, Failures: 1000}
	r := run(t, p, limit)
	gone(t, fields(t, file, 2)[0]) // the first is over when the second runs
	noError(t, r.stop())
	for _, line := range fields(t, file, 2) {
		gone(t, line)
	}
	p.Alive.Failures, p.Alive.Within = 1, time.Second
	e := errorAs[*SickError](t, run(t, p, limit).end())
	if !strings.Contains(e.Error(), "timed out after 1s") {
		t.Errorf("got %v", e)
	}
}

// A control process that runs when the stop comes is told, and waited for; at the hard stop it is killed.
func TestControlProcessEndsWithTheProgram(t *testing.T) {
	v := listen(t)
	p := script("say up; wait")
	p.Stdout = v.w
	r := run(t, p, 10*time.Second)
	v.await(t, "up")
	control := func(text string) chan error {
		c := p.ControlProcess(script("").Command, scriptVariable+"="+text)
		c.Stdout = v.w
		done := make(chan error, 1)
		go func() { done <- c.Run(context.Background()) }()
		return done
	}
	short := control("say short; wait")
	v.await(t, "short")
	soft := control("on TERM { say told; exit 0 }; say soft PID; wait")
	pid := pidOf(t, v.value(t, "soft "))
	noError(t, r.stop())
	if exists(pid) {
		t.Error("Run returned before the control process had ended")
	}
	noError(t, <-soft)
	if err := <-short; !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("one that died of the stop returned %v", err)
	}
	v.await(t, "told")

	r = run(t, p, 100*time.Millisecond)
	eventually(t, "it runs again", func() bool { return p.PID() != 0 })
	deaf := control("ignore TERM; say deaf; wait")
	v.await(t, "deaf")
	_ = r.stop() // it was the hard stop that ended it
	if e := errorAs[*ExitError](t, <-deaf); !e.Killed {
		t.Errorf("got %v", e)
	}
	v.silence(t)
	if err := p.ControlProcess([]string{"true"}).Run(t.Context()); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// While a program stops, no control process of it begins.
func TestControlProcessDuringTheStop(t *testing.T) {
	v := listen(t)
	p := script("on TERM { say stopping }; on USR1 { exit 0 }; say up; wait")
	p.Stdout = v.w
	r := run(t, p, limit)
	v.await(t, "up")
	r.cancel()
	v.await(t, "stopping")
	if err := p.ControlProcess([]string{"true"}).Run(t.Context()); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v", err)
	}
	noError(t, p.Signal(userSignal))
	noError(t, r.end())
}
