package safefile

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is a user who has nothing to do with root, and other another.
const (
	nobody = 65534
	other  = 65533
)

// asRoot skips what only root can try.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: files of several users are made")
	}
}

// openDirs makes a directory that everyone may go through, as those of t.TempDir are not.
func openDirs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ground makes a directory that belongs to a user.
func ground(t *testing.T, uid int, mode fs.FileMode, elements ...string) string {
	t.Helper()
	dir := filepath.Join(elements...)
	check(t, os.MkdirAll(dir, 0o755))
	check(t, os.Chown(dir, uid, uid))
	check(t, os.Chmod(dir, mode))
	return dir
}

// file makes a file that belongs to a user.
func file(t *testing.T, uid int, text string, elements ...string) string {
	t.Helper()
	name := filepath.Join(elements...)
	check(t, os.WriteFile(name, []byte(text), 0o644))
	check(t, os.Chown(name, uid, uid))
	return name
}

// link makes a symbolic link that belongs to a user.
func link(t *testing.T, uid int, target string, elements ...string) string {
	t.Helper()
	name := filepath.Join(elements...)
	check(t, os.Symlink(target, name))
	check(t, os.Lchown(name, uid, uid))
	return name
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// content is what is in a file.
func content(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	check(t, err)
	return string(text)
}

// owner is who a file belongs to, and its mode.
func owner(t *testing.T, name string) (int, fs.FileMode) {
	t.Helper()
	var st unix.Stat_t
	check(t, unix.Lstat(name, &st))
	return int(st.Uid), fs.FileMode(st.Mode & 0o7777)
}

// wants reports an error that does not end with a text; "" is none.
func wants(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case err == nil && want != "":
		t.Errorf("%s: no error, want %s", what, want)
	case err != nil && (want == "" || !strings.HasSuffix(err.Error(), want)):
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// smallDisk calls f with a file system of this many bytes. Only its thread sees it, and goes with it.
func smallDisk(t *testing.T, size string, f func(dir string)) {
	t.Helper()
	asRoot(t)
	dir := t.TempDir()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
		}
		if err == nil {
			f(dir)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skipf("no mount namespace: %v", err)
	}
}
