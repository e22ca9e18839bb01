//go:build linux

package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// theirs makes a directory that belongs to a user, to which everyone has a way.
func theirs(t *testing.T, uid int) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir = filepath.Join(dir, "home")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A log in a directory of the process's user is the user's, and never root's hand in what the user chose.
func TestLogInTheUsersDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	const uid = 54321
	home := theirs(t, uid)
	log := func(name string) *config.File {
		return fileOf(t, shellProcess("web", "echo line; "+waits, func(p *config.Process) {
			p.User, p.Dir, p.Log = fmt.Sprintf("%d:%d", uid, uid), "/", config.Log{File: filepath.Join(home, name), Mode: 0o640}
		}))
	}
	u := start(t, log("made/web.log"))
	awaitFile(t, filepath.Join(home, "made/web.log"), "line\nhello\n")
	if u.end(syscall.SIGTERM) != 0 {
		t.Error(u.err)
	}
	for name, mode := range map[string]os.FileMode{"made": os.ModeDir | 0o755, "made/web.log": 0o640} {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != uid || st.Gid != uid || info.Mode() != mode {
			t.Errorf("%s belongs to %d:%d, mode %v", name, st.Uid, st.Gid, info.Mode())
		}
	}
	if text, err := os.ReadFile(filepath.Join(home, "made/web.log")); !strings.HasPrefix(string(text), "line\n") {
		t.Errorf("%q, %v", text, err)
	}
	secret := filepath.Join(filepath.Dir(home), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(home, "link.log")); err != nil {
		t.Fatal(err)
	}
	if err := os.Lchown(filepath.Join(home, "link.log"), uid, uid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(home, "fifo.log"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"link.log": "a link of user 54321 leads there, and it belongs to root",
		"fifo.log": "it is a FIFO, and must be a file",
	} {
		_, err := New(Options{Load: func() (*config.File, error) { return log(name), nil }, Out: os.Stdout, Socket: filepath.Join(t.TempDir(), "s")})
		if want = "web: open " + filepath.Join(home, name) + ": " + want; err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	if text, err := os.ReadFile(secret); string(text) != "secret" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestLogOwner(t *testing.T) {
	for owner, want := range map[string]string{
		"nosuchuser":                   `web: log: owner: there is no user "nosuchuser"`,
		"0:nosuchgroup":                `web: log: owner: there is no group "nosuchgroup"`,
		fmt.Sprint(os.Geteuid()):       "",
		fmt.Sprint(os.Geteuid(), ":7"): "",
	} {
		p := shellProcess("web", waits, func(p *config.Process) { p.Log = config.Log{File: "/x", Owner: strings.ReplaceAll(owner, " ", "")} })
		_, err := define(p, false)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
			t.Errorf("%q: %v, want %q", owner, err, want)
		}
	}
}
