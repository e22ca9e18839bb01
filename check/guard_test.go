//go:build unix

package check

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestProgramEncoding(t *testing.T) {
	for _, want := range []program{
		{path: "/bin/x", argv: []string{"x"}, env: []string{}},
		{path: "/bin/x", dir: "/tmp", argv: []string{"", "a b", "\xff\n"}, env: []string{"A=", "B=\n=", "nothing"}},
		{path: "", argv: []string{}, env: []string{"A=1"}},
	} {
		got, err := decodeProgram(want.encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	for _, text := range []string{"", "a\x00b", "a\x00b\x00c", "a\x00b\x00-1", "a\x00b\x002\x00c"} {
		if got, err := decodeProgram([]byte(text)); err == nil {
			t.Errorf("%q is %+v, want an error", text, got)
		}
	}
}

// What the daemon is given: descriptors, environment, directory, arguments, signals.
func TestWhatItIsGiven(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/nobody")
	t.Setenv("LISTEN_FDS", "1")
	t.Setenv("FROM_HERE", "yes")
	stray, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer stray.Close()
	_, _, _ = syscall.RawSyscall(syscall.SYS_FCNTL, stray.Fd(), syscall.F_SETFD, 0) // inherited by whom this process starts
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	if err := os.Mkdir(inner, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.Args[0], filepath.Join(inner, "daemon")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	type given struct {
		Args, Env, Open []string
		Dir             string
		Leads, Int      bool
	}
	look := func(c *Check) (g given) {
		t.Helper()
		file := filepath.Join(dir, "given")
		c.Command = append(c.Command, file)
		c.Only, c.Ready = []string{"term"}, "log:^up$"
		run(t, c)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &g); err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Setenv(lifeVariable, "facts")
	g := look(&Check{Command: []string{"./daemon", "a", ""}, Dir: "inner"})
	if !slices.Equal(g.Args[:3], []string{"./daemon", "a", ""}) {
		t.Errorf("arguments %q", g.Args)
	}
	if want, _ := filepath.EvalSymlinks(inner); g.Dir != want {
		t.Errorf("directory %q, want %q", g.Dir, want)
	}
	if !slices.Contains(g.Env, "FROM_HERE=yes") || !slices.Contains(g.Env, "PWD="+inner) {
		t.Errorf("environment %q", g.Env)
	}
	for _, one := range g.Env {
		if name, _, _ := strings.Cut(one, "="); slices.Contains(ofProtocols, name) {
			t.Errorf("it is told %s", one)
		}
	}
	if !g.Leads {
		t.Error("it does not lead a session")
	}
	if runtime.GOOS == "linux" && (len(g.Open) != 3 || g.Open[0] != "0 /dev/null" || !strings.HasPrefix(g.Open[1], "1 pipe:")) {
		t.Errorf("it has open %q", g.Open)
	}
	g = look(&Check{Command: []string{os.Args[0]}, Env: []string{lifeVariable + "=facts", "A=1", "A=2"}})
	if !slices.Equal(g.Env, []string{lifeVariable + "=facts", "A=2"}) {
		t.Errorf("environment %q", g.Env)
	}
	os.Unsetenv(lifeVariable) // so that an empty environment is one in which the test binary would be itself
	c := &Check{Command: []string{"/bin/sh", "-c", "env >given; echo $0 up; exec sleep 1000"}, Env: []string{}, Dir: dir, Only: []string{"term"}, Ready: "log:up"}
	run(t, c)
	text, err := os.ReadFile("given")
	if err != nil || bytes.Contains(text, []byte("FROM_HERE")) || bytes.Contains(text, []byte(guardVariable)) {
		t.Errorf("environment %q, %v", text, err)
	}
}

// What cannot be executed is one clear error each.
func TestCannotStart(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		command, reason string
		is              error
	}{
		"not in PATH":    {"no-such-daemon", "executable file not found in $PATH", exec.ErrNotFound},
		"no such file":   {"./no-such-daemon", "no such file or directory", fs.ErrNotExist},
		"not executable": {write("plain", "#!/bin/sh\n", 0o600), "permission denied", fs.ErrPermission},
		"a directory":    {dir, "is a directory", syscall.EISDIR},
		"no first line":  {write("bare", "exec sleep 1\n", 0o700), "a script needs a first line such as #!/bin/sh", syscall.ENOEXEC},
		"no interpreter": {write("lost", "#!/no/such/shell\n", 0o700), "the interpreter in its first line", fs.ErrNotExist},
		"empty":          {write("empty", "", 0o700), "it is no program for this system", syscall.ENOEXEC},
	} {
		t.Run(name, func(t *testing.T) {
			e := runFails(t, &Check{Command: []string{test.command}})
			contains(t, "the reason", e.Reason, test.reason)
			if !errors.Is(e, test.is) || e.Program != test.command {
				t.Errorf("%#v of %q, want %v", e.Err, e.Program, test.is)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0); err != nil {
		t.Fatal(err)
	}
	for field, c := range map[string]*Check{
		"Command":     {},
		"Dir":         {Command: []string{"x"}, Dir: "/no/such/directory"},
		"Ready":       {Command: []string{"x"}, Ready: "soon"},
		"URL":         {Command: []string{"x"}, URL: "127.0.0.1:80"},
		"Slow":        {Command: []string{"x"}, Slow: "ftp://127.0.0.1"},
		"Only":        {Command: []string{"x"}, Only: []string{"trem"}},
		"Skip":        {Command: []string{"x"}, Skip: []string{"nothing"}},
		"Grace":       {Command: []string{"x"}, Grace: -1},
		"Idle":        {Command: []string{"x"}, Idle: -1},
		"ReadyWithin": {Command: []string{"x"}, ReadyWithin: -1},
		"Repeat":      {Command: []string{"x"}, Repeat: -1},
	} {
		_, err := c.Run(t.Context())
		var e *ConfigError
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
		if field == "Only" {
			contains(t, "the error", err.Error(), `there is no scenario "trem"`, `did you mean "term"?`)
		}
	}
	for dir, want := range map[string]string{"/dev/null": "/dev/null is not a directory", closed: "closed cannot be entered: permission denied"} {
		if dir == closed && os.Geteuid() == 0 {
			t.Log("root may enter any directory")
			continue
		}
		_, err := (&Check{Command: []string{"x"}, Dir: dir}).Run(t.Context())
		if e := (*ConfigError)(nil); !errors.As(err, &e) || e.Field != "Dir" {
			t.Fatalf("in %s: %v", dir, err)
		}
		contains(t, "the error", err.Error(), want)
	}
}

// The end of the context ends all, soon, with a report of what there is.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*Check{
		"while it starts":   {Command: []string{os.Args[0]}, Env: lifeEnv("wait"), Ready: "log:never"},
		"while it is idle":  {Command: []string{os.Args[0], freePort(t)}, Env: lifeEnv("serve"), Idle: time.Hour},
		"while it hangs":    {Command: []string{os.Args[0]}, Env: lifeEnv("hang"), Grace: time.Hour, Ready: "100ms"},
		"while it is asked": {Command: []string{os.Args[0], "tcp=" + freePort(t)}, Env: lifeEnv("listen"), Ready: "100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "while it is asked" {
				c.URL = "http://" + strings.TrimPrefix(c.Command[1], "tcp=") + "/"
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			told := make(chan time.Time, 1)
			var once sync.Once
			c.Observe = func(p Progress) {
				if p.Scenario == "idle" || name != "while it is idle" {
					once.Do(func() { time.AfterFunc(time.Second, func() { told <- time.Now(); cancel() }) })
				}
			}
			report, err := c.Run(ctx)
			if !errors.Is(err, context.Canceled) || report == nil {
				t.Fatalf("%v, %v", report, err)
			}
			if took := time.Since(<-told); took > 10*time.Second {
				t.Errorf("ended %v after it was told to", took)
			}
			if report.Took == 0 {
				t.Errorf("the report is %+v", report)
			}
		})
	}
}

// The guard is this program, also when its file is no more, whoever runs it, and whatever other packages do before it is their turn.
func TestGuardElsewhere(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "check-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	_ = os.Chmod(dir, 0o755)
	copied := filepath.Join(dir, "copy")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, text, 0o755); err != nil {
		t.Fatal(err)
	}
	once := func(t *testing.T, name string, args ...string) {
		t.Helper()
		p := plan{Command: []string{copied, freePort(t)}, Env: []string{lifeVariable + "=serve"}, Only: []string{"term", "pid1"}, Grace: eventually}
		cmd := exec.Command(name, append(args, p.String())...)
		cmd.Env = append(lifeEnv("checker"), "GOCOVERDIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "<nil>") {
			t.Errorf("%v: %s", err, out)
		}
	}
	t.Run("as nobody", func(t *testing.T) {
		setpriv, err := exec.LookPath("setpriv")
		if err != nil || os.Getuid() != 0 {
			t.Skip("this needs root, and setpriv of util-linux")
		}
		once(t, setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", copied)
	})
	t.Run("removed", func(t *testing.T) {
		onLinux(t)
		running := filepath.Join(dir, "removed")
		if err := os.Link(copied, running); err != nil {
			t.Fatal(err)
		}
		// The shell's child is the program before the file goes.
		once(t, "/bin/sh", "-c", `"$0" "$1" & while [ "$(readlink /proc/$!/exe)" != "$0" ]; do :; done; rm "$0"; wait $!`, running)
	})
}

// The same seed gives the same choices, whatever is played besides.
func TestSeed(t *testing.T) {
	instants := func(only ...string) (list []string) {
		c := lifeOf("serve", freePort(t))
		c.Only, c.Seed, c.Quick = only, 7, true
		r := &runner{Check: c}
		if err := r.prepare(); err != nil {
			t.Fatal(err)
		}
		r.report = &Report{}
		for _, name := range only {
			r.ctx = t.Context()
			r.play(Scenario{Name: name, play: func(r *runner) {
				for range 3 {
					list = append(list, name+strconv.FormatFloat(r.rand.Float64(), 'g', -1, 64))
				}
			}})
		}
		return list
	}
	both, alone := instants("term", "startup"), instants("startup")
	if !slices.Equal(both[3:], alone) || slices.Contains(both[:3], strings.Replace(alone[0], "startup", "term", 1)) {
		t.Errorf("with one seed: %v, %v", both, alone)
	}
}

// What was done is said with the signal that was sent.
func TestDoes(t *testing.T) {
	for name, want := range map[string]string{"term": "sends SIGQUIT when", "int": "sends SIGINT to", "paused": "sends SIGSTOP, SIGQUIT, SIGCONT"} {
		c := lifeOf("wait")
		c.Signal = syscall.SIGQUIT
		r := &runner{Check: c, report: &Report{}, ctx: t.Context()}
		for _, s := range Scenarios() {
			if s.Name == name {
				s.play = func(*runner) {}
				r.play(s)
			}
		}
		contains(t, "what was done in "+name, r.report.result(t, name).Does, want)
	}
}
