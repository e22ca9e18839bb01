package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"golang.org/x/sys/unix"
)

// person sits at a terminal on which the command runs, for which TestMain turns this program into lastcall.
type person struct {
	*testing.T
	terminal *os.File
	cmd      *exec.Cmd
	seen     []byte
}

// sitsAt begins the command on a terminal of so many columns and 24 rows.
func sitsAt(t *testing.T, columns uint16, env []string, args ...string) *person {
	t.Helper()
	terminal, other := openTerminal(t)
	defer other.Close()
	if err := unix.IoctlSetWinsize(int(other.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: 24}); err != nil {
		t.Fatal(err)
	}
	cmd := command("lastcall", args...)
	cmd.Env = append(append(os.Environ(), "TERM=xterm"), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = other, other, other
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return &person{T: t, terminal: terminal, cmd: cmd}
}

// sees waits until the text is on the terminal, and forgets what comes before.
func (p *person) sees(text string) {
	p.Helper()
	p.terminal.SetReadDeadline(time.Now().Add(patience))
	for buf := make([]byte, 4096); ; {
		if i := bytes.Index(p.seen, []byte(text)); i >= 0 {
			p.seen = p.seen[i+len(text):]
			return
		}
		n, err := p.terminal.Read(buf)
		p.seen = append(p.seen, buf[:n]...)
		if err != nil && n == 0 {
			p.Fatalf("%v, waiting for %q; the terminal has\n%q", err, text, p.seen)
		}
	}
}

// ends returns what else comes until the command has ended.
func (p *person) ends() (rest string, err error) {
	p.Helper()
	p.terminal.SetReadDeadline(time.Now().Add(patience))
	for buf := make([]byte, 4096); ; { // until the command, which has the other end, has ended
		n, err := p.terminal.Read(buf)
		p.seen = append(p.seen, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.Fatalf("it does not end; the terminal has\n%q", p.seen)
		} else if err != nil {
			break
		}
	}
	return string(p.seen), p.cmd.Wait()
}

// standIn is a lastcall up of which a test decides what it has.
type standIn struct {
	control.Backend
	list    func() []control.Instance
	changed chan struct{}
	stop    chan error
}

func (b *standIn) List(context.Context, bool) ([]control.Instance, error) { return b.list(), nil }
func (b *standIn) Changed() <-chan struct{}                               { return b.changed }
func (b *standIn) Stop(ctx context.Context, _ []string, progress func(string)) error {
	progress("web-1: stopped")
	select {
	case err := <-b.stop:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stands has it answer, and returns the environment with which it is found.
func (b *standIn) stands(t *testing.T) []string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	l, err := control.Listen(filepath.Join(dir, "s"), "lastcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := control.Serve(l, b)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("at the end: %v", err)
		}
		os.RemoveAll(dir)
	})
	return []string{"LASTCALL_SOCKET=" + filepath.Join(dir, "s")}
}

func TestKernelStopOnATerminal(t *testing.T) {
	since := time.Now()
	b := &standIn{changed: make(chan struct{}), stop: make(chan error), list: func() []control.Instance {
		return []control.Instance{{Name: "web-2", Process: "web", State: lastcall.StateStopping, PID: 7, Since: since, Status: "3 left"}}
	}}
	env := b.stands(t)
	p := sitsAt(t, 100, env, "stop", "web")
	p.sees("web-1: stopped\r\n")
	p.sees("\rwaiting for web-2 (pid 7, ")
	p.sees("s, 3 left)\x1b[K\x1b[J\rwaiting for web-2 (pid 7, ") // in place
	b.stop <- &control.Error{Kind: control.KindCut, Text: "web-2: killed"}
	rest, err := p.ends()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("it ends with %v", err)
	}
	if !strings.HasSuffix(rest, "\r\x1b[Jlastcall: web-2: killed\r\n") {
		t.Errorf("in the end the terminal has %q", rest)
	}

	// Ctrl-C leaves it.
	p = sitsAt(t, 100, env, "stop", "web")
	p.sees("waiting for web-2")
	fmt.Fprint(p.terminal, "\x03")
	rest, err = p.ends()
	if !strings.HasSuffix(rest, "\r\x1b[Jlastcall: stop goes on; lastcall ps shows how far it is\r\n") {
		t.Errorf("after Ctrl-C the terminal has %q", rest)
	}
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("after Ctrl-C it ends with %v, not of SIGINT", err)
	}
}

func TestKernelWatchOnATerminal(t *testing.T) {
	started := time.Now()
	rows := make(chan int, 1)
	rows <- 2
	b := &standIn{changed: make(chan struct{})}
	b.list = func() (list []control.Instance) {
		n := <-rows
		rows <- n
		for i := range n {
			list = append(list, control.Instance{Name: fmt.Sprint("web-", i+1), State: lastcall.StateReady, PID: i + 1, Started: started, Status: strings.Repeat("x", 99)})
		}
		return list
	}
	p := sitsAt(t, 60, b.stands(t), "ps", "--watch")
	p.sees("\rNAME ")
	p.sees("\r\nweb-2 ")
	p.sees("x\x1b[K\x1b[J\r\x1b[2ANAME") // the same rows again
	<-rows
	rows <- 30
	p.sees("\r\nweb-21 ")
	p.sees("\r\n… and 9 more\x1b[K\x1b[J")
	p.sees("\r\x1b[22ANAME")
	fmt.Fprint(p.terminal, "\x03")
	rest, err := p.ends()
	if err != nil || !strings.HasSuffix(rest, "\r\n") {
		t.Errorf("it ends with %v, and the terminal with %q", err, rest)
	}
}
