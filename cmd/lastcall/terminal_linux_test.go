package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A glass is a terminal with a program in the foreground, and what it has shown.
type glass struct {
	t      *testing.T
	master *os.File
	mu     sync.Mutex
	text   bytes.Buffer
	read   int // so much of text has been awaited
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

// onTerminal runs cmd as the leader of a session with a terminal of its own.
func onTerminal(t *testing.T, cmd *exec.Cmd) *glass {
	t.Helper()
	master, slave := openTerminal(t)
	s := &glass{t: t, master: master}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err := cmd.Start()
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return // EIO: nobody has the other side open any more
			}
		}
	}()
	t.Cleanup(func() {
		master.Close() // SIGHUP for whoever is left
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return s
}

// shell is an interactive one with job control on a terminal. What one types is not shown.
func shell(t *testing.T) *glass {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"lastcall", "tini", "dumb-init"} {
		if err := os.Symlink(command(name).Path, dir+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-i")
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "PS1=", "ENV=", "HISTFILE=", "TERM=dumb")
	s := onTerminal(t, cmd)
	s.keys("stty -echo; echo sh''ell up\n")
	s.shows("shell up")
	return s
}

const (
	ctrlC = "\x03"
	ctrlZ = "\x1a"
)

func (s *glass) keys(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// shows waits until the pattern appears behind what has been awaited before, and returns what its last group matched.
func (s *glass) shows(pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	for limit := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		s.mu.Lock()
		rest := s.text.Bytes()[s.read:]
		found := re.FindSubmatchIndex(rest)
		if found != nil {
			s.read += found[1]
			group := string(rest[found[len(found)-2]:found[len(found)-1]])
			s.mu.Unlock()
			return group
		}
		all := s.text.String()
		s.mu.Unlock()
		if time.Now().After(limit) {
			s.t.Fatalf("waited %v for %#q at the terminal:\n%s", patience, pattern, all)
		}
	}
}
