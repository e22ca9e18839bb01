//go:build unix

package supervisor

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/config"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/internal/testsignals"
	"github.com/lastcall-go/lastcall/serve"
)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

// childVariable has the test binary be a child: see children.
const childVariable = "SUPERVISOR_TEST_CHILD"

// children are what the test binary can be besides.
var children = map[string]func(){
	"echo": echo,
	"server": func() { // answers with its number and its VERSION, on the socket that it was given
		ln, err := serve.Inherited("http")
		if err != nil || ln == nil {
			fmt.Println("no socket:", err)
			os.Exit(1)
		}
		answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "%d %s", os.Getpid(), os.Getenv("VERSION"))
		})
		var g lastcall.Group
		g.Go("said", func(ctx context.Context) error {
			fmt.Println("serving")
			<-ctx.Done()
			return nil
		}, lastcall.After("http"))
		g.Add("http", serve.HTTP(&http.Server{Handler: answer}, ln))
		lastcall.Main(&g)
	},
}

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childVariable)]; child != nil {
		child()
		return
	}
	testset.TheyWait()
	testsignals.Default()
	os.Exit(m.Run())
}

// up is a supervisor under test.
type up struct {
	*Supervisor
	t       *testing.T
	signals chan os.Signal
	done    chan struct{}
	err     error

	mu      sync.Mutex
	text    string
	written chan struct{} // closed at the next line
}

// shellProcess is a process of one instance that runs a line in the shell.
func shellProcess(name, line string, change ...func(*config.Process)) *config.Process {
	p := &config.Process{Name: name, Command: config.Command{Shell: line}, Instances: 1, Kill: "family", OnExit: config.OnExitFail}
	for _, c := range change {
		c(p)
	}
	return p
}

// serving is a process that serves a held socket at addr.
func serving(name, addr, version string, instances int) *config.Process {
	exe, _ := os.Executable()
	return &config.Process{
		Name: name, Command: config.Command{Args: []string{exe}}, Instances: instances, OnExit: config.OnExitFail,
		Env:    []string{childVariable + "=server", "VERSION=" + version},
		Listen: []config.Listener{{Name: "http", Network: "tcp", Address: addr}},
		Ready:  config.Ready{Log: "^serving$", Within: patience},
	}
}

func after(names ...string) func(*config.Process) { return func(p *config.Process) { p.After = names } }

// fileOf makes a file of processes.
func fileOf(t *testing.T, processes ...*config.Process) *config.File {
	t.Helper()
	dir := t.TempDir()
	for _, p := range processes {
		if p.Dir == "" {
			p.Dir = dir
		}
	}
	return &config.File{Path: filepath.Join(dir, "lastcall.yaml"), Dir: dir, Grace: patience / 2, Processes: processes, Log: config.Log{Times: "none"}}
}

// start runs a file. load may be changed later by a new file in next.
func start(t *testing.T, file *config.File, change ...func(*Options)) *up {
	t.Helper()
	return startFrom(t, func() (*config.File, error) { return file, nil }, change...)
}

func startFrom(t *testing.T, load func() (*config.File, error), change ...func(*Options)) *up {
	t.Helper()
	dir, err := os.MkdirTemp("", "up") // short, for the socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	u := &up{t: t, signals: make(chan os.Signal, 8), done: make(chan struct{}), written: make(chan struct{})}
	o := Options{Load: load, Out: w, Socket: filepath.Join(dir, "s")}
	for _, c := range change {
		c(&o)
	}
	if u.Supervisor, err = New(o); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		u.err = u.Run(context.Background(), u.signals)
		w.Close()
		close(over)
	}()
	go func() {
		u.read(r)
		<-over
		close(u.done)
	}()
	t.Cleanup(func() {
		u.stopNow()
		if t.Failed() {
			t.Log(u.output())
		}
	})
	return u
}

func (u *up) read(r *os.File) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		u.mu.Lock()
		u.text += lines.Text() + "\n"
		close(u.written)
		u.written = make(chan struct{})
		u.mu.Unlock()
	}
}

func (u *up) output() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.text
}

// await waits until the output matches, and returns the submatches of the last match.
func (u *up) await(pattern string) []string {
	u.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	limit := time.After(patience)
	for {
		u.mu.Lock()
		all, more := re.FindAllStringSubmatch(u.text, -1), u.written
		u.mu.Unlock()
		if len(all) > 0 {
			return all[len(all)-1]
		}
		select {
		case <-more:
		case <-u.done:
			u.mu.Lock()
			defer u.mu.Unlock()
			if !re.MatchString(u.text) {
				u.t.Fatalf("it ended (%v) without %q", u.err, pattern)
			}
			return nil
		case <-limit:
			u.t.Fatalf("no %q after %v", pattern, patience)
		}
	}
}

// end sends a signal, if there is one, waits for the end, and returns the exit status.
func (u *up) end(sig os.Signal) int {
	u.t.Helper()
	if sig != nil {
		u.signals <- sig
	}
	select {
	case <-u.done:
	case <-time.After(patience):
		u.t.Fatalf("not over %v after %v", patience, sig)
	}
	return u.ExitStatus(u.err)
}

// stopNow ends it without much ado.
func (u *up) stopNow() {
	for {
		select {
		case <-u.done:
			return
		case u.signals <- syscall.SIGTERM:
			time.Sleep(150 * time.Millisecond) // repeats within 100 ms count once
		}
	}
}

// ps is the list by name.
func (u *up) ps() map[string]control.Instance {
	u.t.Helper()
	list, err := u.List(u.t.Context(), false)
	if err != nil {
		u.t.Fatal(err)
	}
	byName := map[string]control.Instance{}
	for _, i := range list {
		byName[i.Name] = i
	}
	return byName
}

// awaitState waits until an instance is in a state.
func (u *up) awaitState(name string, state lastcall.State) control.Instance {
	u.t.Helper()
	limit := time.After(patience)
	for {
		changed := u.Changed()
		if i, ok := u.ps()[name]; ok && i.State == state {
			return i
		}
		select {
		case <-changed:
		case <-limit:
			u.t.Fatalf("%s is not %v after %v: %+v", name, state, patience, u.ps()[name])
		}
	}
}

// said collects progress.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// inOrder fails unless the pieces are in the text one after another.
func inOrder(t *testing.T, text string, pieces ...string) {
	t.Helper()
	rest := text
	for _, piece := range pieces {
		_, behind, ok := strings.Cut(rest, piece)
		if !ok {
			t.Fatalf("no %q, in this order %q, in\n%s", piece, pieces, text)
		}
		rest = behind
	}
}

// awaitFile waits until a file has just this text.
func awaitFile(t *testing.T, path, want string) {
	t.Helper()
	for limit := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(path)
		if string(text) == want {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%s has %q (%v), not %q, after %v", path, text, err, want, patience)
		}
	}
}

// deadline returns what is called in a loop that waits for something that nothing tells of: it pauses, and fails the test with the text
// when the patience is over.
func deadline(t *testing.T) func(format string, args ...any) {
	limit := time.Now().Add(patience)
	return func(format string, args ...any) {
		t.Helper()
		if time.Now().After(limit) {
			t.Fatalf("after %v: "+format, append([]any{patience}, args...)...)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
