//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
