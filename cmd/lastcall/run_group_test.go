//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A shell runs its trap when its foreground child has ended: it cleans up if the stop is for the whole group, as under tini -g, dumb-init
// and catatonit -g.
func TestRunStopsAGroupAtOnce(t *testing.T) {
	const program = `trap 'echo cleaned; exit 0' TERM; sh -c 'echo up; exec sleep 1000'`
	for _, test := range []struct {
		env  string
		args []string
	}{
		{"", []string{"--group"}},
		{"LASTCALL_RUN_GROUP=true", nil},
		{"", []string{"--kill", "group"}},
		{"LASTCALL_RUN_KILL=group", nil},
		{"", []string{"--kill", "all"}},
	} {
		cmd := command("lastcall", append(append([]string{"run", "--grace", "1h"}, test.args...), "sh", "-c", program)...)
		cmd.Env = append(os.Environ(), test.env)
		s := start(t, cmd)
		s.await("up")
		s.signal(syscall.SIGTERM)
		if got, _ := s.end(); got != 0 || !strings.Contains(s.output(), "cleaned") {
			t.Errorf("%s %v: status %d\n%s", test.env, test.args, got, s.output())
		}
	}
}

// Of --kill all what left the group hears the stop while the program is still there.
func TestRunStopsAllAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("over", 0o600); err != nil {
		t.Fatal(err)
	}
	const program = `trap 'read over <over; exit 0' TERM; setsid sh -c 'trap "echo far told; echo >over; exit 0" TERM; echo far up; while :; do sleep 0.01; done' &
		echo near up; while :; do wait; done`
	s := start(t, command("lastcall", "run", "--grace", "1h", "--kill", "all", "sh", "-c", program))
	s.await("far up", "near up")
	s.signal(syscall.SIGTERM)
	s.await("far told")
	if got, _ := s.end(); got != 0 {
		t.Errorf("status %d\n%s", got, s.output())
	}
}

// An exit with 128 and the signal of the stop is a clean one, as every JVM ends; lastcall exits with it all the same.
func TestRunEndsCleanlyBy128AndTheSignal(t *testing.T) {
	report := filepath.Join(t.TempDir(), "r.json")
	for code, failed := range map[string]bool{"143": false, "130": true} {
		s := start(t, command("lastcall", "run", "--report", report, "sh", "-c", `trap 'exit `+code+`' TERM; echo up; while :; do sleep 0.01; done`))
		s.await("up")
		s.signal(syscall.SIGTERM)
		got, _ := s.end()
		text, err := os.ReadFile(report)
		if err != nil || strings.Contains(string(text), `"failed"`) != failed {
			t.Errorf("exit %s: status %d, %v\n%s", code, got, err, text)
		}
	}
}

// Scripts run as the originals and a shell run them, and what cannot run is named.
func TestRunOfScripts(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return name
	}
	plain := write("plain", "echo \"plain $1\"; exit 7\n")
	crlf := write("crlf", "#!/bin/sh\r\necho\r\n")
	for _, test := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"lastcall", []string{"run", plain, "a"}, 7, "plain a"},
		{"tini", []string{"-s", plain, "a"}, 7, "plain a"},
		{"dumb-init", []string{plain, "a"}, 7, "plain a"},
		{"lastcall", []string{"run", crlf}, 127, `crlf: its interpreter "/bin/sh\r" cannot be run: no such file or directory; its lines end with CRLF`},
		{"lastcall", []string{"run", ""}, 2, "COMMAND is empty"},
	} {
		s := start(t, command(test.name, test.args...))
		if got, _ := s.end(); got != test.status || !strings.Contains(s.output(), test.says) {
			t.Errorf("%s %q: status %d, want %d, and %q in\n%s", test.name, test.args, got, test.status, test.says, s.output())
		}
	}
}
