package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// project is a directory with a file of one process.
func project(t *testing.T, dir string) string {
	t.Helper()
	const text = "processes:\n  web: { command: \"exec sleep 1000\" }\n"
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "lastcall.yaml"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Two projects whose sockets are written the same are two: when one of them is started after its sudden death, the other's processes live on.
// In one project there is one, however its directory is reached.
func TestUpWithARelativeSocket(t *testing.T) {
	dir := t.TempDir()
	a, b, link := project(t, filepath.Join(dir, "a")), project(t, filepath.Join(dir, "b")), filepath.Join(dir, "link")
	if err := os.Symlink("b", link); err != nil {
		t.Fatal(err)
	}
	in := func(dir string, args ...string) *exec.Cmd {
		cmd := command("lastcall", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PWD="+dir)
		return cmd
	}
	up := func(dir string) *started {
		t.Helper()
		s := start(t, in(dir, "up", "--socket", "lastcall.sock"))
		s.await("all 1 ready")
		return s
	}
	first := up(a)
	second := up(b)
	second.signal(syscall.SIGKILL)
	if _, died := second.end(); died != syscall.SIGKILL {
		t.Fatalf("it did not die:\n%s", second.output())
	}
	if _, err := os.Lstat(filepath.Join(b, "lastcall.sock")); err != nil {
		t.Fatalf("it left no socket: %v", err)
	}
	third := up(b)
	if out := third.output(); strings.Contains(out, "is left from an earlier") {
		t.Errorf("the next one found something that is not its own:\n%s", out)
	}
	for _, dir := range []string{b, link} {
		again := start(t, in(dir, "up", "--socket", "lastcall.sock"))
		if status, _ := again.end(); status != 3 || !strings.Contains(again.output(), "lastcall up is already running for ") {
			t.Errorf("a second one in %s: status %d\n%s", dir, status, again.output())
		}
		out, err := in(dir, "ps", "--socket", "lastcall.sock").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "web") {
			t.Errorf("ps in %s: %v\n%s", dir, err, out)
		}
	}
	for name, s := range map[string]*started{"a": first, "b": third} {
		s.signal(syscall.SIGTERM)
		if status, died := s.end(); status != 0 || died != 0 || strings.Contains(s.output(), "failed") {
			t.Errorf("%s: status %d, %v\n%s", name, status, died, s.output())
		}
	}
}
