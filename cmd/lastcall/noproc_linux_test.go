package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// withoutProc is this program as lastcall, in a mount namespace whose /proc is empty.
func withoutProc(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	link := filepath.Join(t.TempDir(), "lastcall")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	options := []string{"--mount"}
	if os.Getuid() != 0 {
		options = append(options, "--user", "--map-root-user")
	}
	hide := []string{"sh", "-c", `mount -t tmpfs none /proc && exec "$@"`, "sh"}
	if out, err := exec.Command("unshare", slices.Concat(options, hide, []string{"true"})...).CombinedOutput(); err != nil {
		t.Skipf("no mount namespace here: unshare: %v %s", err, out)
	}
	return exec.Command("unshare", slices.Concat(options, hide, []string{link}, args)...)
}

// Without /proc it says so, stops the group, and names /proc where it cannot do without.
func TestWithoutProc(t *testing.T) {
	const says = "/proc is not mounted"
	s := start(t, withoutProc(t, "run", "sh", "-c", `(trap "echo told; exit" TERM; echo child; while :; do sleep 0.05; done) & echo main; exec sleep 1000`))
	s.await(says, "child", "main")
	s.signal(syscall.SIGTERM)
	if status, _ := s.end(); status != 143 || !strings.Contains(s.output(), "told") {
		t.Errorf("status %d, and the group was not told:\n%s", status, s.output())
	}

	s = start(t, withoutProc(t, "run", "--grace", "1s", "sh", "-c", `(trap "" TERM; echo child; while :; do sleep 0.05; done) & exec sleep 1000`))
	s.await("child")
	s.signal(syscall.SIGTERM)
	if status, _ := s.end(); status != 143 { // its output ends when the child is dead
		t.Errorf("status %d:\n%s", status, s.output())
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "lastcall.yaml")
	if err := os.WriteFile(file, []byte("socket: "+filepath.Join(dir, "s")+"\nprocesses:\n  web: { command: [sleep, 1000], umask: 022 }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, withoutProc(t, "up", "-f", file))
	if status, _ := s.end(); status != 126 || !strings.Contains(s.output(), "web: failed: sleep: cannot be started: "+says) {
		t.Errorf("status %d:\n%s", status, s.output())
	}
}
