//go:build unix

package lastcall_test

// These tests need the real kernel: they start daemons (see main_test.go), send them signals and look at how they end.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
)

// patience is how long a test waits for something that should come at once.
const patience = 2 * time.Minute

// A process is a daemon under test.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	mu     sync.Mutex
	output strings.Builder // of both streams, as it comes
	grew   chan struct{}   // closed and renewed at every piece of output
	read   sync.WaitGroup
	ended  chan struct{}
	state  syscall.WaitStatus // when ended
}

// daemonCommand is the command that runs one of the daemons.
func daemonCommand(t *testing.T, daemon string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	// The race detector's second of sleep before an exit would be most of the tests' time.
	cmd.Env = append(os.Environ(), daemonVariable+"="+daemon, "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	return cmd
}

// launch starts a command with its output recorded, as far as the command does not say otherwise, and so is what comes
// from others.
func launch(t *testing.T, cmd *exec.Cmd, others ...*os.File) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, grew: make(chan struct{}), ended: make(chan struct{})}
	var theirs []*os.File
	record := func() *os.File {
		ours, its, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, its)
		p.read.Go(func() { p.record(ours) })
		return its
	}
	if cmd.Stdout == nil {
		cmd.Stdout = record()
	}
	if cmd.Stderr == nil {
		cmd.Stderr = record()
	}
	for _, f := range others {
		p.read.Go(func() { p.record(f) })
	}
	err := cmd.Start()
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		t.Fatalf("starting %v: %v", cmd, err)
	}
	go func() {
		cmd.Wait()
		p.read.Wait()
		p.state = cmd.ProcessState.Sys().(syscall.WaitStatus)
		close(p.ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.ended
	})
	return p
}

func (p *process) record(from *os.File) {
	defer from.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		p.output.Write(buf[:n])
		close(p.grew)
		p.grew = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *process) text() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String(), p.grew
}

// await waits until the output holds text.
func (p *process) await(text string) {
	p.t.Helper()
	if !p.awaitWhile(text, func() {}) {
		out, _ := p.text()
		p.t.Fatalf("waited for %q in the output:\n%s", text, out)
	}
}

// sendUntil sends a signal again and again until the output holds text: what counts of it is one in 100 ms.
func (p *process) sendUntil(sig syscall.Signal, text string) {
	p.t.Helper()
	if !p.awaitWhile(text, func() { p.send(sig) }) {
		out, _ := p.text()
		p.t.Fatalf("sent %v and waited for %q in the output:\n%s", sig, text, out)
	}
}

// awaitWhile calls again every 20 ms until the output holds text, and reports whether it did so in time.
func (p *process) awaitWhile(text string, again func()) bool {
	limit := time.After(patience)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	again()
	for {
		out, grew := p.text()
		if strings.Contains(out, text) {
			return true
		}
		select {
		case <-grew:
		case <-ticker.C:
			again()
		case <-p.ended:
			out, _ := p.text()
			return strings.Contains(out, text)
		case <-limit:
			return false
		}
	}
}

func (p *process) send(sig syscall.Signal) { p.cmd.Process.Signal(sig) }

// end waits for the end and returns all output.
func (p *process) end() string {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.cmd.Process.Signal(syscall.SIGQUIT) // the stacks say where it hangs
		select {
		case <-p.ended:
		case <-time.After(time.Second):
		}
		out, _ := p.text()
		p.t.Fatalf("waited for the end of the daemon; its output:\n%s", out)
	}
	out, _ := p.text()
	return out
}

// exits waits for the end, which must be an exit with the status.
func (p *process) exits(status int) string {
	p.t.Helper()
	out := p.end()
	if !p.state.Exited() || p.state.ExitStatus() != status {
		p.t.Errorf("the daemon ended with %s, want exit status %d; its output:\n%s", p.how(), status, out)
	}
	return out
}

// diesOf waits for the end, which must be by the signal.
func (p *process) diesOf(sig syscall.Signal) string {
	p.t.Helper()
	out := p.end()
	if !p.state.Signaled() || p.state.Signal() != sig {
		p.t.Errorf("the daemon ended with %s, want signal %v; its output:\n%s", p.how(), sig, out)
	}
	return out
}

func (p *process) how() string { return p.cmd.ProcessState.String() }

func wants(t *testing.T, out string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("no %q in the output:\n%s", text, out)
		}
	}
}

// inOrder checks that the texts come in the output one after the other.
func inOrder(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for i, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Errorf("no %q after %q in the output:\n%s", text, texts[:i], out)
			return
		}
		rest = after
	}
}

// say writes a line to standard output at once.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func init() {
	daemons["plain"] = func() { lastcall.Main(busyGroup()) }
	daemons["announced"] = func() {
		os.Stdout.WriteString("M")
		lastcall.Main(busyGroup())
	}
	daemons["armed"] = func() {
		first := true
		g := busyGroup()
		g.Observe = func(lastcall.Event) {
			if first {
				os.Stdout.WriteString("M")
			}
			first = false
		}
		lastcall.Main(g)
	}
	daemons["short"] = func() { // ends by itself
		var g lastcall.Group
		g.Go("brief", func(ctx context.Context) error { return lastcall.Sleep(ctx, time.Millisecond) })
		os.Stdout.WriteString("M")
		lastcall.Main(&g)
	}
	daemons["quick"] = func() { lastcall.Main(upWorker()) }
	daemons["lazy"] = func() { // takes its time to stop
		lastcall.Main(lastcall.Func(func(ctx context.Context) error {
			say("up")
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond)
			return nil
		}))
	}
	daemons["deaf"] = func() {
		g := lastcall.Group{Grace: time.Hour, HardStop: time.Hour}
		g.Go("deaf", func(ctx context.Context) error {
			say("up")
			<-ctx.Done()
			say("told")
			<-lastcall.Grace(ctx).Done()
			say("cut")
			time.Sleep(time.Hour)
			return nil
		})
		lastcall.Main(&g)
	}
	daemons["cut"] = func() {
		g := lastcall.Group{Grace: time.Hour}
		g.Go("journal", func(ctx context.Context) error {
			<-ctx.Done()
			say("journal closed")
			return nil
		})
		g.Go("web", func(ctx context.Context) error {
			say("up")
			<-ctx.Done()
			say("told")
			<-lastcall.Grace(ctx).Done()
			return context.Cause(lastcall.Grace(ctx))
		}, lastcall.After("journal"))
		lastcall.Main(&g)
	}
	daemons["reload"] = func() {
		lastcall.Main(upWorker(), lastcall.OnReload(func(context.Context) error { say("reload"); return nil }))
	}
	daemons["signals itself"] = func() { // Run arms none, so its worker is the first to ask for a signal
		var g lastcall.Group
		g.Go("w", func(context.Context) error {
			hup := make(chan os.Signal, 1)
			signal.Notify(hup, syscall.SIGHUP)
			defer signal.Stop(hup)
			syscall.Kill(os.Getpid(), syscall.SIGHUP)
			<-hup
			return nil
		})
		err := g.Run(context.Background())
		say("%v %q", err, g.Report().Workers[0].Leaks)
		os.Exit(0)
	}
	daemons["fails"] = func() {
		lastcall.Main(lastcall.Func(func(context.Context) error { return errors.New("out of beer") }))
	}
	daemons["fails to start"] = func() {
		var g lastcall.Group
		g.Go("web", func(context.Context) error { return errors.New("port taken") }, lastcall.AwaitReady(time.Minute))
		lastcall.Main(&g)
	}
	daemons["many fail"] = func() {
		var g lastcall.Group
		names := []string{"w1", "w2", "w3", "w4"}
		for _, name := range names {
			g.Go(name, func(ctx context.Context) error { <-ctx.Done(); return errors.New("out of glasses") })
		}
		g.Go("w0", func(context.Context) error { return errors.New("out of glasses") }, lastcall.After(names...))
		lastcall.Main(&g)
	}
	daemons["own observer"] = func() {
		g := lastcall.Group{Observe: func(e lastcall.Event) {
			if e.Name == "" && e.State == lastcall.StateStopped {
				say("all is over")
			}
		}}
		g.Go("w", upWorker())
		lastcall.Main(&g)
	}
	daemons["misconfigured"] = func() {
		var g lastcall.Group
		g.Go("", upWorker())
		lastcall.Main(&g)
	}
	daemons["talks"] = func() { // goes on writing when nobody listens any more
		lastcall.Main(lastcall.Func(func(ctx context.Context) error {
			say("up")
			for ctx.Err() == nil {
				if _, err := os.Stdout.WriteString("still here\n"); err != nil {
					os.WriteFile(os.Getenv("LASTCALL_TEST_FILE"), []byte(err.Error()), 0o600)
				}
				lastcall.Sleep(ctx, time.Millisecond)
			}
			return nil
		}))
	}
	daemons["after"] = daemonAfterRun
}

// busyGroup starts in two steps and stops in two, each of which takes a moment.
func busyGroup() *lastcall.Group {
	var g lastcall.Group
	g.Go("below", func(ctx context.Context) error {
		os.Stdout.WriteString("w")
		lastcall.Sleep(ctx, 500*time.Microsecond)
		lastcall.Ready(ctx)
		<-ctx.Done()
		time.Sleep(500 * time.Microsecond)
		return nil
	}, lastcall.AwaitReady(time.Minute))
	for i := range 5 {
		g.Go(fmt.Sprint("above ", i), func(ctx context.Context) error {
			for lastcall.Sleep(ctx, 100*time.Microsecond) == nil {
			}
			return nil
		}, lastcall.After("below"))
	}
	return &g
}

func upWorker() lastcall.Func {
	return func(ctx context.Context) error {
		say("up")
		<-ctx.Done()
		return nil
	}
}

// daemonAfterRun is a program that goes on when Run has returned. Its variable says what it does besides.
func daemonAfterRun() {
	mode := os.Getenv("LASTCALL_TEST_MODE")
	own := make(chan os.Signal, 1)
	switch mode {
	case "own":
		signal.Notify(own, syscall.SIGTERM)
	case "ignored":
		signal.Ignore(syscall.SIGHUP, syscall.SIGUSR1)
	}
	var w lastcall.Worker = upWorker()
	if mode == "forced" {
		w = lastcall.Func(func(context.Context) error { say("up"); time.Sleep(time.Hour); return nil })
	}
	if mode == "itself" {
		w = lastcall.Func(func(context.Context) error { return nil })
	}
	err := lastcall.Run(context.Background(), w, lastcall.OnReload(func(context.Context) error { say("reload"); return nil }))
	select {
	case <-own:
	default:
	}
	say("returned %v", err)
	switch mode {
	case "own":
		say("got %v", <-own)
		os.Exit(7)
	case "ignored":
		say("ignored: %v %v", signal.Ignored(syscall.SIGHUP), signal.Ignored(syscall.SIGUSR1))
	case "pipe":
		stdin := bufio.NewReader(os.Stdin)
		stdin.ReadString('\n') // the reader of our output is gone
		os.Stdout.WriteString("x")
		os.Exit(7)
	}
	time.Sleep(2 * patience)
}

func buildGreeter(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("building the example needs the go command: ", err)
	}
	binary := filepath.Join(t.TempDir(), "greeter")
	if out, err := exec.Command("go", "build", "-o", binary, "./examples/greeter").CombinedOutput(); err != nil {
		t.Fatalf("go build ./examples/greeter: %v\n%s", err, out)
	}
	return binary
}

func TestKernelTheSeed(t *testing.T) {
	source, err := os.ReadFile("examples/greeter/main.go")
	if err != nil {
		t.Skip("the source is not here: ", err)
	}
	if lines := strings.Count(string(source), "\n"); lines > 25 {
		t.Errorf("examples/greeter/main.go has %d lines, want at most 25", lines)
	}
	p := launch(t, exec.Command(buildGreeter(t)))
	p.await("hi from ada")
	p.await("hi from grace")
	began := time.Now()
	p.send(syscall.SIGTERM)
	out := p.exits(0)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %v, and was to wake the workers from their 10s at once", took)
	}
	wants(t, out, "goodbye from ada", "goodbye from grace", "INFO group stopping state=stopping cause=SIGTERM",
		"INFO worker stopped worker=ada", "INFO worker stopped worker=grace", "INFO group stopped")
}

// lives runs a daemon that writes M at some moment of its start, sends it the signal at an offset from that, and returns
// it when it has ended.
func lives(t *testing.T, daemon string, offset time.Duration, signals ...syscall.Signal) *process {
	p := launch(t, daemonCommand(t, daemon))
	p.await("M")
	if offset > 0 {
		<-time.After(offset)
	}
	for _, sig := range signals {
		p.send(sig)
	}
	p.end()
	return p
}

// diedUnarmed reports whether the signal came before Main's first instruction: it killed by its default action, and no
// worker had been started.
func (p *process) diedUnarmed() bool {
	out, _ := p.text()
	return p.state.Signaled() && (p.state.Signal() == syscall.SIGTERM || p.state.Signal() == syscall.SIGINT) && out == "M"
}

func TestKernelNoLostWakeUp(t *testing.T) {
	for _, test := range []struct {
		daemon  string
		steps   int
		unarmed bool // a signal may come before Main
	}{{"announced", 120, true}, {"armed", 60, false}, {"short", 60, true}} {
		t.Run(test.daemon, func(t *testing.T) {
			steps := test.steps
			if testing.Short() {
				steps /= 10
			}
			unarmed := map[syscall.Signal]int{}
			for i := range steps {
				offset := time.Duration(i) * 4 * time.Millisecond / time.Duration(steps)
				sig := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}[i%2]
				p := lives(t, test.daemon, offset, sig)
				switch {
				case p.state.Exited() && p.state.ExitStatus() == 0:
				case test.unarmed && p.diedUnarmed():
					unarmed[sig]++
				default:
					out, _ := p.text()
					t.Errorf("%v, %v after the mark: %s, want exit status 0; output:\n%s", sig, offset, p.how(), out)
				}
			}
			t.Logf("of %d, died of their signal before Main: %v", steps, unarmed)
		})
	}
}

func TestKernelAThousandSignalsAtOnce(t *testing.T) {
	p := launch(t, daemonCommand(t, "lazy"))
	p.await("up")
	began := time.Now()
	for range 500 {
		p.send(syscall.SIGTERM)
		p.send(syscall.SIGINT)
	}
	if took := time.Since(began); took >= 100*time.Millisecond {
		p.end() // more than one of them counted, on a machine so slow
		t.Skipf("sending took %v, which is more than at once", took)
	}
	p.exits(0)
}

func TestKernelSecondSignalCuts(t *testing.T) {
	p := launch(t, daemonCommand(t, "cut"))
	p.await("up")
	p.send(syscall.SIGTERM)
	p.await("told")
	p.sendUntil(syscall.SIGINT, "worker cut worker=web")
	out := p.exits(4)
	inOrder(t, out, "INFO group stopping", "WARN worker cut worker=web", `cause="a second SIGINT"`, `error="web: interrupted by the hard stop: `, "ERROR group stopped")
	wants(t, out, "journal closed")
}

func TestKernelThirdSignalKills(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := launch(t, daemonCommand(t, "deaf"))
		p.await("up")
		p.sendUntil(sig, "cut")
		p.sendUntil(sig, "forced to end by a third SIG")
		out := p.diesOf(sig)
		inOrder(t, out, "ERROR worker abandoned worker=deaf", "signal_unix_test.go", "ERROR forced to end by a third")
	}
}

// fullPipe is a pipe that takes nothing more until somebody reads.
func fullPipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	writer.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)) // more than enough to fill it
	for err == nil {
		_, err = writer.Write(make([]byte, 512))
	}
	return reader, writer
}

// A signal that comes when all is over and Main still writes the report does not spoil the exit status.
func TestKernelASignalAfterTheLastWorker(t *testing.T) {
	reader, writer := fullPipe(t)
	cmd := daemonCommand(t, "own observer")
	cmd.Stderr = writer
	p := launch(t, cmd)
	writer.Close()
	p.await("up")
	p.send(syscall.SIGTERM)
	p.await("all is over")
	// What counts of these is one, so that it comes also when Main is at the writing.
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < 80*time.Millisecond; <-ticker.C {
		p.send(syscall.SIGTERM)
	}
	go io.Copy(io.Discard, reader)
	p.exits(0)
}

// Who reads the log may have stopped without going away. Everything that writes hangs then, and the third signal still ends it.
func TestKernelThirdSignalWithAFullPipe(t *testing.T) {
	_, writer := fullPipe(t)
	cmd := daemonCommand(t, "plain")
	cmd.Stderr = writer
	p := launch(t, cmd)
	writer.Close()
	p.await("w")
	p.awaitWhile("the end", func() { p.send(syscall.SIGTERM) })
	p.diesOf(syscall.SIGTERM)
}

func TestKernelIgnoredSignalsStayIgnored(t *testing.T) {
	for _, test := range []struct {
		ignored string
		send    syscall.Signal
		without string
	}{
		{"INT", syscall.SIGINT, "SIGINT"},
		{"HUP", syscall.SIGHUP, "reload"},
	} {
		t.Run(test.ignored, func(t *testing.T) {
			self := daemonCommand(t, "reload")
			cmd := exec.Command("sh", "-c", `trap '' `+test.ignored+`; exec "$0"`, self.Path)
			cmd.Env = self.Env
			p := launch(t, cmd)
			p.await("up")
			p.send(test.send)
			p.send(syscall.SIGUSR1)
			p.await("ready for") // so the signal before it was not the end
			p.send(syscall.SIGTERM)
			out := p.exits(0)
			wants(t, out, "group stopping state=stopping cause=SIGTERM")
			if strings.Contains(out, test.without) {
				t.Errorf("%q in the output, of a signal that was ignored when the program started:\n%s", test.without, out)
			}
		})
	}
}

func TestKernelReload(t *testing.T) {
	p := launch(t, daemonCommand(t, "reload"))
	p.await("up")
	p.send(syscall.SIGHUP)
	p.await("INFO reloaded")
	p.send(syscall.SIGTERM)
	wants(t, p.exits(0), "reload\n")

	p = launch(t, daemonCommand(t, "quick")) // without OnReload it is a soft stop
	p.await("up")
	p.send(syscall.SIGHUP)
	wants(t, p.exits(0), "group stopping state=stopping cause=SIGHUP")
}

func TestKernelLiveReport(t *testing.T) {
	p := launch(t, daemonCommand(t, "plain"))
	p.await("w")
	p.sendUntil(syscall.SIGUSR1, "ready for")
	p.await("above 4")
	p.send(syscall.SIGTERM)
	p.exits(0)
}

func TestKernelSIGQUITKeepsGosMeaning(t *testing.T) {
	p := launch(t, daemonCommand(t, "plain"))
	p.await("w")
	p.send(syscall.SIGQUIT)
	wants(t, p.exits(2), "SIGQUIT: quit", "goroutine ")
}

func TestKernelExitStatusAndWhatMainPrints(t *testing.T) {
	out := launch(t, daemonCommand(t, "fails")).exits(1)
	inOrder(t, out, "ERROR worker failed worker=main", `error="out of beer"`, `group stopping state=stopping cause="main failed"`, "ERROR group failed")
	if n := strings.Count(out, "out of beer"); n != 1 {
		t.Errorf("the error is logged %d times:\n%s", n, out)
	}
	out = launch(t, daemonCommand(t, "fails to start")).exits(3)
	inOrder(t, out, "ERROR worker failed worker=web", `error="port taken"`)
	out = launch(t, daemonCommand(t, "many fail")).exits(1)
	for i := range 5 {
		wants(t, out, fmt.Sprintf("ERROR worker failed worker=w%d state=failed", i))
	}
	out = launch(t, daemonCommand(t, "misconfigured")).exits(3)
	if !strings.Contains(out, "ERROR ended error=") || strings.Count(out, "\n") != 1 {
		t.Errorf("want one record with what is wrong:\n%s", out)
	}
}

// A group with an Observe of its own has its own log.
func TestKernelMainDoesNotLogForAnObserver(t *testing.T) {
	p := launch(t, daemonCommand(t, "own observer"))
	p.await("up")
	p.send(syscall.SIGTERM)
	if out := p.exits(0); strings.Contains(out, "stopp") {
		t.Errorf("want no log:\n%s", out)
	}
}

// Not a terminal: no line that is rewritten in place.
func TestKernelALogFileGetsNoControlCharacters(t *testing.T) {
	p := launch(t, daemonCommand(t, "deaf"))
	p.await("up")
	p.send(syscall.SIGTERM)
	p.await("group waiting state=stopping waiting_for=\"deaf (1") // by then the display would have been drawn
	p.send(syscall.SIGTERM)
	p.await("cut")
	p.sendUntil(syscall.SIGTERM, "forced")
	if out := p.end(); strings.ContainsAny(out, "\x1b\r") {
		t.Errorf("control characters in the log:\n%q", out)
	}
}

// Who reads a daemon's output may go away: that is an error of the write and not the end.
func TestKernelSIGPIPE(t *testing.T) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "error")
	cmd := daemonCommand(t, "talks")
	cmd.Env = append(cmd.Env, "LASTCALL_TEST_FILE="+file)
	cmd.Stdout, cmd.Stderr = theirs, theirs
	p := launch(t, cmd)
	theirs.Close()
	lines := bufio.NewReader(ours)
	if line, err := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("read %q, %v; want up", line, err)
	}
	ours.Close()
	text, limit := "", time.After(patience)
	for ticker := time.NewTicker(5 * time.Millisecond); text == ""; {
		select {
		case <-ticker.C:
			b, _ := os.ReadFile(file)
			text = string(b)
		case <-p.ended:
			t.Fatalf("the daemon ended with %s when its reader went away", p.how())
		case <-limit:
			t.Fatal("waited for the daemon to see the error of its write")
		}
	}
	wants(t, text, "broken pipe")
	p.send(syscall.SIGTERM)
	p.exits(0) // though the log and the report of the stop cannot be written either
}

func TestKernelDispositionsAreRestoredAfterRun(t *testing.T) {
	start := func(t *testing.T, mode string) *process {
		cmd := daemonCommand(t, "after")
		cmd.Env = append(cmd.Env, "LASTCALL_TEST_MODE="+mode)
		return launch(t, cmd)
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run("default action of "+sig.String(), func(t *testing.T) {
			p := start(t, "")
			p.await("up")
			p.send(syscall.SIGTERM)
			p.await("returned <nil>")
			p.send(sig)
			p.diesOf(sig)
		})
	}
	t.Run("the program's own handler", func(t *testing.T) {
		p := start(t, "own")
		p.await("up")
		p.send(syscall.SIGTERM)
		p.await("returned <nil>")
		p.send(syscall.SIGTERM)
		wants(t, p.exits(7), "got terminated")
	})
	t.Run("what the program ignores", func(t *testing.T) {
		p := start(t, "ignored")
		p.await("up")
		p.send(syscall.SIGHUP)
		p.send(syscall.SIGUSR1)
		p.send(syscall.SIGTERM)
		p.await("ignored: true true")
		out, _ := p.text()
		if strings.Contains(out, "reload") || strings.Contains(out, "ready for") {
			t.Errorf("a signal that the program ignored was acted on:\n%s", out)
		}
		p.send(syscall.SIGHUP)
		p.send(syscall.SIGTERM)
		p.diesOf(syscall.SIGTERM)
	})
	t.Run("when the worker ended by itself", func(t *testing.T) {
		p := start(t, "itself")
		p.await("returned <nil>")
		p.send(syscall.SIGTERM)
		p.diesOf(syscall.SIGTERM)
	})
	t.Run("after a forced end", func(t *testing.T) {
		p := start(t, "forced")
		p.await("up")
		p.sendUntil(syscall.SIGTERM, "returned forced to end")
		p.send(syscall.SIGINT)
		p.end()
		if !p.state.Signaled() { // the last of the SIGTERMs may have come after the end of Run
			t.Errorf("%s, want the death of a signal", p.how())
		}
	})
	t.Run("SIGPIPE", func(t *testing.T) {
		ours, theirs, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := daemonCommand(t, "after")
		cmd.Env = append(cmd.Env, "LASTCALL_TEST_MODE=pipe")
		cmd.Stdout = theirs
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		p := launch(t, cmd)
		theirs.Close()
		lines := bufio.NewScanner(ours)
		lines.Scan()
		p.send(syscall.SIGTERM)
		lines.Scan()
		if !strings.HasPrefix(lines.Text(), "returned") {
			t.Fatalf("read %q, %v; want returned", lines.Text(), lines.Err())
		}
		ours.Close()
		io.WriteString(stdin, "go on\n")
		p.diesOf(syscall.SIGPIPE)
	})
}

// With real signals, in this process: no goroutine of ours is left, and signals to come go where they went before.
func TestKernelNothingIsLeft(t *testing.T) {
	own := make(chan os.Signal, 1)
	signal.Notify(own, syscall.SIGTERM, syscall.SIGUSR1) // or the last signals would end the tests
	defer signal.Stop(own)
	for range 20 {
		g := new(lastcall.Group)
		g.Go("w", func(ctx context.Context) error {
			syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			syscall.Kill(os.Getpid(), syscall.SIGTERM)
			<-ctx.Done()
			return nil
		})
		if err := lastcall.Run(context.Background(), g, lastcall.ReportTo(io.Discard), lastcall.OnReload(func(context.Context) error { return nil })); err != nil {
			t.Fatal(err)
		}
	}
	// A goroutine may be seen in its last instructions.
	var left string
	limit := time.After(patience)
	for {
		buf := make([]byte, 1<<20)
		left = ""
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(stack, "lastcall.(*") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			break
		}
		select {
		case <-limit:
			t.Fatalf("goroutines are left:\n%s", left)
		default:
			runtime.Gosched()
		}
	}
}

// os/signal has one goroutine for the whole process, which whoever asks for the first signal starts.
func TestTheGoroutineOfSignalsIsNobodysLeak(t *testing.T) {
	if out := launch(t, daemonCommand(t, "signals itself")).exits(0); !strings.Contains(out, `<nil> ""`) {
		t.Errorf("a worker that asked for a signal left behind: %s", out)
	}
}
