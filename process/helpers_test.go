//go:build unix

package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/internal/testsignals"
)

// limit is how long a test waits for an event that must come: also a machine that is busy with more than it can do gets there.
const limit = 2 * time.Minute

// scriptVariable makes the test binary a child that carries out a script, in place of running tests.
const scriptVariable = "LASTCALL_TEST_SCRIPT"

// raceVariable keeps the race detector from sleeping for a second before a child's exit.
const raceVariable = "GORACE=atexit_sleep_ms=0"

// lives are what the test binary is, in place of running tests, where a variable is set; its value is the argument.
var lives = map[string]func(string){
	leaveVariable: func(string) {
		if _, err := syscall.Setsid(); err != nil {
			fmt.Println("setsid:", err)
		}
		select {}
	},
	niceVariable: func(string) {
		priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
		if runtime.GOOS == "linux" { // whose call returns 20 less it
			priority = 20 - priority
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(priority)
	},
}

// Lives that take the place of tools which are not on every system, or differ: setsid(1) with sleep(1), and nice(1) without an argument.
const (
	leaveVariable = "LASTCALL_TEST_LEAVE"
	niceVariable  = "LASTCALL_TEST_NICE"
)

// tool is the shell's command for such a life.
func tool(variable string) string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return variable + "=1 " + raceVariable + " " + self
}

func TestMain(m *testing.M) {
	for name, life := range lives {
		if value, ok := os.LookupEnv(name); ok {
			os.Unsetenv(name)
			life(value)
			os.Exit(0)
		}
	}
	if text, ok := os.LookupEnv(scriptVariable); ok {
		carryOut(text)
		os.Exit(0)
	}
	testset.TheyWait()
	testsignals.Default()
	os.Exit(m.Run())
}

// carryOut is what a child does: commands with a semicolon between; a command in braces is a script of its own.
//
//	say WORD…          a line on stdout
//	on SIGNAL { … }    when the signal comes; whole lines are written, so they do not mix
//	ignore SIGNAL
//	spawn HOW { … }    a child: plain, pgid (its own group), sid (its own session), bare (sid, and no environment)
//	start HOW { … }    a child as a Process, in a group of this process; outlive, marked-MARK, grouped-MARK, probed-MARK (waits, and the
//	                   script is the shell's, which checks again and again whether it is alive)
//	wait               for ever
//	exit CODE, die SIGNAL
//	notify TEXT        to NOTIFY_SOCKET; | is a newline, PID this process
//	tell ADDRESS TEXT  the same to another socket
//	beat DURATION      WATCHDOG=1 so often, and says it, for ever
//	become UID
//	newline FD, close FD
//	env NAME           says NAME=value
//	masks              says which signals are blocked and ignored
//	serve              accepts one connection on descriptor 3 and says so
//	listen ADDRESS     accepts connections; with a second word, as an HTTP server
//	sleep DURATION
//	burn DURATION      of processor time
func carryOut(text string) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		var command, body string
		text = strings.TrimLeft(text, "; ")
		end := strings.IndexAny(text, ";{")
		switch {
		case end < 0:
			command, text = text, ""
		case text[end] == ';':
			command, text = text[:end], text[end+1:]
		default:
			command = text[:end]
			depth, i := 0, end
			for ; i < len(text); i++ {
				if text[i] == '{' {
					depth++
				} else if text[i] == '}' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			body, text = text[end+1:i], text[i+1:]
		}
		words := strings.Fields(command)
		if len(words) == 0 {
			continue
		}
		arg := ""
		if len(words) > 1 {
			arg = words[1]
		}
		number, _ := strconv.Atoi(arg)
		sig := unix.SignalNum("SIG" + arg)
		switch words[0] {
		case "say":
			os.Stdout.WriteString(strings.ReplaceAll(strings.Join(words[1:], " "), "PID", strconv.Itoa(os.Getpid())) + "\n")
		case "on":
			ch := make(chan os.Signal, 8)
			signal.Notify(ch, sig)
			go func() {
				for range ch {
					carryOut(body)
				}
			}()
		case "ignore":
			signal.Ignore(sig)
		case "spawn":
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), scriptVariable+"="+body)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: arg == "pgid", Setsid: arg == "sid" || arg == "bare"}
			if arg == "bare" {
				cmd.Env = []string{scriptVariable + "=" + body, raceVariable}
			}
			if err := cmd.Start(); err != nil {
				os.Stdout.WriteString("spawn: " + err.Error() + "\n")
			}
		case "start":
			p := script(body)
			p.Outlive = arg == "outlive"
			if mark, ok := strings.CutPrefix(arg, "marked-"); ok {
				p.Mark = mark
			}
			if mark, ok := strings.CutPrefix(arg, "grouped-"); ok {
				p.Mark, p.Cgroup = mark, &Cgroup{Name: "test"}
			}
			if mark, ok := strings.CutPrefix(arg, "probed-"); ok {
				p = script("wait")
				p.Mark, p.Alive = mark, Alive{Exec: []string{"/bin/sh", "-c", body}, Every: time.Millisecond, Within: limit}
			}
			go p.Run(context.Background())
		case "wait":
			select {}
		case "exit":
			os.Exit(number)
		case "die":
			signal.Reset()
			syscall.Kill(os.Getpid(), sig)
			select {}
		case "notify":
			tell(os.Getenv("NOTIFY_SOCKET"), strings.Join(words[1:], " "))
		case "tell":
			tell(arg, strings.Join(words[2:], " "))
		case "beat":
			every, _ := time.ParseDuration(arg)
			for ; ; time.Sleep(every) {
				tell(os.Getenv("NOTIFY_SOCKET"), "WATCHDOG=1")
				os.Stdout.WriteString("beat " + strconv.Itoa(os.Getpid()) + "\n")
			}
		case "become":
			if err := syscall.Setuid(number); err != nil {
				os.Stdout.WriteString("become: " + err.Error() + "\n")
			}
		case "newline":
			os.NewFile(uintptr(number), "ready").WriteString("\n")
		case "close":
			syscall.Close(number)
		case "env":
			os.Stdout.WriteString(arg + "=" + os.Getenv(arg) + "\n")
		case "masks":
			text, _ := os.ReadFile("/proc/self/status")
			for line := range strings.Lines(string(text)) {
				if strings.HasPrefix(line, "SigBlk:") || strings.HasPrefix(line, "SigIgn:") {
					os.Stdout.WriteString(line)
				}
			}
		case "serve":
			l, err := net.FileListener(os.NewFile(3, "socket"))
			if err != nil {
				os.Stdout.WriteString("serve: " + err.Error() + "\n")
				break
			}
			go func() {
				conn, err := l.Accept()
				if err == nil {
					conn.Close()
					os.Stdout.WriteString("accepted\n")
				}
			}()
		case "listen":
			l, err := net.Listen("tcp", arg)
			if err != nil {
				os.Stdout.WriteString("listen: " + err.Error() + "\n")
				break
			}
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					os.Stdout.WriteString("connection\n")
					if len(words) > 2 {
						http.ReadRequest(bufio.NewReader(conn))
						conn.Write([]byte("HTTP/1.0 200 OK\r\n\r\n"))
					}
					conn.Close()
				}
			}()
		case "burn":
			d, _ := time.ParseDuration(arg)
			burn(d)
		case "sleep":
			d, _ := time.ParseDuration(arg)
			time.Sleep(d)
		default:
			os.Stdout.WriteString("no command " + words[0] + "\n")
		}
	}
}

// tell sends a message to a NOTIFY_SOCKET.
func tell(address, text string) {
	conn, err := net.Dial("unixgram", address)
	if err != nil {
		os.Stdout.WriteString("notify: " + err.Error() + "\n")
		return
	}
	defer conn.Close()
	r := strings.NewReplacer("|", "\n", "PID=PID", "PID="+strconv.Itoa(os.Getpid()))
	if _, err := io.WriteString(conn, r.Replace(text)); err != nil {
		os.Stdout.WriteString("notify: " + err.Error() + "\n")
	}
}

// burn uses processor time.
func burn(d time.Duration) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			panic(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	for until := used() + d; used() < until; {
	}
}

// script is a Process that carries out a script.
func script(text string) *Process {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return &Process{Command: []string{self}, Env: append(os.Environ(), scriptVariable+"="+text, raceVariable)}
}

// voice is the lines that a family writes, in order.
type voice struct {
	w     *os.File
	mu    sync.Mutex
	lines []string
	more  chan struct{}
	ended chan struct{} // everyone who held the pipe is gone
}

func listen(t *testing.T) *voice {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	v := &voice{w: w, more: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() {
		defer close(v.ended)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			v.mu.Lock()
			v.lines = append(v.lines, lines.Text())
			v.mu.Unlock()
			select {
			case v.more <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { w.Close(); r.Close() })
	return v
}

func (v *voice) all() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.lines)
}

// await waits until all these lines have come.
func (v *voice) await(t *testing.T, lines ...string) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		got := v.all()
		missing := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return slices.Contains(got, l) })
		if len(missing) == 0 {
			return
		}
		select {
		case <-v.more:
		case <-timer.C:
			t.Fatalf("no %q in %v among:\n%s", missing, limit, strings.Join(got, "\n"))
		}
	}
}

// value waits for a line with the prefix and returns the rest of it.
func (v *voice) value(t *testing.T, prefix string) string {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		got := v.all()
		for _, line := range got {
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return strings.TrimSpace(rest)
			}
		}
		select {
		case <-v.more:
		case <-timer.C:
			t.Fatalf("no line %q… in %v among:\n%s", prefix, limit, strings.Join(got, "\n"))
		}
	}
}

func (v *voice) order(t *testing.T, lines ...string) {
	t.Helper()
	got, last := v.all(), -1
	for _, line := range lines {
		i := slices.Index(got, line)
		if i < 0 || i < last {
			t.Errorf("%q is not in the order %q:\n%s", line, lines, strings.Join(got, "\n"))
			return
		}
		last = i
	}
}

// silence waits until nobody is left who could speak.
func (v *voice) silence(t *testing.T) {
	t.Helper()
	v.w.Close()
	select {
	case <-v.ended:
	case <-time.After(limit):
		t.Fatalf("somebody of the family is left after %v; said:\n%s", limit, strings.Join(v.all(), "\n"))
	}
}

// running is a group with one process, "child", that runs.
type running struct {
	t      *testing.T
	group  *lastcall.Group
	cancel context.CancelFunc
	states chan lastcall.State
	done   chan error
}

// run starts p in a group; opts are the worker's.
func run(t *testing.T, p *Process, grace time.Duration, opts ...lastcall.Option) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, cancel: cancel, states: make(chan lastcall.State, 100), done: make(chan error, 1)}
	r.group = &lastcall.Group{Grace: grace, HardStop: limit, Observe: func(e lastcall.Event) {
		if e.Name == "child" && e.Kind == lastcall.EventState {
			select {
			case r.states <- e.State:
			default:
			}
		}
	}}
	r.group.Add("child", p, opts...)
	go func() { r.done <- r.group.Run(ctx) }()
	t.Cleanup(cancel)
	return r
}

// until waits for a state.
func (r *running) until(s lastcall.State) *running {
	r.t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case got := <-r.states:
			if got == s {
				return r
			}
		case <-timer.C:
			r.t.Fatalf("not %v in %v", s, limit)
		}
	}
}

// end waits for the end of the group.
func (r *running) end() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(limit):
		r.t.Fatalf("the group did not end in %v:\n%v", limit, r.group.Report())
		return nil
	}
}

// stop begins the soft stop and waits for the end.
func (r *running) stop() error {
	r.t.Helper()
	r.cancel()
	return r.end()
}

func (r *running) status() string {
	for _, w := range r.group.Report().Workers {
		if w.Name == "child" {
			return w.Status
		}
	}
	return ""
}

// eventually waits until is is true, and looks again and again: for what the system tells nobody.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(limit); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not in %v: %s", limit, what)
		}
	}
}

// errorAs finds the error of a type, or fails.
func errorAs[T error](t *testing.T, err error) (e T) {
	t.Helper()
	if !errors.As(err, &e) {
		t.Fatalf("got the error %v (%T), want a %T", err, err, e)
	}
	return e
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hasZombies reports whether this process has children that are dead and not reaped.
func hasZombies(t *testing.T) bool {
	t.Helper()
	out, err := exec.Command("ps", "-ax", "-o", "ppid=", "-o", "stat=").Output() // a header takes what follows it, commas too
	noError(t, err)
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == strconv.Itoa(os.Getpid()) && strings.HasPrefix(f[1], "Z") {
			return true
		}
	}
	return false
}

func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

func pidOf(t *testing.T, text string) int {
	t.Helper()
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(fmt.Errorf("no process number: %q", text))
	}
	return pid
}
