package lastcall_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/lastcall-go/lastcall"
)

// openTerminal makes a pseudo-terminal of so many columns: the end that a person sits at, and the program's.
func openTerminal(t *testing.T, columns uint16) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { person.Close() })
	var number, unlock uint32
	size := struct{ rows, columns, width, height uint16 }{rows: 24, columns: columns}
	ioctl(t, person, syscall.TIOCGPTN, unsafe.Pointer(&number))
	ioctl(t, person, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	ioctl(t, person, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	program, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	return person, program
}

// ioctl does not use File.Fd, which would make reads of a terminal block its Close.
func ioctl(t *testing.T, f *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var errno syscall.Errno
	conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument))
	})
	if errno != 0 {
		t.Fatalf("ioctl %#x: %v", request, errno)
	}
}

// onTerminal launches a daemon as a shell would: on a terminal of its own, where a typed Ctrl-C is a SIGINT.
func onTerminal(t *testing.T, daemon string, columns uint16) (p *process, person *os.File) {
	return onTerminalAs(t, daemonCommand(t, daemon), columns)
}

func onTerminalAs(t *testing.T, cmd *exec.Cmd, columns uint16) (p *process, person *os.File) {
	person, program := openTerminal(t, columns)
	cmd.Env = append(cmd.Env, "TERM=xterm", "LC_ALL=C.UTF-8")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	p = launch(t, cmd, person)
	program.Close()
	return p, person
}

func init() {
	daemons["slow"] = func() {
		var g lastcall.Group
		g.Go("slow", func(ctx context.Context) error {
			say("up")
			<-ctx.Done()
			say("last words")
			<-lastcall.Grace(ctx).Done()
			return nil
		})
		lastcall.Main(&g)
	}
	daemons["reload is 7"] = func() {
		lastcall.Main(upWorker(), lastcall.OnReload(func(context.Context) error { os.Exit(7); return nil }))
	}
	daemons["USR2 is 9"] = func() {
		own := make(chan os.Signal, 1)
		signal.Notify(own, syscall.SIGUSR2)
		go func() { <-own; os.Exit(9) }()
		lastcall.Main(upWorker())
	}
	daemons["interactive"] = func() { lastcall.Main(upWorker(), lastcall.Interactive(true)) }
	daemons["not interactive"] = func() { lastcall.Main(upWorker(), lastcall.Interactive(false)) }
}

const ctrlC = "\x03"

func TestKernelOnATerminal(t *testing.T) {
	p, person := onTerminal(t, "slow", 100)
	p.await("up")
	person.WriteString(ctrlC)
	p.await("stopping (SIGINT): waiting for slow (0s); Ctrl-C to cut it short")
	p.await("waiting for slow (1s)") // in place, once a second; and by now more than 100 ms have passed
	person.WriteString(ctrlC)
	p.await("lastcall: slow: interrupted by the hard stop\r\n")
	out := p.exits(4)
	inOrder(t, out, "up\r\n", "^C", "last words\r\n", "waiting for slow (1s)", "\x1b[J", "stopped in ", "slow ", "lastcall: slow")
	if strings.Contains(out, "INFO") || strings.Contains(out, "WARN") {
		t.Errorf("the stop is logged as well, on a terminal:\n%s", out)
	}
	_, report, _ := strings.Cut(out, "stopped in ")
	if strings.Contains(report, "\x1b") {
		t.Errorf("the line comes back in the report:\n%q", report)
	}
}

func TestKernelOnANarrowTerminal(t *testing.T) {
	p, person := onTerminal(t, "slow", 40)
	p.await("up")
	person.WriteString(ctrlC)
	p.await("stopping (SIGINT): waiting for 1 worke…\r\x1b[A")
	p.sendUntil(syscall.SIGTERM, "lastcall: slow")
	p.exits(4)
}

func TestKernelAQuickStopOnATerminal(t *testing.T) {
	p, person := onTerminal(t, "quick", 100)
	p.await("up")
	person.WriteString(ctrlC)
	p.await("main ")
	out := p.exits(0)
	inOrder(t, out, "up\r\n", "^C", "\r\n", "stopped in ")
	if strings.Contains(out, "\x1b") {
		t.Errorf("a quick stop shows the line:\n%q", out)
	}
}

// On a wide terminal the waterfall uses the width, up to what is readable.
func TestKernelOnAWideTerminal(t *testing.T) {
	for columns, want := range map[uint16]int{80: 80, 100: 100, 200: 120} {
		p, person := onTerminal(t, "quick", columns)
		p.await("up")
		person.WriteString(ctrlC)
		out := p.exits(0)
		_, row, _ := strings.Cut(out, "all well\r\n")
		bar := strings.Index(row, "█") // it is the only worker: its bar fills its column
		if bar < 0 {
			t.Skipf("the stop took no time to see:\n%s", out)
		}
		want -= 2 + 6 + 2 + 7 + 2 + 22 + (want-80)/4
		if got := strings.Count(row, "█"); got > want || got < want*3/4 {
			t.Errorf("on %d columns a bar of %d, want up to %d:\n%s", columns, got, want, out)
		}
	}
}

// Interactive forces log records on a terminal, and the waterfall into a pipe.
func TestKernelInteractive(t *testing.T) {
	p, person := onTerminal(t, "not interactive", 100)
	p.await("up")
	person.WriteString(ctrlC)
	out := p.exits(0)
	inOrder(t, out, "up\r\n", "INFO group stopping state=stopping cause=SIGINT", "INFO worker stopped worker=main", "INFO group stopped")
	if strings.Contains(out, "stopped in") || strings.Contains(out, "\x1b") {
		t.Errorf("a drawing, and it was to be a log:\n%q", out)
	}

	p = launch(t, daemonCommand(t, "interactive"))
	p.await("up")
	p.send(syscall.SIGTERM)
	out = p.exits(0)
	inOrder(t, out, "stopped in ", "(SIGTERM): 1 worker, all well\n", "main ")
	if strings.Contains(out, "INFO") || strings.ContainsAny(out, "\x1b\r") {
		t.Errorf("want the waterfall alone:\n%q", out)
	}
}

// Closing the terminal's window is a soft stop, with a reload and without. A SIGHUP while the terminal is there is a reload.
func TestKernelTheTerminalGoesAway(t *testing.T) {
	for _, daemon := range []string{"quick", "reload is 7"} {
		t.Run(daemon, func(t *testing.T) {
			p, person := onTerminal(t, daemon, 100)
			p.await("up")
			person.SetReadDeadline(time.Now()) // ends the recording, so that the file can close
			person.Close()
			p.exits(0)
		})
	}
	t.Run("a reload on a terminal", func(t *testing.T) {
		p, _ := onTerminal(t, "reload is 7", 100)
		p.await("up")
		p.send(syscall.SIGHUP)
		p.exits(7)
	})
	t.Run("ignored", func(t *testing.T) {
		self := daemonCommand(t, "USR2 is 9")
		cmd := exec.Command("sh", "-c", `trap '' HUP; exec "$0"`, self.Path)
		cmd.Env = self.Env
		p, person := onTerminalAs(t, cmd, 100)
		p.await("up")
		person.SetReadDeadline(time.Now())
		person.Close()
		p.send(syscall.SIGUSR2) // the program's own: it runs on
		p.exits(9)
	})
}
