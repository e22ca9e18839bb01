//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// as is a process that says who it is, also from its hooks.
func as(name string) *config.Process {
	return shellProcess("web", `echo "runs as $(id -u) $(id -g) groups $(id -G) $USER $LOGNAME at home in $HOME"; `+waits, func(p *config.Process) {
		p.User, p.Dir = name, "/"
		p.Hooks.BeforeStart = &config.Command{Shell: `echo "before as $(id -u)"`}
	})
}

func TestUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]string{
		"nobody":   fmt.Sprintf("%s %s groups .*%[2]s.* nobody nobody at home in %s", nobody.Uid, nobody.Gid, nobody.HomeDir),
		"nobody:7": nobody.Uid + " 7 groups 7 nobody nobody at home in " + nobody.HomeDir,
		"54321:7":  "54321 7 groups 7 54321 54321 at home in /",
		"0":        "0 0 groups ",
	} {
		t.Run(name, func(t *testing.T) {
			u := start(t, fileOf(t, as(name)))
			u.await(`web +\| runs as ` + want)
			before, _, _ := strings.Cut(name, ":")
			if before == "nobody" {
				before = nobody.Uid
			}
			u.await(`web +\| before as ` + before + "$")
			u.await(`web +\| hello`)
			if u.end(syscall.SIGTERM) != 0 { // it can be stopped, too
				t.Error(u.err)
			}
		})
	}
}

func TestUserThatCannotBe(t *testing.T) {
	for name, want := range map[string]string{
		"nosuchuser":             `web: user: there is no user "nosuchuser"`,
		"0:nosuchgroup":          `web: user: there is no group "nosuchgroup"`,
		"99999999999":            `web: user: `,
		"54321":                  `web: user: only root can run it as "54321"`,
		fmt.Sprint(os.Geteuid()): "",
	} {
		if name == "54321" && os.Geteuid() == 0 {
			continue
		}
		_, err := define(as(name), false)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

// Everything that a process's configuration starts has the user, groups, directory, environment, umask, priority and limits of the
// process.
func TestEverythingRunsAsTheUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	if _, err := user.Lookup("nobody"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o777); err != nil { //nolint:gosec // nobody writes here
			t.Fatal(err)
		}
	}
	sh := func(name string) *config.Command {
		return &config.Command{Shell: `echo "$(id -u):$(id -g):$(id -G) $(umask) $(nice) $(ulimit -n) $(pwd) $WORD $HOME $LASTCALL_INSTANCE" >>` + name}
	}
	mask := 0o027
	u := start(t, fileOf(t, shellProcess("web", sh("main").Shell+"; "+waits, func(p *config.Process) {
		p.User, p.Dir, p.Env, p.Umask, p.Priority = "nobody", dir, []string{"WORD=here"}, &mask, 2
		p.Limits.NoFile = 123
		p.Hooks = config.Hooks{BeforeStart: sh("before_start"), AfterStop: sh("after_stop")}
		p.Ready.Exec, p.Liveness = sh("ready"), config.Check{Exec: sh("liveness"), Every: time.Millisecond}
		p.Reload.Command = sh("reload")
	})))
	u.await(`web +\| hello`)
	u.awaitState("web", lastcall.StateReady)
	if err := u.Reload(t.Context(), []string{"web"}, func(string) {}); err != nil {
		t.Error(err)
	}
	line := func(name string) string {
		for limit := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if first, _, ok := strings.Cut(string(text), "\n"); ok {
				return first
			}
			if time.Now().After(limit) {
				t.Fatalf("no line in %s (%v) after %v", name, err, patience)
			}
		}
	}
	want := line("main")
	line("liveness")
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
	for _, name := range []string{"before_start", "ready", "liveness", "reload", "after_stop"} {
		if got := line(name); got != want {
			t.Errorf("%s: %s, and the process %s", name, got, want)
		}
	}
	if strings.HasPrefix(want, "0:") || !strings.Contains(want, " 0027 2 123 "+dir+" here ") {
		t.Errorf("the process: %s", want)
	}
}

// A process has a session of its own, and so has all that is started for it, unless the file says otherwise.
func TestSessions(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("sessions are seen in /proc: ", err)
	}
	sid, err := unix.Getsid(0)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*config.Process)
		own    bool
	}{
		"user":         {func(p *config.Process) { p.User = "54321" }, true},
		"capabilities": {func(p *config.Process) { p.Capabilities = []string{} }, true},
		"tty":          {func(p *config.Process) { p.User, p.Capabilities, p.TTY = "54321", []string{}, true }, false},
		"same user":    {func(*config.Process) {}, true},
		"its terminal": {func(p *config.Process) { p.TTY = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			others := name == "same user" || name == "its terminal"
			if os.Geteuid() != 0 && !others {
				t.Skip("only root can become somebody else or give up capabilities")
			}
			if runtime.GOOS != "linux" && name != "user" && !others {
				t.Skip("this system has no capabilities")
			}
			say := func(what string) string { return `echo "` + what + ` $$ $(cut -d" " -f6 /proc/$$/stat)"` }
			u := start(t, fileOf(t, shellProcess("web", say("main")+"; "+waits, func(p *config.Process) {
				p.Dir = "/"
				p.Hooks.BeforeStart = &config.Command{Shell: say("hook")}
				test.change(p)
			})))
			for _, what := range []string{"hook", "main"} {
				got := u.await(what + ` (\d+) (\d+)`)
				if want := map[bool]string{true: got[1], false: fmt.Sprint(sid)}[test.own]; got[2] != want {
					t.Errorf("%s: process %s is in session %s, want %s", what, got[1], got[2], want)
				}
			}
			u.await(`web +\| hello`)
			if u.end(syscall.SIGTERM) != 0 {
				t.Error(u.err)
			}
		})
	}
}

// The rights of the file reach the process.
func TestRights(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("only root on Linux can give up capabilities")
	}
	yes := true
	u := start(t, fileOf(t, shellProcess("web", `grep -E "^(NoNewPrivs|CapBnd)" /proc/self/status; grep "^Max processes" /proc/self/limits; `+waits, func(p *config.Process) {
		p.User, p.Dir, p.NoNewPrivs, p.Capabilities, p.Limits.NProc = "54322", "/", &yes, []string{"NET_BIND_SERVICE"}, 77
	})))
	u.await(`NoNewPrivs:\s+1$`)
	u.await(`CapBnd:\s+0000000000000400$`)
	u.await(`Max processes +77 +77 `)
	u.await(`web +\| hello`)
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
}
