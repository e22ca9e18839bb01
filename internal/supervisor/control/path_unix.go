//go:build unix

package control

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/internal/unixsocket"
)

// maxPath is how long the path of a socket may be, without the zero byte at its end.
const maxPath = unixsocket.MaxPath

// isOwn is nil if path is a directory of this user.
func isOwn(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is not a directory of this user's own; remove it, or choose another place with --socket or LASTCALL_SOCKET", path)
	}
	return nil
}

// isPrivate is nil if nobody else can put anything into the directory, or reach what is in it.
func isPrivate(dir string) error {
	if err := isOwn(dir); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s can be entered by others (mode %#o); chmod 700 %s", dir, info.Mode().Perm(), dir)
	}
	return err
}

// writable reports whether this process may make something in the directory.
func writable(dir string) bool { return unix.Access(dir, unix.W_OK) == nil }
