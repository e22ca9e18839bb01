package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// At a terminal job control is as if lastcall run were not there: Ctrl-Z, fg, Ctrl-C, and reading from the terminal.
func TestRunAtATerminal(t *testing.T) {
	person, shell := openTerminal(t)
	cmd := command("sh", "-i")
	cmd.Path = "/bin/sh"
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "lastcall")); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "PS1=prompt> ", "ENV=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = shell, shell, shell
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	shell.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	screen := &screenText{more: make(chan struct{}, 1)}
	go screen.read(person)
	for _, step := range []struct{ types, shows string }{
		{"", "prompt>"},
		{"lastcall run sh -c 'echo now $((40+2)); sleep 1000; echo woke'\n", "now 42"},
		{"\x1a", "Stopped"},
		{"fg\n", "lastcall run"},
		{"\x03", "prompt>"},
		{"echo status $?.\n", "status 130."},
		{"lastcall run cat\n", "cat"},
		{"typed\n", "typed\r\ntyped"},
		{"\x04", "prompt>"},
	} {
		from := screen.len()
		if _, err := person.WriteString(step.types); err != nil {
			t.Fatal(err)
		}
		if !screen.await(from, step.shows) {
			t.Fatalf("typed %q and waited %v for %q in\n%s", step.types, patience, step.shows, screen)
		}
	}
}

// openTerminal makes a terminal with a person at one end.
func openTerminal(t *testing.T) (person, shell *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine has no terminals: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	conn, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if shell, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return person, shell
}

// screenText is all that a terminal has shown.
type screenText struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (s *screenText) read(from *os.File) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.text.Write(buf[:n])
		s.mu.Unlock()
		select {
		case s.more <- struct{}{}:
		default:
		}
	}
}

func (s *screenText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *screenText) len() int { return len(s.String()) }

// await waits until the terminal has shown a text after what it had shown when it was from bytes long.
func (s *screenText) await(from int, text string) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for !strings.Contains(s.String()[from:], text) {
		select {
		case <-s.more:
		case <-timer.C:
			return false
		}
	}
	return true
}
