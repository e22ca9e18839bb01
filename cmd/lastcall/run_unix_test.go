//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that the real kernel does.
const patience = 2 * time.Minute

// A started is a program that a test started, and the lines that it writes.
type started struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	ended chan error
	mu    sync.Mutex
	all   []string
}

// command is this program under a name: lastcall, tini or dumb-init.
func command(name string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return &exec.Cmd{Path: self, Args: append([]string{name}, args...)}
}

func start(t *testing.T, cmd *exec.Cmd) *started {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	s := &started{t: t, cmd: cmd, lines: make(chan string, 10_000), ended: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		for in := bufio.NewScanner(r); in.Scan(); {
			s.mu.Lock()
			s.all = append(s.all, in.Text())
			s.mu.Unlock()
			s.lines <- in.Text()
		}
		close(s.lines)
		r.Close()
	}()
	go func() { s.ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return s
}

// await waits for lines, in any order, each of which contains one of the texts.
func (s *started) await(texts ...string) {
	s.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	missing := slices.Clone(texts)
	for len(missing) > 0 {
		select {
		case line, ok := <-s.lines:
			if !ok {
				s.t.Fatalf("it ended, and no line has %q in\n%s", missing, s.output())
			}
			if i := slices.IndexFunc(missing, func(text string) bool { return strings.Contains(line, text) }); i >= 0 {
				missing = slices.Delete(missing, i, i+1)
			}
		case <-timer.C:
			s.t.Fatalf("waited %v for lines with %q in\n%s", patience, missing, s.output())
		}
	}
}

func (s *started) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.all, "\n")
}

func (s *started) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("%v: %v", sig, err)
	}
}

// end waits for the end, and returns the status as a shell has it, and the signal of which it died.
func (s *started) end() (status int, died syscall.Signal) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("waited %v for its end\n%s", patience, s.output())
	}
	for line := range s.lines { // until the output's end
		_ = line
	}
	ws := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal()), ws.Signal()
	}
	return ws.ExitStatus(), 0
}

// inits are the ways to run one program.
var inits = []struct {
	name string
	args []string
}{{"lastcall", []string{"run"}}, {"tini", []string{"-s", "--"}}, {"dumb-init", nil}}

// under is a command under an init.
func under(n int, args ...string) *exec.Cmd {
	return command(inits[n].name, slices.Concat(inits[n].args, args)...)
}

func TestRunExitsAsTheProgramDid(t *testing.T) {
	t.Parallel()
	for n, init := range inits {
		for _, code := range []int{0, 1, 2, 7, 125, 126, 127, 128, 143, 255} {
			if got, _ := start(t, under(n, "sh", "-c", fmt.Sprintf("exit %d", code))).end(); got != code {
				t.Errorf("%s: the program's code %d became %d", init.name, code, got)
			}
		}
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGUSR1, syscall.SIGSEGV} {
			status, died := start(t, under(n, "sh", "-c", fmt.Sprintf("kill -%d $$", sig))).end()
			if want := 128 + int(sig); status != want {
				t.Errorf("%s: death by %v became %d", init.name, sig, status)
			}
			if dies := init.name == "lastcall"; (died == sig) != dies {
				t.Errorf("%s: after death by %v it died of %v", init.name, sig, died)
			}
		}
	}
}

// trapAll is a shell that says which signal it got, and knows no end but by SIGKILL and a word on its standard input.
func trapAll(signals []int) string {
	var script strings.Builder
	for _, n := range signals {
		fmt.Fprintf(&script, "trap 'echo got %d.' %d\n", n, n)
	}
	script.WriteString("echo ready $$\nwhile :; do sleep 1000 >/dev/null 2>&1 & wait $!; kill $! 2>/dev/null; done\n")
	return script.String()
}

func TestRunHandsOnEverySignal(t *testing.T) {
	for n, init := range inits {
		t.Run(init.name, func(t *testing.T) {
			var signals []int
			for sig := 1; sig <= 64; sig++ {
				switch syscall.Signal(sig) {
				case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, 32, 33:
					continue
				case syscall.SIGTERM, syscall.SIGINT:
					if n == 0 {
						continue // these stop it
					}
				case syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGTSTP:
					if n > 0 {
						continue // tini leaves them to the terminal, dumb-init stops
					}
				case syscall.SIGURG:
					if !handsOnSIGURG {
						continue
					}
				case syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGSEGV, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGSYS:
					if n == 1 {
						continue // as tini
					}
				}
				if sig > 31 && (runtime.GOOS != "linux" || n == 2) {
					continue // dumb-init knows no real-time signals
				}
				signals = append(signals, sig)
			}
			cmd := under(n, "sh", "-c", trapAll(signals))
			cmd.Dir = t.TempDir()
			s := start(t, cmd)
			s.await("ready")
			for _, sig := range signals {
				s.signal(syscall.Signal(sig))
				s.await(fmt.Sprintf("got %d.", sig))
			}
			s.killFamily()
		})
	}
}

// handsOnSIGURG says whether lastcall can tell a SIGURG that somebody sent from those of the Go runtime.
var handsOnSIGURG = runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")

// killFamily ends the program, whose number is in its line "ready".
func (s *started) killFamily() {
	s.t.Helper()
	_, rest, _ := strings.Cut(s.output(), "ready ")
	pid := 0
	fmt.Sscan(rest, &pid)
	if pid == 0 {
		s.t.Fatalf("no number in\n%s", s.output())
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	s.end()
}

func TestRunRewrites(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		send syscall.Signal
		want string
	}{
		{"lastcall", []string{"run", "--rewrite", "USR1=USR2"}, syscall.SIGUSR1, "got 12."},
		{"lastcall", []string{"run", "--rewrite", "TERM=QUIT,HUP="}, syscall.SIGTERM, "got 3."},
		{"lastcall", []string{"run", "--stop-signal", "INT"}, syscall.SIGTERM, "got 2."},
		{"lastcall", []string{"run"}, syscall.SIGINT, "got 2."},
		{"dumb-init", []string{"-r", "15:3"}, syscall.SIGTERM, "got 3."},
		{"dumb-init", []string{"--rewrite=10:12", "-c"}, syscall.SIGUSR1, "got 12."},
	} {
		if runtime.GOOS != "linux" {
			t.Skip("the numbers are Linux's")
		}
		s := start(t, command(test.name, append(test.args, "sh", "-c", "cd "+t.TempDir()+"; "+trapAll([]int{1, 2, 3, 10, 12, 15}))...))
		s.await("ready")
		if strings.Contains(strings.Join(test.args, " "), "HUP=") {
			s.signal(syscall.SIGHUP) // dropped
		}
		s.signal(test.send)
		s.await(test.want)
		s.killFamily()
		if n := strings.Count(s.output(), "got"); n != 1 {
			t.Errorf("%s %v: %d signals came:\n%s", test.name, test.args, n, s.output())
		}
	}
}

func TestRunRemaps(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		code int
		want int
	}{
		{"lastcall", []string{"run", "--remap", "143=0,7=3"}, 7, 3},
		{"lastcall", []string{"run", "--remap", "143=0"}, 143, 0},
		{"lastcall", []string{"run", "--remap", "143=0"}, 1, 1},
		{"tini", []string{"-s", "-e", "143", "-e7"}, 7, 0},
		{"tini", []string{"-s", "-e", "143"}, 8, 8},
	} {
		if got, _ := start(t, command(test.name, append(test.args, "sh", "-c", fmt.Sprintf("exit %d", test.code))...)).end(); got != test.want {
			t.Errorf("%s %v: %d became %d, want %d", test.name, test.args, test.code, got, test.want)
		}
	}
}

func TestRunOfWhatCannotRun(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"lastcall", []string{"run", "nosuch"}, 127, "lastcall run: nosuch: not found"},
		{"lastcall", []string{"run", dir + "/nosuch"}, 127, "nosuch: not found"},
		{"lastcall", []string{"run", plain}, 126, "plain: not executable: permission denied"},
		{"lastcall", []string{"run", dir}, 126, "not executable"},
		{"lastcall", []string{"run"}, 2, "missing argument: COMMAND"},
		{"lastcall", []string{"run", "--grace", "soon", "true"}, 2, `--grace: "soon" is not a time`},
		{"lastcall", []string{"run", "--rewrite", "TERM", "true"}, 2, `--rewrite: "TERM" is not like TERM=QUIT`},
		{"lastcall", []string{"run", "--stop-signal", "NOPE", "true"}, 2, `there is no signal "NOPE"`},
		{"lastcall", []string{"run", "--ready", "maybe", "true"}, 2, `--ready: "maybe" is none of`},
		{"tini", []string{"-s", "nosuch"}, 127, "exec nosuch failed: No such file or directory"},
		{"tini", []string{"-s", plain}, 126, "Permission denied"},
		{"tini", nil, 1, "Usage: tini"},
		{"tini", []string{"-x"}, 1, "invalid option -- 'x'"},
		{"tini", []string{"--version"}, 0, "tini version "},
		{"tini", []string{"-h"}, 0, "Usage: tini"},
		{"dumb-init", []string{"nosuch"}, 2, "[dumb-init] nosuch: No such file or directory"},
		{"dumb-init", nil, 1, "Try dumb-init --help"},
		{"dumb-init", []string{"--version"}, 0, "dumb-init v"},
		{"dumb-init", []string{"-h"}, 0, "Usage: dumb-init"},
		{"dumb-init", []string{"-r", "99:1", "true"}, 1, "takes <signum>:<signum>"},
		{"dumb-init", []string{"--yolo", "true"}, 1, "unrecognized option '--yolo'"},
	} {
		s := start(t, command(test.name, test.args...))
		if got, _ := s.end(); got != test.status || !strings.Contains(s.output(), test.says) {
			t.Errorf("%s %v: status %d, want %d, and %q in\n%s", test.name, test.args, got, test.status, test.says, s.output())
		}
		if test.name == "lastcall" && strings.Count(s.output(), "\n") > 0 {
			t.Errorf("%v: more than one line:\n%s", test.args, s.output())
		}
	}
}

// Options of lastcall run may be variables.
func TestRunReadsVariables(t *testing.T) {
	cmd := command("lastcall", "run", "sh", "-c", "exit 9")
	cmd.Env = append(os.Environ(), "LASTCALL_RUN_REMAP=9=4")
	if got, _ := start(t, cmd).end(); got != 4 {
		t.Errorf("LASTCALL_RUN_REMAP: status %d", got)
	}
	cmd = command("lastcall", "run", "true")
	cmd.Env = append(os.Environ(), "LASTCALL_RUN_GRACE=soon")
	s := start(t, cmd)
	if got, _ := s.end(); got != 2 || !strings.Contains(s.output(), `LASTCALL_RUN_GRACE="soon"`) {
		t.Errorf("status %d:\n%s", got, s.output())
	}
}

// Who ignores the stop is killed at the end of the grace period, with the whole family.
func TestRunEscalates(t *testing.T) {
	t.Parallel()
	const deaf = `trap "" TERM; setsid sh -c 'trap "" TERM; echo far $$; sleep 1000' & sh -c 'trap "" TERM; echo near $$; sleep 1000' & echo main; wait; wait; sleep 1000`
	s := start(t, command("lastcall", "run", "--grace", "1500ms", "sh", "-c", deaf))
	s.await("far", "near", "main")
	s.signal(syscall.SIGTERM)
	if got, _ := s.end(); got != 137 {
		t.Errorf("status %d", got)
	}
	s.none("far", "near")
	if !strings.Contains(s.output(), "killed") || !strings.Contains(s.output(), "the next signal kills it") {
		t.Errorf("it does not say what it did:\n%s", s.output())
	}

	// The second signal does not wait for that.
	s = start(t, command("lastcall", "run", "--grace", "1h", "sh", "-c", deaf))
	s.await("far", "near", "main")
	s.signal(syscall.SIGTERM)
	s.await("waiting for sh")
	s.signal(syscall.SIGTERM)
	if got, _ := s.end(); got != 137 {
		t.Errorf("status %d after the second signal", got)
	}
	s.none("far", "near")
}

// none checks that the processes whose numbers stand behind these words in the output are gone. One that died as the last, in the same
// moment as its parent and lastcall, may be a zombie that is left to init.
func (s *started) none(words ...string) {
	s.t.Helper()
	for _, word := range words {
		_, rest, _ := strings.Cut(s.output(), word+" ")
		pid := 0
		fmt.Sscan(rest, &pid)
		if err := syscall.Kill(pid, 0); pid != 0 && errors.Is(err, syscall.ESRCH) {
			continue
		}
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, state, _ := strings.Cut(string(stat), ") "); pid == 0 || !strings.HasPrefix(state, "Z") {
			s.t.Errorf("%s, pid %d, should be gone: %s\n%s", word, pid, stat, s.output())
		}
	}
}

// dumb-init tells the whole session, and once more when the program has ended; with -c only the program.
func TestDumbInitTellsTheGroup(t *testing.T) {
	const both = `sh -c 'trap "echo child told; exit" USR1; echo child up; while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done' & trap "echo main told" USR1; echo main up; while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done`
	s := start(t, command("dumb-init", "sh", "-c", both))
	s.await("child up", "main up")
	s.signal(syscall.SIGUSR1)
	s.await("main told", "child told")
	s.signal(syscall.SIGTERM)
	if got, _ := s.end(); got != 143 {
		t.Errorf("status %d:\n%s", got, s.output())
	}
	s = start(t, command("dumb-init", "-c", "sh", "-c", `sh -c 'trap "echo child told; exit" USR1; echo child up $$; while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done' & trap "echo main told; exit 5" USR1; echo main up; while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done`))
	s.await("child up", "main up")
	s.signal(syscall.SIGUSR1)
	s.await("main told")
	_, rest, _ := strings.Cut(s.output(), "child up ")
	pid := 0
	fmt.Sscan(rest, &pid)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("with -c the program's child is gone: %v", err)
	}
	if got, _ := s.end(); got != 5 || strings.Contains(s.output(), "child told") {
		t.Errorf("status %d:\n%s", got, s.output())
	}
	// SIGTERM for who is left when the program has ended.
	s = start(t, command("dumb-init", "sh", "-c", `sh -c 'trap "echo left told; exit" TERM; echo child up; while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done' & trap "exit 3" USR1; while :; do sleep 1000 >/dev/null 2>&1 & wait $!; done`))
	s.await("child up")
	s.signal(syscall.SIGTERM)
	s.await("left told")
	s.end()
}

// The program's standard files are its own, and so is what else is open.
func TestRunLeavesFilesAlone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := command("lastcall", "run", "sh", "-c", "cat; echo extra >&3")
	cmd.Stdin = strings.NewReader("from standard input\n")
	cmd.ExtraFiles = []*os.File{w}
	s := start(t, cmd)
	w.Close()
	s.await("from standard input")
	if got, _ := s.end(); got != 0 {
		t.Errorf("status %d\n%s", got, s.output())
	}
	var extra bytes.Buffer
	extra.ReadFrom(r)
	if extra.String() != "extra\n" {
		t.Errorf("descriptor 3: %q", extra.String())
	}
}

// The report is that of the program's stop.
func TestRunReports(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	s := start(t, command("lastcall", "run", "--report", file, "sh", "-c", "trap 'exit 0' TERM; echo up; sleep 1000 & wait"))
	s.await("up")
	s.signal(syscall.SIGTERM)
	if got, _ := s.end(); got != 0 {
		t.Errorf("status %d\n%s", got, s.output())
	}
	out, err := command("lastcall", "report", file).Output()
	if err != nil || !strings.Contains(string(out), "stopped in") || !strings.Contains(string(out), "SIGTERM") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// Without a subreaper nobody else of the family is stopped, and what contradicts that is refused.
func TestRunWithoutSubreaper(t *testing.T) {
	s := start(t, command("lastcall", "run", "--no-subreaper", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo child $!; exec sleep 1000"))
	s.await("child ")
	s.signal(syscall.SIGTERM)
	if got, _ := s.end(); got != 143 {
		t.Errorf("status %d\n%s", got, s.output())
	}
	child := 0
	fmt.Sscanf(s.output(), "child %d", &child)
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Errorf("the child %d, which was to be left: %v", child, err)
	}
	out, err := command("lastcall", "run", "--no-subreaper", "--kill", "family", "true").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--kill family needs a subreaper") {
		t.Errorf("%v: %s", err, out)
	}
}
