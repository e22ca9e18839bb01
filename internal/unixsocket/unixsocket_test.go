//go:build darwin || freebsd || linux || netbsd || openbsd

package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// shortDir is a directory whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "u")
	noError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A server whose queue is full is alive, and so is one of another type: only one that nothing serves is removed.
func TestRemoveStale(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, "s")
	noError(t, RemoveStale("unix", path))

	noError(t, os.WriteFile(path, []byte("kept"), 0o600))
	if err := RemoveStale("unix", path); !errors.Is(err, ErrNoSocket) || !isThere(path) {
		t.Errorf("a file: %v", err)
	}
	noError(t, os.Remove(path))

	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	noError(t, err)
	noError(t, unix.Bind(fd, &unix.SockaddrUnix{Name: path}))
	noError(t, unix.Listen(fd, 1))
	if err := RemoveStale("unix", path); !errors.Is(err, syscall.EADDRINUSE) || !isThere(path) {
		t.Errorf("a live server: %v", err)
	}
	if err := RemoveStale("unixgram", path); !errors.Is(err, syscall.EADDRINUSE) || !isThere(path) {
		t.Errorf("a live server of another type: %v", err)
	}
	for range 100 { // its queue fills, and it accepts none
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Logf("a full queue: %v", err)
			break
		}
		defer conn.Close()
	}
	err = RemoveStale("unix", path)
	if refused := !isThere(path); refused { // as on the BSDs, where the lock has to tell
		t.Skipf("this system refuses connections to a server whose queue is full: %v", err)
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a server whose queue is full: %v", err)
	}
	unix.Close(fd)
	noError(t, RemoveStale("unix", path))
	if isThere(path) {
		t.Error("a stale socket is left")
	}
}

func TestRemoveStaleWhereItCannotBeSeen(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may connect to every socket")
	}
	path := filepath.Join(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	noError(t, err)
	defer l.Close()
	noError(t, os.Chmod(path, 0))
	if err := RemoveStale("unix", path); !errors.Is(err, syscall.EACCES) || !isThere(path) {
		t.Errorf("got %v", err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(shortDir(t), "s.lock")
	lock, err := Lock(path)
	noError(t, err)
	noError(t, Sign(lock, "7 "+strings.Repeat("x", 2*longestText)))
	var held *HeldError
	if _, err := Lock(path); !errors.As(err, &held) || held.Path != path || len(held.Text) != longestText || !strings.HasPrefix(held.Text, "7 x") {
		t.Errorf("a second Lock: %T with %d bytes", err, len(held.Text))
	}
	Unlock(lock)
	if isThere(path) {
		t.Error("it is left")
	}
	again, err := Lock(path)
	noError(t, err)
	Unlock(again)
}

// What others may have put there is no lock.
func TestLockOfAnotherKind(t *testing.T) {
	for name, test := range map[string]struct {
		make func(path string) error
		want string
	}{
		"a link": {func(path string) error { return os.Symlink(path+".target", path) }, "symbolic link"},
		"a file with two names": {func(path string) error {
			return errors.Join(os.WriteFile(path+".target", []byte("kept"), 0o600), os.Link(path+".target", path))
		}, "has another name"},
		"a FIFO": {func(path string) error { return unix.Mkfifo(path, 0o600) }, "no regular file"},
		"of another user": {func(path string) error {
			return errors.Join(os.WriteFile(path, []byte("kept"), 0o666), os.Chown(path, 65534, 65534))
		}, "belongs to user 65534"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "of another user" && os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			path := filepath.Join(shortDir(t), "s.lock")
			noError(t, test.make(path))
			lock, err := Lock(path)
			if err == nil {
				lock.Close()
			}
			if !errors.Is(err, unix.ELOOP) && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if text, err := os.ReadFile(path + ".target"); err == nil && string(text) != "kept" {
				t.Errorf("the other name has %q", text)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	dir := shortDir(t)
	t.Chdir(dir)
	noError(t, errors.Join(os.Mkdir("a", 0o700), os.Mkdir("b", 0o700), os.Symlink("a", "link")))
	want, err := Identity(filepath.Join(dir, "a", "s"))
	noError(t, err)
	for path, same := range map[string]bool{"a/s": true, "link/s": true, "./b/../a/s": true, dir + "/link/s": true, "b/s": false, "a/t": false} {
		if got, err := Identity(path); err != nil || (got == want) != same {
			t.Errorf("%s is %s, %v, and a/s is %s", path, got, err, want)
		}
	}
	if len(want) != 16 {
		t.Errorf("it is %q", want)
	}
	if id, err := Identity("none/s"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where no directory is: %s, %v", id, err)
	}
}

// The mode is right without a change after the socket has a name, whatever the mask.
func TestListenPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(shortDir(t), "s")
	l, err := ListenPrivate(path)
	noError(t, err)
	defer l.Close()
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm()&0o177 != 0 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if mask := syscall.Umask(0); mask != 0 {
		t.Errorf("the mask is %#o", mask)
	}
	conn, err := net.Dial("unix", path)
	noError(t, err)
	conn.Close()
	if _, err := ListenPrivate(path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second one: %v", err)
	}
}

func TestCheckDirectory(t *testing.T) {
	dir := shortDir(t)
	for mode, ok := range map[os.FileMode]bool{0o755: true, 0o775: true, 0o777: false, 0o777 | os.ModeSticky: true} {
		noError(t, os.Chmod(dir, mode))
		if err := CheckDirectory(dir); (err == nil) != ok {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

func TestCheckLength(t *testing.T) {
	for more, ok := range map[int]bool{0: true, 1: false} {
		err := CheckLength(strings.Repeat("x", MaxPath+more))
		if (err == nil) != ok {
			t.Errorf("%d bytes: %v", MaxPath+more, err)
		}
		if want := fmt.Sprintf("has %d bytes, and this system takes %d", MaxPath+1, MaxPath); err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
