package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The shipped unit suits systemd 252, and lastcall up takes the directory that the unit has made.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("../../packaging/systemd/lastcall@.service")
	if err != nil {
		t.Fatal(err)
	}
	setting := func(name string) string {
		t.Helper()
		found := regexp.MustCompile(`(?m)^` + name + `=(.*)$`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("the unit does not say %s", name)
		}
		return string(found[1])
	}
	if kind := setting("Type"); kind != "notify" {
		t.Errorf("Type=%s; notify-reload is unknown to systemd 252", kind)
	}
	if reload := setting("ExecReload"); !strings.HasPrefix(reload, "/usr/bin/lastcall reload -f ") {
		t.Errorf("ExecReload=%s does not wait for the end of the reload", reload)
	}
	t.Run("its directory", func(t *testing.T) {
		mode, err := strconv.ParseUint(setting("RuntimeDirectoryMode"), 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		run, dir := t.TempDir(), project(t, filepath.Join(t.TempDir(), "shop"))
		made := filepath.Join(run, setting("RuntimeDirectory"))
		if err := os.Mkdir(made, os.FileMode(mode)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(made, os.FileMode(mode)); err != nil { // whatever the umask
			t.Fatal(err)
		}
		cmd := command("lastcall", "up")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_RUNTIME_DIR="+run)
		s := start(t, cmd)
		s.await("all 1 ready")
		if found, _ := filepath.Glob(filepath.Join(made, "*.sock")); len(found) != 1 {
			t.Errorf("the control sockets in %s are %q", made, found)
		}
		s.signal(syscall.SIGTERM)
		if status, _ := s.end(); status != 0 {
			t.Errorf("status %d\n%s", status, s.output())
		}
	})
	t.Run("by systemd-analyze", func(t *testing.T) {
		verify, err := exec.LookPath("systemd-analyze")
		if err != nil {
			t.Skip("there is no systemd-analyze")
		}
		unit := filepath.Join(t.TempDir(), "lastcall@.service")
		if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/bin/lastcall", "/bin/true")), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(verify, "verify", "--man=no", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "lastcall@.service:") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
