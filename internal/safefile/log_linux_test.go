package safefile

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// appended opens a log, writes a line into it, and closes it.
func appended(path string, o LogOptions) error {
	f, err := OpenLog(path, o)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("line\n")
	return err
}

func TestOpenLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "made/on/demand/app.log")
	for range 2 {
		check(t, appended(path, LogOptions{}))
	}
	if got := content(t, path); got != "line\nline\n" {
		t.Errorf("got %q", got)
	}
	check(t, os.Symlink("made/on", filepath.Join(dir, "own")))
	check(t, os.Symlink("../own/demand/app.log", filepath.Join(dir, "made/own.log")))
	check(t, appended(filepath.Join(dir, "made/../made/./own.log"), LogOptions{}))
	if got := content(t, path); got != "line\nline\nline\n" {
		t.Errorf("through links of its own: %q", got)
	}
	check(t, appended(path, LogOptions{Mode: 0o600}))
	if _, mode := owner(t, path); mode != 0o600 {
		t.Errorf("mode %o", mode)
	}
	stated := filepath.Join(dir, "stated.log")
	check(t, appended(stated, LogOptions{Mode: 0o622})) // which a umask would cut
	if _, mode := owner(t, stated); mode != 0o622 {
		t.Errorf("mode %o", mode)
	}
	check(t, appended("/dev/null", LogOptions{}))
}

// What is no file is refused, and holds nothing up.
func TestOpenLogNoFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	check(t, unix.Mkfifo(fifo, 0o600))
	check(t, os.Symlink("fifo", filepath.Join(dir, "link")))
	check(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
	check(t, err)
	defer socket.Close()
	for name, want := range map[string]string{
		"fifo":       "it is a FIFO, and must be a file",
		"link":       "it is a FIFO, and must be a file",
		"socket":     "it is a socket or a block device, and must be a file",
		"":           "is a directory",
		"fifo/x.log": "not a directory",
		"loop":       "too many levels of symbolic links",
	} {
		wants(t, name, appended(dir+"/"+name, LogOptions{}), want)
	}
	reader, err := os.OpenFile(fifo, os.O_RDONLY|unix.O_NONBLOCK, 0) // with it, opening would not wait
	check(t, err)
	defer reader.Close()
	wants(t, "fifo with a reader", appended(fifo, LogOptions{}), "it is a FIFO, and must be a file")
}

// Root appends to nothing that a user chooses, in directories that the user may change.
func TestOpenLogHostile(t *testing.T) {
	asRoot(t)
	dir := openDirs(t)
	safe := ground(t, 0, 0o755, dir, "safe")
	secret := file(t, 0, "secret\n", safe, "secret")
	home := ground(t, nobody, 0o755, dir, "home")
	theirs := file(t, nobody, "", home, "theirs")
	others := ground(t, other, 0o755, dir, "other")
	link(t, nobody, secret, home, "to-file")
	link(t, nobody, safe+"/new", home, "to-new")
	link(t, nobody, safe, home, "to-dir")
	link(t, nobody, "theirs", home, "to-theirs")
	link(t, nobody, "sub", home, "to-sub")
	ground(t, nobody, 0o755, home, "sub")
	link(t, nobody, others, home, "to-other")
	link(t, other, home, others, "back")
	link(t, 0, safe, home, "of-root")
	check(t, os.Link(secret, filepath.Join(home, "hard")))
	check(t, unix.Mkfifo(filepath.Join(home, "fifo"), 0o666))
	open := ground(t, 0, 0o1777, dir, "tmp")
	file(t, nobody, "", open, "theirs")
	link(t, nobody, secret, open, "link")
	link(t, nobody, theirs, open, "link-theirs")
	link(t, 0, secret, safe, "link")
	for _, test := range []struct{ path, want string }{
		{"home/to-file", "a link of user 65534 leads there, and it belongs to root"},
		{"home/to-new", "a link of user 65534 leads there, and its directory belongs to root"},
		{"home/to-dir/new", "a link of user 65534 leads there, and its directory belongs to root"},
		{"home/to-dir/made/new", "a link of user 65534 leads there, and its directory belongs to root"},
		{"home/to-other/back/theirs", "the link back of user 65533 is not followed"},
		{"home/hard", "it has another name elsewhere, and " + home + " may be changed by others"},
		{"home/fifo", "it is a FIFO, and must be a file"},
		{"tmp/theirs", "it belongs to user 65534, and everyone may make files in " + open},
		{"tmp/link", "a link of user 65534 leads there, and it belongs to root"},
		{"home/to-theirs", ""},
		{"home/to-sub/new", ""},
		{"home/theirs", ""},
		{"home/new", ""},
		{"home/made/new", ""},
		{"home/of-root/of-root", ""},
		{"tmp/new", ""},
		{"tmp/link-theirs", ""},
		{"safe/link", "it has another name elsewhere"},
	} {
		if test.path == "safe/link" { // in a safe directory nothing is wrong with it
			test.want = ""
			defer func() {
				if got := content(t, secret); got != "secret\nline\n" {
					t.Errorf("through root's link: %q", got)
				}
			}()
		} else if got := content(t, secret); got != "secret\n" {
			t.Fatalf("before %s: the secret is %q", test.path, got)
		}
		wants(t, test.path, appended(filepath.Join(dir, test.path), LogOptions{}), test.want)
	}
	for _, name := range []string{"new", "made"} {
		if _, err := os.Lstat(filepath.Join(safe, name)); err == nil && name == "new" {
			t.Errorf("%s was made in root's directory", name)
		}
	}
}

// Where it acts for a user, the user's rights count from where root's own directories end.
func TestOpenLogAs(t *testing.T) {
	asRoot(t)
	dir := openDirs(t)
	web := LogOptions{As: &Rights{UID: nobody, GID: nobody, Groups: []uint32{other}}}
	safe := ground(t, 0, 0o755, dir, "safe")
	secret := file(t, 0, "secret\n", safe, "secret")
	home := ground(t, nobody, 0o755, dir, "home")
	link(t, nobody, secret, home, "to-file")
	link(t, nobody, safe+"/new", home, "to-new")
	link(t, nobody, home, home, "to-home")
	link(t, nobody, dir+"/shared", home, "to-shared")
	check(t, os.Link(secret, filepath.Join(home, "hard")))
	ground(t, other, 0o775, dir, "shared")
	ground(t, other, 0o755, dir, "other")
	for _, test := range []struct {
		path, want string
		uid        int
	}{
		{"safe/app.log", "", 0},
		{"safe/made/app.log", "", 0},
		{"home/app.log", "", nobody},
		{"home/made/here/app.log", "", nobody},
		{"home/to-home/linked.log", "", nobody},
		{"home/to-file", "a link of user 65534 leads there, and it belongs to root", 0},
		{"home/to-new", "a link of user 65534 leads there, and its directory belongs to root", 0},
		{"home/to-shared/app.log", "its directory belongs to user 65533", 0},
		{"home/hard", "permission denied", 0},
		{"shared/app.log", "", nobody}, // a supplementary group may write there
		{"other/app.log", "permission denied", 0},
	} {
		path := filepath.Join(dir, test.path)
		wants(t, test.path, appended(path, web), test.want)
		if test.want != "" {
			continue
		}
		if uid, _ := owner(t, path); uid != test.uid {
			t.Errorf("%s belongs to user %d, not %d", test.path, uid, test.uid)
		}
		if uid, _ := owner(t, filepath.Dir(path)); test.uid == nobody && uid != nobody && test.path != "shared/app.log" {
			t.Errorf("the directory of %s belongs to user %d", test.path, uid)
		}
	}
	if got := content(t, secret); got != "secret\n" {
		t.Errorf("the secret is %q", got)
	}
	given := filepath.Join(home, "given.log")
	wants(t, "owner", appended(given, LogOptions{As: web.As, Owner: &Owner{0, 0}}), "its owner cannot be changed: operation not permitted")
	check(t, appended(filepath.Join(safe, "given.log"), LogOptions{As: web.As, Owner: &Owner{nobody, other}, Mode: 0o640}))
	if uid, mode := owner(t, filepath.Join(safe, "given.log")); uid != nobody || mode != 0o640 {
		t.Errorf("user %d, mode %o", uid, mode)
	}
}

// The threads have their own rights back, whatever ran at the same time.
func TestAsGivesBack(t *testing.T) {
	asRoot(t)
	dir := openDirs(t)
	home := ground(t, nobody, 0o755, dir, "home")
	root := ground(t, 0, 0o700, dir, "root")
	var all sync.WaitGroup
	for i := range 50 {
		all.Add(2)
		go func() {
			defer all.Done()
			path := filepath.Join(home, fmt.Sprint(i))
			if err := appended(path, LogOptions{As: &Rights{UID: nobody, GID: nobody}}); err != nil {
				t.Error(err)
			} else if uid, _ := owner(t, path); uid != nobody {
				t.Errorf("%s belongs to user %d", path, uid)
			}
		}()
		go func() {
			defer all.Done()
			path := filepath.Join(root, fmt.Sprint(i))
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Error(err)
			} else if uid, _ := owner(t, path); uid != 0 {
				t.Errorf("%s belongs to user %d", path, uid)
			}
		}()
	}
	all.Wait()
}

// What is renamed is the file that is open, in the directory where it is, and nothing else.
func TestRotate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	rotate := func(keep int) (bool, error) {
		t.Helper()
		f, err := OpenLog(path, LogOptions{})
		check(t, err)
		defer f.Close()
		_, err = fmt.Fprintf(f, "%d", keep)
		check(t, err)
		return Rotate(path, f, keep, LogOptions{})
	}
	for _, keep := range []int{2, 2, 2, 0} {
		if ok, err := rotate(keep); !ok || err != nil {
			t.Errorf("keep %d: %t, %v", keep, ok, err)
		}
	}
	names, err := fs.Glob(os.DirFS(dir), "*")
	check(t, err)
	if fmt.Sprint(names) != "[app.log.1 app.log.2]" {
		t.Errorf("left: %v", names)
	}
	f, err := OpenLog(path, LogOptions{})
	check(t, err)
	defer f.Close()
	check(t, os.Rename(path, path+".moved"))
	if ok, err := Rotate(path, f, 2, LogOptions{}); ok || err != nil {
		t.Errorf("without the file: %t, %v", ok, err)
	}
	check(t, os.WriteFile(path, []byte("another"), 0o600))
	if ok, err := Rotate(path, f, 2, LogOptions{}); ok || err != nil {
		t.Errorf("with another file: %t, %v", ok, err)
	}
	if got := content(t, path); got != "another" {
		t.Errorf("the other file is %q", got)
	}
}
