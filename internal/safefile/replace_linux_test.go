package safefile

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// listing is the names in a directory.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	check(t, CanReplace(path))
	if got := listing(t, dir); got != "" {
		t.Errorf("CanReplace leaves %s", got)
	}
	check(t, Replace(path, []byte("old, and longer")))
	check(t, os.Chmod(path, 0o604))
	check(t, os.Symlink("report.json", filepath.Join(dir, "link")))
	var before, after unix.Stat_t
	check(t, unix.Stat(path, &before))
	check(t, CanReplace(filepath.Join(dir, "link")))
	if got := content(t, path); got != "old, and longer" {
		t.Errorf("CanReplace makes it %q", got)
	}
	check(t, Replace(filepath.Join(dir, "link"), []byte("new")))
	check(t, unix.Stat(path, &after))
	if got := content(t, path); got != "new" || before.Ino == after.Ino || after.Mode&0o777 != 0o604 {
		t.Errorf("%q, the same file: %t, mode %o", got, before.Ino == after.Ino, after.Mode)
	}
	if got := listing(t, dir); got != "link report.json" {
		t.Errorf("left: %s", got)
	}
	for name, want := range map[string]string{
		dir + "/missing/report": "no such file or directory",
		dir:                     "is a directory",
		dir + "/report.json/x":  "not a directory",
		"/dev/fd/999":           "bad file descriptor",
	} {
		wants(t, name, CanReplace(name), want)
		wants(t, name, Replace(name, []byte("x")), want)
	}
	check(t, CanReplace("/dev/null"))
	check(t, Replace("/dev/null", []byte("x")))
}

// A report that the disk has no room for leaves the old one as it was.
func TestReplaceFull(t *testing.T) {
	smallDisk(t, "64k", func(dir string) {
		path := filepath.Join(dir, "report.json")
		if err := Replace(path, []byte("old")); err != nil {
			t.Error(err)
			return
		}
		wants(t, "large", Replace(path, make([]byte, 1<<20)), "write "+path+": no space left on device")
		if text, err := os.ReadFile(path); string(text) != "old" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		entries, err := os.ReadDir(dir)
		if len(entries) != 1 || err != nil {
			t.Errorf("left: %v, %v", entries, err)
		}
	})
}

// A FIFO is written if somebody reads it, and not waited for.
func TestReplaceFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	check(t, unix.Mkfifo(path, 0o600))
	check(t, CanReplace(path))
	wants(t, "no reader", Replace(path, []byte("x")), "write "+path+": no program reads it")
	reader, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0) // also to write, so that it never reads an end
	check(t, err)
	defer reader.Close()
	check(t, CanReplace(path)) // which the reader does not notice
	text := strings.Repeat("0123456789", 20_000)
	got := make(chan string)
	go func() {
		b := make([]byte, len(text))
		n, _ := io.ReadFull(reader, b)
		got <- string(b[:n])
	}()
	check(t, Replace(path, []byte(text)))
	if got := <-got; got != text {
		t.Errorf("%d bytes of %d were read", len(got), len(text))
	}
}

// A descriptor of the caller's own is written where it stands, and not from its beginning.
func TestReplaceDescriptor(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	check(t, err)
	defer file.Close()
	_, err = file.WriteString("before\n")
	check(t, err)
	var fd int
	conn, err := file.SyscallConn()
	check(t, err)
	check(t, conn.Control(func(n uintptr) { fd = int(n) }))
	for _, name := range []string{"/dev/fd/", "/proc/self/fd/"} {
		name += itoa(fd)
		check(t, CanReplace(name))
		check(t, Replace(name, []byte("report\n")))
	}
	if got := content(t, file.Name()); got != "before\nreport\nreport\n" {
		t.Errorf("got %q", got)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// Root replaces nothing that a user chooses, and a file that a directory takes no other for is written itself.
func TestReplaceHostile(t *testing.T) {
	asRoot(t)
	dir := openDirs(t)
	safe := ground(t, 0, 0o755, dir, "safe")
	secret := file(t, 0, "secret", safe, "secret")
	home := ground(t, nobody, 0o755, dir, "home")
	link(t, nobody, secret, home, "to-file")
	link(t, nobody, safe+"/new", home, "to-new")
	check(t, os.Link(secret, filepath.Join(home, "hard")))
	theirs := file(t, nobody, "old", home, "theirs")
	for name, want := range map[string]string{
		"home/to-file": "a link of user 65534 leads there, and it belongs to root",
		"home/to-new":  "a link of user 65534 leads there, and its directory belongs to root",
		"home/hard":    "", // its name gets another file
		"home/theirs":  "",
	} {
		path := filepath.Join(dir, name)
		wants(t, name, CanReplace(path), want)
		wants(t, name, Replace(path, []byte("report")), want)
	}
	if got := content(t, secret); got != "secret" || listing(t, safe) != "secret" {
		t.Errorf("root's files: %s, the secret is %q", listing(t, safe), got)
	}
	if uid, _ := owner(t, theirs); uid != nobody || content(t, theirs) != "report" {
		t.Errorf("user %d, %q", uid, content(t, theirs))
	}
	wants(t, "read", readOwn(filepath.Join(home, "to-file")), "a link of user 65534 leads there, and it belongs to root")
	wants(t, "read", readOwn(theirs), "")
}

func readOwn(path string) error {
	_, err := ReadOwn(path, 100)
	return err
}
