//go:build unix

package pid1

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/allsignals"
	"github.com/lastcall-go/lastcall/process"
)

func TestWhichSignalsStop(t *testing.T) {
	const term, interrupt, hup, quit = syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT
	for _, test := range []struct {
		rewrite map[syscall.Signal]syscall.Signal
		stop    []process.Step
		is, not []syscall.Signal
	}{
		{nil, nil, []syscall.Signal{term, interrupt}, []syscall.Signal{hup, quit}},
		{map[syscall.Signal]syscall.Signal{term: quit}, nil, []syscall.Signal{term, interrupt}, []syscall.Signal{quit}},
		{map[syscall.Signal]syscall.Signal{hup: term}, nil, []syscall.Signal{term, hup}, nil},
		{map[syscall.Signal]syscall.Signal{term: 0}, nil, []syscall.Signal{interrupt}, []syscall.Signal{term}},
		{nil, []process.Step{{Signal: quit}}, []syscall.Signal{term, quit}, []syscall.Signal{hup}},
	} {
		r := &runner{Config: &Config{Rewrite: test.rewrite, Stop: test.stop}}
		for _, sig := range test.is {
			if !r.isStop(sig) {
				t.Errorf("%+v: %v asks for no stop", test, sig)
			}
		}
		for _, sig := range test.not {
			if r.isStop(sig) {
				t.Errorf("%+v: %v asks for a stop", test, sig)
			}
		}
	}
}

func TestInherit(t *testing.T) {
	ignored := allsignals.Of(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTTOU)
	for inherit, want := range map[Inherit]allsignals.Set{InheritAll: ignored, InheritNothing: 0, InheritHangup: allsignals.Of(syscall.SIGHUP)} {
		if got := inherit.of(ignored); got != want {
			t.Errorf("Inherit %d: %b, want %b", inherit, got, want)
		}
		if got := inherit.of(allsignals.Of(syscall.SIGINT)); got.Has(syscall.SIGHUP) {
			t.Errorf("Inherit %d: SIGHUP is ignored that was not", inherit)
		}
	}
}

// The status is 127 for what is not there, an interpreter included, and 126 for what cannot be run.
func TestEndOfWhatDidNotStart(t *testing.T) {
	start := func(err error) error { return &process.StartError{Name: "web", Err: err} }
	for _, test := range []struct {
		err    error
		status int
		says   string
	}{
		{start(syscall.ENOENT), 127, "web: not found"},
		{start(&process.InterpreterError{Path: "/bin/sh\r", Kind: "interpreter", Err: syscall.ENOENT}), 127,
			`web: its interpreter "/bin/sh\r" cannot be run: no such file or directory; its lines end with CRLF, and must end with LF`},
		{start(&process.InterpreterError{Path: "/etc", Kind: "interpreter", Err: syscall.EACCES}), 126, `web: its interpreter "/etc" cannot be run: permission denied`},
		{start(syscall.EACCES), 126, "web: not executable: permission denied"},
		{start(syscall.ENOEXEC), 126, "web: cannot be executed: exec format error"},
		{start(syscall.E2BIG), 126, "web: cannot be started: argument list too long"},
		{&process.ReadyError{Name: "web"}, 3, "web: not ready"},
		{&process.SickError{Name: "web", Err: errors.New("no answer")}, 1, "web: no answer"},
	} {
		end := new(Config).endOf(new(process.Process), test.err)
		if end.Status != test.status || end.Err == nil || end.Err.Error() != test.says {
			t.Errorf("%v: %+v, want %d and %q", test.err, end, test.status, test.says)
		}
	}
	if end := new(Config).endOf(new(process.Process), &lastcall.ForcedError{Signal: syscall.SIGTERM}); end.Status != 143 || end.Signal != syscall.SIGTERM {
		t.Errorf("forced by SIGTERM: %+v", end)
	}
}

// For a service manager the main process is this one, whatever the program says.
func TestManager(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	m := newManager()
	defer m.close()
	m.pass("READY=1\nMAINPID=4711\nSTATUS=up")
	got := make([]byte, 200)
	n, err := conn.Read(got)
	if want := "READY=1\nMAINPID=" + strconv.Itoa(os.Getpid()) + "\nSTATUS=up"; err != nil || string(got[:n]) != want {
		t.Errorf("%q, %v, want %q", got[:n], err, want)
	}
	t.Setenv("NOTIFY_SOCKET", "relative")
	if newManager() != nil {
		t.Error("a relative name is no socket")
	}
}

// The name of a worker has no slash.
func TestWorkerName(t *testing.T) {
	for program, want := range map[string]string{"/usr/bin/web": "web", "./web": "web", "/": "program"} {
		if got := worker(program); got != want {
			t.Errorf("%q: %q, want %q", program, got, want)
		}
	}
}

// What a terminal sends, the program in the same group has as well; what a process sends is told apart where the system tells.
func TestSignalsOfTheTerminal(t *testing.T) {
	shared, apart := &terminal{own: 7, program: 7, fd: -1}, &terminal{own: 7, program: 9, fd: -1}
	if (*terminal)(nil).hasSent(syscall.SIGINT, true) || apart.hasSent(syscall.SIGINT, true) || shared.hasSent(syscall.SIGTERM, true) {
		t.Error("a signal is taken for the terminal's that the program does not have")
	}
	if allsignals.TellsSender && (!shared.hasSent(syscall.SIGINT, true) || shared.hasSent(syscall.SIGINT, false)) {
		t.Error("SIGINT of the terminal and of a process are not told apart")
	}
}
