package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// upAtATerminal runs lastcall up on a terminal of its own, with these processes.
func upAtATerminal(t *testing.T, processes string) (s *glass, dir string, ended func() int) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lastcall.yaml"), []byte("processes:\n"+processes), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command("lastcall", "up", "--socket", "none")
	cmd.Dir = dir
	s = onTerminal(t, cmd)
	return s, dir, func() int {
		t.Helper()
		if !hasDied(cmd.Process.Pid, patience) {
			t.Fatalf("lastcall up has not ended in %v", patience)
		}
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

// Closing the terminal stops what was started on it, softly.
func TestUpWhoseTerminalGoesAway(t *testing.T) {
	s, dir, ended := upAtATerminal(t, `  web: { command: "trap 'echo bye >>log; exit 0' TERM; echo up; while :; do sleep 0.05; done", ready: { log: up } }`+"\n")
	s.shows("(all 1 ready)")
	if err := s.master.Close(); err != nil {
		t.Fatal(err)
	}
	if status := ended(); status != 0 {
		t.Errorf("status %d", status)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "log")); string(text) != "bye\n" {
		t.Errorf("the process has written %q, %v", text, err)
	}
}

// A program that reads the terminal gets an error. Nothing halts it, and nobody waits for it.
func TestUpReadsNoTerminal(t *testing.T) {
	for name, test := range map[string]struct{ key, want string }{
		"own session":           {"", "(No such device or address)"},
		"the terminal's":        {", tty: true", "(Input/output error)"},
		"a list in the session": {", tty: true, on_exit: continue", "(Input/output error)"},
	} {
		t.Run(name, func(t *testing.T) {
			command := `"LC_ALL=C head -n 1 /dev/tty; sleep 1000"`
			if name == "a list in the session" {
				command = `[env, LC_ALL=C, head, -n, "1", /dev/tty]`
			}
			s, _, ended := upAtATerminal(t, "  asks: { command: "+command+test.key+" }\n  stays: { command: sleep 1000 }\n")
			s.shows(test.want)
			s.keys(ctrlC)
			if status := ended(); status != 0 && name != "a list in the session" {
				t.Errorf("status %d", status)
			}
		})
	}
}

// On a read-only file system there is no place for a control socket, which is said, and all else is as ever. A place that was asked for is
// needed.
func TestUpOnAReadOnlySystem(t *testing.T) {
	if reason := noMounts(); reason != "" {
		t.Skip(reason)
	}
	dir := project(t, filepath.Join(t.TempDir(), "shop"))
	run := t.TempDir()
	up := func(args ...string) *started {
		t.Helper()
		cmd := command("lastcall", append([]string{"up"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "XDG_RUNTIME_DIR="+run)
		within(cmd, "mount -t tmpfs -o ro none "+run)
		cmd.Args = append([]string{"unshare", "--mount"}, cmd.Args...)
		cmd.Path, _ = exec.LookPath("unshare")
		return start(t, cmd)
	}
	s := up()
	s.await("no control socket: mkdir "+run+"/lastcall: read-only file system; ", "all 1 ready")
	s.signal(syscall.SIGTERM)
	if status, _ := s.end(); status != 0 {
		t.Errorf("status %d\n%s", status, s.output())
	}
	s = up("--socket", filepath.Join(run, "lastcall.sock"))
	if status, _ := s.end(); status != 3 || !strings.Contains(s.output(), "read-only file system") {
		t.Errorf("with a socket that was asked for: status %d\n%s", status, s.output())
	}
}
