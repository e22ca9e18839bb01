//go:build unix

package supervisor

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
)

// waits is a shell line of a process that tells when it starts and ends.
const waits = `trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done`

func TestOrder(t *testing.T) {
	db := shellProcess("db", `echo early; sleep 0.1; echo listening; `+waits)
	db.Ready.Log = "^listening$"
	u := start(t, fileOf(t, shellProcess("web", waits, after("db")), db))
	u.await("all 2 ready")
	u.await(`web +\| hello`)
	if status := u.end(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, %v", status, u.err)
	}
	inOrder(t, u.output(), "early", "db: ready", "web: ready", "stopping: SIGTERM", "web      | bye", "db       | bye", "db: stopped")
	inOrder(t, u.output(), "stopping: SIGTERM", "web: stopped, exit code 0", "db: stopped") // said beside what they write
}

func TestOneshotComesBefore(t *testing.T) {
	migrate := shellProcess("migrate", "echo begun; sleep 0.1; echo migrated", func(p *config.Process) { p.Oneshot = true })
	u := start(t, fileOf(t, migrate, shellProcess("web", waits, after("migrate"))))
	u.await(`web +\| hello`)
	inOrder(t, u.output(), "migrated", "hello")
	if u.end(syscall.SIGINT) != 0 {
		t.Error(u.err)
	}
}

func TestOneshotThatFails(t *testing.T) {
	migrate := shellProcess("migrate", "exit 9", func(p *config.Process) { p.Oneshot = true })
	u := start(t, fileOf(t, migrate, shellProcess("web", waits, after("migrate"))))
	if status := u.end(nil); status != 9 {
		t.Errorf("status %d, %v", status, u.err)
	}
	if strings.Contains(u.output(), "hello") {
		t.Error("what comes after it was started:", u.output())
	}
}

func TestExitRule(t *testing.T) {
	failing := func(name, line string, on config.OnExit) *config.Process {
		return shellProcess(name, line, func(p *config.Process) { p.OnExit = on })
	}
	for _, test := range []struct {
		name      string
		rule      config.ExitRule
		processes []*config.Process
		status    int
	}{
		{"done", config.ExitFirst, []*config.Process{failing("a", "exit 0", config.OnExitFail)}, 0},
		{"code", config.ExitFirst, []*config.Process{failing("a", "exit 7", config.OnExitFail)}, 7},
		{"signal", config.ExitFirst, []*config.Process{failing("a", "kill -USR1 $$", config.OnExitFail)}, 128 + int(syscall.SIGUSR1)},
		{"not found", config.ExitFirst, []*config.Process{{Name: "a", Command: config.Command{Args: []string{"/none"}}, Instances: 1}}, 127},
		{"not ready", config.ExitFirst, []*config.Process{{Name: "a", Command: config.Command{Shell: "exec sleep 100"}, Instances: 1,
			Ready: config.Ready{Log: "never", Within: 1e6}}}, 3},
		{"first", config.ExitFirst, []*config.Process{failing("a", "exit 5", config.OnExitFail), failing("b", "trap 'exit 6' TERM; "+waitsFor, config.OnExitFail)}, 5},
		{"worst", config.ExitWorst, []*config.Process{shellProcess("a", "exit 5", after("b")),
			shellProcess("b", "trap 'exit 6' TERM; echo hears; "+waitsFor, func(p *config.Process) { p.Ready.Log = "hears" })}, 6},
		{"continue last", config.ExitFirst, []*config.Process{failing("a", "exit 5", config.OnExitContinue), failing("b", "sleep 0.3; exit 6", config.OnExitFail)}, 6},
		{"only continue", config.ExitFirst, []*config.Process{failing("a", "exit 5", config.OnExitContinue)}, 5},
		{"essential", config.ExitEssential, []*config.Process{failing("a", "exit 5", config.OnExitContinue), failing("b", "sleep 0.3", config.OnExitEssential)}, 0},
		{"essential code", config.ExitEssential, []*config.Process{failing("a", "trap 'exit 9' TERM; "+waitsFor, config.OnExitFail), failing("b", "sleep 0.1; exit 4", config.OnExitEssential)}, 4},
		{"own and family", config.ExitFirst, []*config.Process{shellProcess("a", "(trap '' TERM; sleep 100; :) & exit 5", func(p *config.Process) { p.Within.Stop = 3e8 })}, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := fileOf(t, test.processes...)
			file.Exit = test.rule
			u := start(t, file)
			if status := u.end(nil); status != test.status {
				t.Errorf("status %d, want %d: %v", status, test.status, u.err)
			}
		})
	}
}

// waitsFor is what a shell does that has set its traps.
const waitsFor = "while :; do sleep 0.05; done"

func TestKilledIsCut(t *testing.T) {
	deaf := shellProcess("deaf", "trap '' TERM; echo deaf; "+waitsFor, func(p *config.Process) { p.Within.Stop = 2e8 })
	u := start(t, fileOf(t, deaf))
	u.await(`deaf +\| deaf`)
	if status := u.end(syscall.SIGTERM); status != 4 {
		t.Errorf("status %d, %v", status, u.err)
	}
}

func TestSecondSignalCuts(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("deaf", "trap '' TERM; echo deaf; "+waitsFor)))
	u.await(`deaf +\| deaf`)
	u.signals <- syscall.SIGTERM
	u.await(`waiting for deaf \(pid \d+, 1s, sent SIGTERM\); SIGTERM again to cut it short`)
	if status := u.end(syscall.SIGTERM); status != 4 {
		t.Errorf("status %d, %v", status, u.err)
	}
}

// Where there is no time to see to the death of all, they die all the same.
func TestAbandonedAreKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells whose a process is that left its group")
	}
	web := shellProcess("web", `trap '' TERM; setsid sh -c 'echo stray $$; exec sleep 1000' & echo main $$; `+waitsFor, after("db"))
	file := fileOf(t, web, shellProcess("db", waits))
	file.Grace = 1 // nanosecond, which leaves no time for what is not the last to stop
	u := start(t, file)
	var pids []int
	for _, who := range []string{"main", "stray"} {
		pid, _ := strconv.Atoi(u.await(`web +\| ` + who + ` (\d+)`)[1])
		pids = append(pids, pid)
	}
	if status := u.end(syscall.SIGTERM); status != 4 {
		t.Errorf("status %d, %v", status, u.err)
	}
	if !errors.Is(u.err, lastcall.ErrAbandoned) {
		t.Errorf("nothing was abandoned: %v", u.err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%d: %v", pid, err)
		}
	}
}

func TestHooks(t *testing.T) {
	web := shellProcess("web", "echo run; exit 3", func(p *config.Process) {
		p.Hooks.BeforeStart = &config.Command{Shell: "echo before $LASTCALL_PROCESS"}
		p.Hooks.AfterStop = &config.Command{Shell: "echo after $LASTCALL_EXIT_STATUS"}
	})
	u := start(t, fileOf(t, web))
	if status := u.end(nil); status != 3 {
		t.Errorf("status %d, %v", status, u.err)
	}
	inOrder(t, u.output(), "| before web", "| run", "| after 3")
}

func TestHookThatFails(t *testing.T) {
	web := shellProcess("web", "echo run", func(p *config.Process) {
		p.Hooks.BeforeStart = &config.Command{Shell: "exit 8"}
	})
	u := start(t, fileOf(t, web))
	if status := u.end(nil); status != 8 {
		t.Errorf("status %d, %v", status, u.err)
	}
	if strings.Contains(u.output(), "| run") {
		t.Error("it ran all the same")
	}
}

func TestAfterStopRunsInTheStop(t *testing.T) {
	web := shellProcess("web", waits, func(p *config.Process) {
		p.Hooks.AfterStop = &config.Command{Shell: "echo after $LASTCALL_EXIT_STATUS"}
	})
	u := start(t, fileOf(t, web))
	u.await("hello")
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
	inOrder(t, u.output(), "bye", "after 0", "web: stopped")
}

func TestStopAndStart(t *testing.T) {
	u := start(t, fileOf(t, shellProcess("db", waits), shellProcess("web", waits, after("db"))))
	u.await("all 2 ready")
	u.await(`web +\| hello`)
	u.await(`db +\| hello`)
	var s said
	if err := u.Stop(t.Context(), []string{"db", "web"}, s.add); err != nil {
		t.Fatal(err)
	}
	inOrder(t, s.String(), "web: stopped", "db: stopped")
	if ps := u.ps(); ps["db"].State != lastcall.StateStopped || ps["db"].Detail != "exit code 0" || ps["db"].PID != 0 {
		t.Errorf("%+v", ps["db"])
	}
	s = said{}
	if err := u.Start(t.Context(), []string{"web"}, s.add); err != nil { // and what it needs
		t.Fatal(err)
	}
	inOrder(t, s.String(), "db: ready", "web: ready")
	err := u.Stop(t.Context(), []string{"wbe"}, s.add)
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindUsage || !strings.Contains(e.Text, `did you mean "web"?`) {
		t.Error(err)
	}
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

func TestStartThatFails(t *testing.T) {
	web := shellProcess("web", "exit 2", func(p *config.Process) { p.OnExit = config.OnExitContinue; p.Oneshot = true })
	u := start(t, fileOf(t, web, shellProcess("db", waits)))
	u.await("web: failed")
	err := u.Start(t.Context(), []string{"web"}, new(said).add)
	if e := (*control.Error)(nil); !errors.As(err, &e) || e.Kind != control.KindStart || !strings.Contains(e.Text, "exit code 2") {
		t.Errorf("%#v", err)
	}
}

func TestRestarts(t *testing.T) {
	web := shellProcess("web", "echo hello; exec sleep 1000", func(p *config.Process) { p.Restart = config.Restart{When: "on-failure"} })
	u := start(t, fileOf(t, web))
	first := u.await(`web: ready, pid (\d+)`)[1]
	if err := u.Signal(t.Context(), []string{"web"}, "KILL"); err != nil {
		t.Fatal(err)
	}
	u.await("web: .*died of SIGKILL; restart 1 now")
	for u.awaitState("web", lastcall.StateReady).Restarts != 1 {
		<-u.Changed()
	}
	var s said
	if err := u.Restart(t.Context(), nil, s.add); err != nil {
		t.Fatal(err)
	}
	if second := strconv.Itoa(u.ps()["web"].PID); first == second { // its line may still be on the way
		t.Error("the same pid")
	}
	inOrder(t, s.String(), "web: restarted, pid ")
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}

// freeAddress is one that nobody listens at, at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func get(t *testing.T, addr string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file := fileOf(t, serving("web", ln.Addr().String(), "1", 1))
	_, err = New(Options{Load: func() (*config.File, error) { return file, nil }, Out: os.Stdout, Socket: t.TempDir() + "/s"})
	if err == nil || err.Error() != "web: listen http: tcp "+ln.Addr().String()+": address already in use" {
		t.Error(err)
	}
}

func TestSimpleCommands(t *testing.T) {
	for line, simple := range map[string]bool{
		"./web": true, "node server.js -p $PORT": true, `bundle exec "rails server"`: true, "cmd > log 2>&1": true, "cmd 'a;b'": true,
		"sleep 1000": true, "a && b": false, "a; b": false, "a | b": false, "a &": false, "cd x": false, "(a)": false, "$CMD x": false, "A=1 b": false,
		"a `b`": false, "a $(b)": false, "if a": false, "a\nb": false, "echo x": false, "a <<E": false, `"a" b`: false, "": false, "a 'b": false,
		"! a": false, "{ a": false, `a "$(b)"`: false, "a &> b": false, `a \`: true,
	} {
		if isSimple(line) != simple {
			t.Errorf("%q: simple is %v", line, !simple)
		}
	}
}

// The address that tells whether a new instance is ready is that of the socket which the old one serves, too.
func TestReadyByASharedSocket(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells who has accepted a connection")
	}
	for _, way := range []string{"http", "tcp"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			addr := freeAddress(t)
			web := serving("web", addr, "1", 2)
			web.Ready = config.Ready{TCP: addr, Within: patience}
			if way == "http" {
				web.Ready = config.Ready{HTTP: "http://" + addr + "/", Within: patience}
			}
			flag := t.TempDir() + "/bad"
			web.Command.Args = []string{"sh", "-c", `test -e "$0" && exec sleep 1000; exec "$1"`, flag, web.Command.Args[0]}
			file := &changing{file: fileOf(t, web)}
			u := startFrom(t, file.load)
			u.await("all 2 ready")
			for range 3 {
				if err := u.Restart(t.Context(), nil, new(said).add); err != nil {
					t.Fatal(err)
				}
			}
			before := pids(u)
			if err := os.WriteFile(flag, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			bad := *web
			bad.Env = append(bad.Env, "BAD=1")
			bad.Ready.Within = 10 * time.Second
			file.set(fileOf(t, &bad), nil)
			_, err := u.reloads()
			// On a machine that is busy it may be that nobody answers in the time of a look.
			why := regexp.MustCompile("not ready within 10s: .*(another process with the same socket answers|deadline exceeded|i/o timeout)")
			if err == nil || !why.MatchString(err.Error()) {
				t.Error(err)
			}
			if now := pids(u); !maps.Equal(before, now) {
				t.Errorf("before %v, now %v", before, now)
			}
			get(t, addr)
		})
	}
}
