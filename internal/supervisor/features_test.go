//go:build unix

package supervisor

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// signalled says which signals it gets, and ends with USR1.
const signalled = `trap 'echo got TERM; exit 0' TERM; trap 'echo got USR1; exit 0' USR1; echo runs; while :; do sleep 0.05; done`

func stopBy(line string, within time.Duration) func(*config.Process) {
	return func(p *config.Process) {
		p.StopBy, p.Within.Stop = &config.Command{Shell: line}, within
	}
}

// The command of a stop comes in place of the signal.
func TestStopCommand(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("a", signalled, stopBy(`kill -USR1 "$LASTCALL_PID"`, 0))))
	u.await("runs")
	if status := u.end(syscall.SIGTERM); status != 0 {
		t.Errorf("the status is %d", status)
	}
	if text := u.output(); !strings.Contains(text, "got USR1") || strings.Contains(text, "got TERM") {
		t.Errorf("the signals are others:\n%s", text)
	}
}

// The signal follows at once when the command fails, and later when it has done nothing.
func TestStopCommandThatDoesNotStop(t *testing.T) {
	for name, test := range map[string]struct {
		line   string
		within time.Duration
		says   string
		after  time.Duration
	}{
		"fails":   {"exit 3", patience, "a: the stop command failed: .*exit code 3", 0},
		"nothing": {"true", 2 * time.Second, "a: still runs after the stop command", time.Second},
		"hangs":   {"sleep 1000", 2 * time.Second, "a: the stop command has not ended in time", time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			u := start(t, fileOf(t, shellProcess("a", signalled, stopBy(test.line, test.within))))
			u.await("runs")
			began := time.Now()
			if status := u.end(syscall.SIGTERM); status != 0 {
				t.Errorf("the status is %d", status)
			}
			if took := time.Since(began); took < test.after {
				t.Errorf("it took %v, and the command has %v", took, test.after)
			}
			u.await(test.says)
			inOrder(t, u.output(), "stop command", "got TERM")
		})
	}
}

// A second signal cuts the command of the stop short, too.
func TestStopCommandThatIsCut(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("a", "trap '' TERM; echo runs; while :; do sleep 0.05; done", stopBy("echo asking; sleep 1000", 0))))
	u.await("runs")
	u.signals <- syscall.SIGTERM
	u.await("asking")
	if status := u.awaitState("a", lastcall.StateStopping).Status; status != "the stop command runs" {
		t.Errorf("its status is %q", status)
	}
	time.Sleep(150 * time.Millisecond) // repeats within 100 ms count once
	if status := u.end(syscall.SIGTERM); status != statusCut {
		t.Errorf("the status is %d, want %d", status, statusCut)
	}
}

// What comes after the end of another starts then, whatever the other's status, and not when the other is ready.
func TestAfterEnd(t *testing.T) {
	dir := t.TempDir()
	u := start(t, fileOf(t,
		shellProcess("b", "echo b runs; exec sleep 1000", func(p *config.Process) { p.AfterEnd = []string{"a"} }),
		shellProcess("a", "until test -e go; do sleep 0.05; done; echo a ends; exit 3", func(p *config.Process) { p.Dir, p.OnExit = dir, config.OnExitContinue }),
	))
	u.await("a: ready")
	if i := u.awaitState("b", lastcall.StateStarting); i.PID != 0 {
		t.Errorf("b has pid %d before a has ended", i.PID)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u.await("b runs")
	inOrder(t, u.output(), "a ends", "b runs")
	u.end(syscall.SIGTERM)
}

// What waits for the end of another stops at once.
func TestAfterEndThatNeverComes(t *testing.T) {
	u := start(t, fileOf(t,
		shellProcess("a", "echo a runs; exec sleep 1000"),
		shellProcess("b", "echo b runs", func(p *config.Process) { p.AfterEnd = []string{"a"} }),
	))
	u.await("a runs")
	if status := u.end(syscall.SIGTERM); status != 0 || strings.Contains(u.output(), "b runs") {
		t.Errorf("the status is %d:\n%s", status, u.output())
	}
}

// Patterns stand for names in what clients ask for.
func TestPatterns(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("web-a", "echo one; exec sleep 1000"), shellProcess("web-b", "echo two; exec sleep 1000"), shellProcess("db", "echo three; exec sleep 1000")))
	u.await("all 3 ready")
	u.await("one")
	u.await("two")
	var lines []string
	if err := u.Logs(t.Context(), control.LogQuery{Names: []string{"web-*"}, Last: -1}, func(l control.Line) error {
		lines = append(lines, l.Name+" "+l.Process+" "+l.Text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "\n")
	if !strings.Contains(text, "web-a web-a one") || !strings.Contains(text, "web-b web-b two") || strings.Contains(text, "three") {
		t.Errorf("the log is\n%s", text)
	}
	said := new(said)
	if err := u.Stop(t.Context(), []string{"web-?"}, said.add); err != nil {
		t.Fatal(err)
	}
	if u.ps()["web-a"].PID != 0 || u.ps()["web-b"].PID != 0 || u.ps()["db"].PID == 0 {
		t.Errorf("other processes run: %v", u.ps())
	}
	if err := u.Start(t.Context(), []string{"*-b"}, said.add); err != nil || u.ps()["web-b"].PID == 0 {
		t.Errorf("not started: %v %v", err, u.ps()["web-b"])
	}
	if err := u.Restart(t.Context(), []string{"x*"}, said.add); err == nil || !strings.Contains(err.Error(), `no process "x*"`) {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
	u.end(syscall.SIGTERM)
}

// Standard error can have a file of its own, also next to the common output.
func TestStderrFile(t *testing.T) {
	dir := t.TempDir()
	out, wrong, alone := filepath.Join(dir, "out.log"), filepath.Join(dir, "err.log"), filepath.Join(dir, "alone.log")
	u := start(t, fileOf(t,
		shellProcess("a", "echo fine; echo wrong >&2", func(p *config.Process) { p.Log = config.Log{File: out, Stderr: wrong} }),
		shellProcess("b", "echo shown; echo hidden >&2", func(p *config.Process) { p.Log = config.Log{Stderr: alone} }),
	))
	awaitFile(t, out, "fine\n")
	awaitFile(t, wrong, "wrong\n")
	awaitFile(t, alone, "hidden\n")
	u.await("shown")
	if status := u.end(nil); status != 0 || strings.Contains(u.output(), "hidden") {
		t.Errorf("the status is %d:\n%s", status, u.output())
	}
}

// A change of a watched file restarts the process, and no other; after a reload other files are watched.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(time.Now().String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	write("two")
	fileFor := func(name string) *config.File {
		return fileOf(t, shellProcess("a", "echo a runs; exec sleep 1000", func(p *config.Process) { p.Dir, p.Watch.Paths = dir, []string{filepath.Join(dir, name)} }),
			shellProcess("b", "exec sleep 1000"))
	}
	next := fileFor("one")
	u := startFrom(t, func() (*config.File, error) { return next, nil })
	u.await("all 2 ready")
	first, other := u.ps()["a"].PID, u.ps()["b"].PID
	write("one")
	u.await("a: .*one has changed, restarting it")
	u.await("a runs\n(?s:.*)a runs")
	second := u.awaitState("a", lastcall.StateReady).PID
	if second == first || u.ps()["b"].PID != other {
		t.Errorf("pid %d and then %d; the other has pid %d and then %d", first, second, other, u.ps()["b"].PID)
	}
	next = fileFor("two")
	if err := u.Reload(t.Context(), nil, func(string) {}); err != nil {
		t.Fatal(err)
	}
	write("two")
	u.await("a: .*two has changed, restarting it")
	if err := u.Stop(t.Context(), []string{"a"}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	u.end(syscall.SIGTERM)
}

func TestWatchOfNothing(t *testing.T) {
	file := fileOf(t, shellProcess("a", "true", func(p *config.Process) { p.Watch.Paths = []string{"/none/at/all"} }))
	_, err := New(Options{Load: func() (*config.File, error) { return file, nil }, Out: os.Stdout, Socket: filepath.Join(t.TempDir(), "s")})
	if err == nil || !strings.Contains(err.Error(), "a: watch: ") || !strings.Contains(err.Error(), "/none/at/all") {
		t.Errorf("the error is %v", err)
	}
}
