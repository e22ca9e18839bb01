package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/testsignals"
)

// generous is how long a test waits for what must come.
const generous = 2 * time.Minute

// Processes that the tests start: this program, called with the name of one of these.
var helpers = map[string]func(args []string) error{
	// listen PATH FILE: a supervisor that is killed.
	"listen": func(args []string) error {
		l, err := Listen(args[0], args[1])
		if err != nil {
			return err
		}
		fmt.Println("listening")
		_, err = l.door.Accept()
		return err
	},
	// ps PATH: a client of whatever user it is.
	"ps": func(args []string) error {
		list, err := (&Client{Socket: args[0]}).List(context.Background(), true)
		fmt.Println(len(list), "instances")
		return err
	},
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && helpers[os.Args[1]] != nil {
		if err := helpers[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testsignals.Default()
	os.Exit(m.Run())
}

// helper is a command that runs one of the helpers.
func helper(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(t.Context(), self, args...)
}

// socketPath is a path for a socket: one of t.TempDir may be too long.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// await fails the test unless c yields something in a generous time.
func await[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(generous):
		t.Fatalf("no %s after %v", what, generous)
	}
	return v
}

// fake is a Backend whose methods are those that a test sets; the others are not to be called.
type fake struct {
	Backend
	list    func(usage bool) []Instance
	changed func() <-chan struct{}
	order   func(ctx context.Context, what string, o order, progress func(string)) error
	logs    func(ctx context.Context, q LogQuery, fn func(Line) error) error
	rep     lastcall.Report
}

func (f *fake) List(_ context.Context, usage bool) ([]Instance, error) { return f.list(usage), nil }
func (f *fake) Changed() <-chan struct{}                               { return f.changed() }
func (f *fake) Start(ctx context.Context, names []string, progress func(string)) error {
	return f.order(ctx, "start", order{Names: names}, progress)
}
func (f *fake) Stop(ctx context.Context, names []string, progress func(string)) error {
	return f.order(ctx, "stop", order{Names: names}, progress)
}
func (f *fake) Restart(ctx context.Context, names []string, progress func(string)) error {
	return f.order(ctx, "restart", order{Names: names}, progress)
}
func (f *fake) Reload(ctx context.Context, names []string, progress func(string)) error {
	return f.order(ctx, "reload", order{Names: names}, progress)
}
func (f *fake) Scale(ctx context.Context, instances map[string]int, progress func(string)) error {
	return f.order(ctx, "scale", order{Instances: instances}, progress)
}
func (f *fake) Signal(ctx context.Context, names []string, signal string) error {
	return f.order(ctx, "signal", order{Names: names, Signal: signal}, nil)
}
func (f *fake) Down(ctx context.Context, progress func(string)) error {
	return f.order(ctx, "down", order{}, progress)
}
func (f *fake) Logs(ctx context.Context, q LogQuery, fn func(Line) error) error {
	return f.logs(ctx, q, fn)
}
func (f *fake) Report(context.Context) (lastcall.Report, error) { return f.rep, nil }

// serve has the backend served, and returns a client. The test closes the server.
func serve(t *testing.T, b Backend) (*Server, *Client) {
	t.Helper()
	path := socketPath(t)
	l, err := Listen(path, "/srv/shop/lastcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return Serve(l, b), &Client{Socket: path, File: "/srv/shop/lastcall.yaml"}
}

// closes closes the server, which no client may hold up.
func closes(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), generous)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// isKind fails the test unless err is of that kind.
func isKind(t *testing.T, err error, kind Kind) {
	t.Helper()
	if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("the error is %T %v, want one of kind %s", err, err, kind)
	}
}

// dial connects without a Client.
func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
