//go:build unix

package control

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestListenWhereOneIsAlive(t *testing.T) {
	path := socketPath(t)
	s := Serve(listen(t, path), &fake{})
	var live *LiveError
	_, err := Listen(path, "/elsewhere")
	if !errors.As(err, &live) || live.PID != os.Getpid() || live.File != "/srv/lastcall.yaml" {
		t.Fatalf("a second Listen says %v", err)
	}
	if !strings.HasPrefix(err.Error(), "lastcall up is already running for /srv/lastcall.yaml (pid ") ||
		!strings.HasSuffix(err.Error(), "); lastcall down stops it") {
		t.Errorf("a second Listen says %q", err)
	}
	closes(t, s)
	for _, left := range []string{path, path + ".lock"} {
		if _, err := os.Lstat(left); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind (%v)", left, err)
		}
	}
	closes(t, Serve(listen(t, path), &fake{}))
}

func listen(t *testing.T, path string) *Listener {
	t.Helper()
	l, err := Listen(path, "/srv/lastcall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListenAfterACrash(t *testing.T) {
	path := socketPath(t)
	cmd := helper(t, "listen", path, "/srv/shop/lastcall.yaml")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
		t.Fatalf("the first one says %q, %v", line, err)
	}
	var live *LiveError
	if _, err := Listen(path, ""); !errors.As(err, &live) || live.PID != cmd.Process.Pid || live.File != "/srv/shop/lastcall.yaml" {
		t.Errorf("while it lives, Listen says %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if _, err := os.Lstat(path); err != nil {
		t.Fatalf("it left no socket: %v", err)
	}
	isKind(t, (&Client{Socket: path}).Down(t.Context(), nil), KindNobody)
	closes(t, Serve(listen(t, path), &fake{}))
}

// Of many that come and go at the same path, never two are there at the same time.
func TestListenManyAtOnce(t *testing.T) {
	path := socketPath(t)
	var here, times atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				l, err := Listen(path, "")
				if live := (*LiveError)(nil); errors.As(err, &live) {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				if n := here.Add(1); n != 1 {
					t.Errorf("%d listen at the same time", n)
				}
				times.Add(1)
				here.Add(-1)
				l.Close()
			}
		})
	}
	all.Wait()
	if times.Load() == 0 {
		t.Error("nobody has ever listened")
	}
}

// However the same place is reached, there is one supervisor, and after its sudden death the next one has the same ID. In another
// directory the same name is another place.
func TestListenByOtherPaths(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o700), os.Mkdir(filepath.Join(dir, "b"), 0o700), os.Symlink("a", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "a"))
	paths := []string{"s", filepath.Join(dir, "a", "s"), filepath.Join(dir, "link", "s"), "../b/../a/s"}
	id := ""
	for _, path := range paths {
		l := listen(t, path)
		if id == "" {
			id = l.ID
		}
		if l.ID != id || len(id) != 16 {
			t.Errorf("at %s the ID is %q, and at %s %q", path, l.ID, paths[0], id)
		}
		for _, other := range paths {
			if _, err := Listen(other, ""); !errors.As(err, new(*LiveError)) {
				t.Errorf("with one at %s, at %s: %v", path, other, err)
			}
		}
		elsewhere := listen(t, "../b/s")
		if elsewhere.ID == id {
			t.Errorf("at ../b/s the ID is %q as well", id)
		}
		elsewhere.Close()
		l.Close()
	}
}

// What another program serves stays, also where its queue is full, and where others could replace the socket there is none.
func TestListenWhereAnotherProgramIs(t *testing.T) {
	path := socketPath(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), path+" is served by another program; choose another place") {
		t.Errorf("Listen says %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
	os.Chmod(filepath.Dir(path), 0o777)
	if _, err := Listen(path+"2", ""); err == nil || !strings.Contains(err.Error(), "every user can replace what is in ") {
		t.Errorf("in a directory of everybody Listen says %v", err)
	}
}

// The text of a lock may be of another program: it is bounded and checked.
func TestLiveErrorOfAnotherProgram(t *testing.T) {
	for text, want := range map[string]LiveError{
		"7 /srv/lastcall.yaml\n":              {PID: 7, File: "/srv/lastcall.yaml"},
		"7 \n":                                {PID: 7},
		"":                                    {},
		"7":                                   {},
		"-7 /srv/lastcall.yaml\n":             {},
		"x /srv/lastcall.yaml\n":              {},
		"7 /srv\n/lastcall.yaml\n":            {},
		"7 " + strings.Repeat("x", 2000):      {},
		"99999999999999999999999 /srv/file\n": {},
	} {
		var live *LiveError
		if err := holder(text); !errors.As(err, &live) || *live != want {
			t.Errorf("%.40q: %+v, want %+v", text, live, want)
		}
	}
}

func TestListenModes(t *testing.T) {
	path := filepath.Join(filepath.Dir(socketPath(t)), "new", "s")
	defer closes(t, Serve(listen(t, path), &fake{}))
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".lock": 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Lstat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func TestListenInTheWay(t *testing.T) {
	path := socketPath(t)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, ""); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("Listen says %v", err)
	}
	if text, err := os.ReadFile(path); string(text) != "precious" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if _, err := os.Lstat(path + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock is left behind (%v)", err)
	}
	long := filepath.Join(filepath.Dir(path), strings.Repeat("x", maxPath))
	if _, err := Listen(long, ""); err == nil || !strings.Contains(err.Error(), "choose a shorter one") {
		t.Errorf("of a long path, Listen says %v", err)
	}
	isKind(t, (&Client{Socket: long}).Down(t.Context(), nil), KindUsage)
	fits := filepath.Join(filepath.Dir(path), strings.Repeat("x", maxPath-len(filepath.Dir(path))-1))
	s := Serve(listen(t, fits), &fake{list: func(bool) []Instance { return nil }})
	if _, err := (&Client{Socket: fits}).List(t.Context(), true); err != nil {
		t.Errorf("at a path of %d bytes: %v", len(fits), err)
	}
	closes(t, s)
}

// Who is somebody else is turned away also where the mode of the socket would let him in.
func TestListenTurnsOthersAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	s, c := serve(t, &fake{list: func(bool) []Instance { return make([]Instance, 3) }})
	open(t, c.Socket)
	ps := func(uid uint32) (string, error) {
		out, err := as(t, uid, "ps", c.Socket).CombinedOutput()
		return string(out), err
	}
	if out, err := ps(0); err != nil || out != "3 instances\n" {
		t.Errorf("root hears %q, %v", out, err)
	}
	if out, err := ps(65534); err == nil || !strings.HasPrefix(out, "0 instances\n") || !strings.Contains(out, "ended before it answered") {
		t.Errorf("another user hears %q, %v", out, err)
	}
	os.Chmod(c.Socket, 0o600)
	if out, err := ps(65534); err == nil || !strings.Contains(out, "not allowed: "+c.Socket+" belongs to another user") {
		t.Errorf("another user, without the right to connect, hears %q, %v", out, err)
	}
	closes(t, s)
}

// open lets everybody reach the socket.
func open(t *testing.T, path string) {
	t.Helper()
	if err := errors.Join(os.Chmod(filepath.Dir(path), 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
}

// A client gives no orders to a stranger who sits where the supervisor should.
func TestClientTurnsStrangersAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	path := socketPath(t)
	os.Chmod(filepath.Dir(path), 0o777|os.ModeSticky)
	stranger := as(t, 65534, "listen", path, "")
	out, err := stranger.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
		t.Fatalf("the stranger says %q, %v", line, err)
	}
	open(t, path)
	if out, err := as(t, 65533, "ps", path).CombinedOutput(); err == nil || !strings.Contains(string(out), path+" belongs to user 65534") {
		t.Errorf("the client says %q, %v", out, err)
	}
	stranger.Process.Kill()
	stranger.Wait()
}

// as is a helper that runs as another user.
func as(t *testing.T, uid uint32, args ...string) *exec.Cmd {
	t.Helper()
	cmd := helper(t, args...)
	self, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(socketPath(t)) // where the other user can reach it
	cmd.Path, cmd.Dir = filepath.Join(dir, "helper"), "/"
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(cmd.Path, self, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

func TestPath(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	os.Chmod(dir, 0o700)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	path := func(file string) string {
		t.Helper()
		path, err := Path(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(path) > maxPath {
			t.Errorf("the path for %s has %d bytes", file, len(path))
		}
		return path
	}
	shop := path("/srv/shop/lastcall.yaml")
	if filepath.Dir(shop) != filepath.Join(dir, "lastcall") || !strings.HasPrefix(filepath.Base(shop), "shop-") {
		t.Errorf("the path is %s", shop)
	}
	if path("/srv/shop/../shop/lastcall.yaml") != shop || path("/srv/shop/Procfile") == shop || path("/opt/shop/lastcall.yaml") == shop {
		t.Error("other files have the same path, or the same another")
	}
	if got := filepath.Base(path("/srv/" + strings.Repeat("x", 200) + "/Procfile")); !strings.HasPrefix(got, strings.Repeat("x", 32)+"-") {
		t.Errorf("the name for a long directory is %s", got)
	}
	if got := filepath.Base(path("/srv/мой магазин/Procfile")); len(got) != len("12345678.sock") {
		t.Errorf("the name for a directory without a name in ASCII is %s", got)
	}
	if got := filepath.Base(path("/Procfile")); len(got) != len("12345678.sock") {
		t.Errorf("the name for a file in the root is %s", got)
	}

	deep := filepath.Join(dir, strings.Repeat("d", maxPath-len(dir)-len("//lastcall/a-12345678.sock")))
	os.Mkdir(deep, 0o700)
	t.Setenv("XDG_RUNTIME_DIR", deep)
	if got := filepath.Base(path("/srv/shop/lastcall.yaml")); !strings.HasPrefix(got, "s-") {
		t.Errorf("in a long directory the name is %s", got)
	}
	deep += "dddd"
	os.Mkdir(deep, 0o700)
	t.Setenv("XDG_RUNTIME_DIR", deep)
	if got, err := Path("/srv/shop/lastcall.yaml"); err == nil || !strings.Contains(err.Error(), "choose a shorter one") {
		t.Errorf("in a directory that is too long the path is %s, %v", got, err)
	}
}

// Whether the file's directory is reached by a link or not, the supervisor is found; also by the link when that leads elsewhere by then.
func TestPathByALink(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	t.Setenv("XDG_RUNTIME_DIR", dir)
	os.Chmod(dir, 0o700)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "current")
	to := func(release string) {
		t.Helper()
		os.Remove(link)
		must(errors.Join(os.MkdirAll(filepath.Join(dir, release), 0o700), os.Symlink(release, link)))
	}
	file := func(in string) string { return filepath.Join(dir, in, "lastcall.yaml") }
	find := func(in string) string {
		t.Helper()
		path, err := Path(file(in))
		must(err)
		return path
	}
	isHere := func(what, in string) {
		t.Helper()
		if _, err := Listen(find(in), file(in)); !errors.As(err, new(*LiveError)) {
			t.Errorf("%s: a second one at %s: %v", what, in, err)
		}
		c := &Client{Socket: find(in)}
		if _, err := c.List(t.Context(), false); err != nil {
			t.Errorf("%s: at %s: %v", what, in, err)
		}
	}
	b := &fake{list: func(bool) []Instance { return nil }}
	start := func(in string) *Server {
		t.Helper()
		l, err := Listen(find(in), file(in))
		must(err)
		return Serve(l, b)
	}
	to("r1")
	for _, first := range []string{"current", "r1"} {
		s := start(first)
		isHere("started at "+first, "current")
		isHere("started at "+first, "r1")
		closes(t, s)
	}
	s := start("current")
	to("r2")
	isHere("after the link was changed", "current")
	isHere("after the link was changed", "r1")
	closes(t, s)
	if left, err := os.ReadDir(filepath.Join(dir, "lastcall")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	s = start("current")
	isHere("started anew", "r2")
	closes(t, s)
}

// A supervisor without the variable, such as one of a service manager, is found by a client that has it.
func TestPathOfOneThatIsThere(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	t.Setenv("TMPDIR", dir)
	t.Setenv("XDG_RUNTIME_DIR", "")
	file := filepath.Join(dir, "shop", "lastcall.yaml")
	first, err := Path(file)
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(listen(t, first), &fake{})
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if path, err := Path(file); path != first {
		t.Errorf("the path is %s, %v, and the supervisor at %s", path, err, first)
	}
	closes(t, s)
	if path, err := Path(file); filepath.Dir(path) != filepath.Join(dir, "lastcall") {
		t.Errorf("when it has gone the path is %s, %v", path, err)
	}
}

// A directory for temporary files belongs to everybody.
func TestPathWhereOthersWereFirst(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	t.Setenv("TMPDIR", dir)
	t.Setenv("XDG_RUNTIME_DIR", "")
	ours := directories()[len(directories())-1]
	target := filepath.Join(dir, "target")
	for name, test := range map[string]struct {
		make func() error
		want string
	}{
		"a link":           {func() error { return errors.Join(os.Mkdir(target, 0o700), os.Symlink(target, ours)) }, "is not a directory of this user's own"},
		"a file":           {func() error { return os.WriteFile(ours, nil, 0o600) }, "is not a directory of this user's own"},
		"open to others":   {func() error { return errors.Join(os.Mkdir(ours, 0o700), os.Chmod(ours, 0o750)) }, "can be entered by others (mode 0750); chmod 700 "},
		"of somebody else": {func() error { return errors.Join(os.Mkdir(ours, 0o700), os.Chown(ours, 65534, 65534)) }, "is not a directory of this user's own"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "of somebody else" && os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			if err := test.make(); err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(ours)
			if path, err := Path("/srv/shop/lastcall.yaml"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Path says %s, %v, want %q", path, err, test.want)
			}
			if _, err := Listen(filepath.Join(ours, "s"), ""); err == nil {
				t.Error("Listen does not mind")
			}
		})
	}
}
