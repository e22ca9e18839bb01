//go:build unix

package unixsocket

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// MaxPath is how long the path of a socket may be, without the zero byte at its end: 107 bytes on Linux, 103 elsewhere.
const MaxPath = len(unix.RawSockaddrUnix{}.Path) - 1

// CheckLength reports whether the system takes a socket with this path.
func CheckLength(path string) error {
	if len(path) <= MaxPath {
		return nil
	}
	return fmt.Errorf("the path of the socket has %d bytes, and this system takes %d: %s", len(path), MaxPath, path)
}

// Identity is an id of a place in the file system, whatever path leads to it: the same for a relative and an absolute path, and for one
// through a link, and different for two sockets of the same name in two directories. The directory must be there.
func Identity(path string) (string, error) {
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	stat, ok := dir.Sys().(*syscall.Stat_t)
	if !ok {
		return "", errors.ErrUnsupported
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%d:%d:%s", stat.Dev, stat.Ino, filepath.Base(path))))[:16], nil
}

// CheckDirectory reports whether others may replace what this user makes in a directory: anyone can write to it, and it is not sticky.
func CheckDirectory(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		err = fmt.Errorf("every user can replace what is in %s (mode %#o)", dir, info.Mode().Perm())
	}
	return err
}

// ErrNoSocket says that something else is at the path of a socket.
var ErrNoSocket = errors.New("something that is no socket is there already")

// RemoveStale removes the socket at path if it is left from a process that has ended. The caller holds its lock, where its users have
// one. It is stale only if the system refuses connections: a server whose queue is full, one of another type, and one that this process
// may not connect to are alive, or cannot be told from one that is. Nothing at the path is no error.
func RemoveStale(network, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return ErrNoSocket
	}
	conn, err := net.Dial(network, path)
	switch {
	case err == nil:
		conn.Close()
		return syscall.EADDRINUSE
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EPROTOTYPE):
		return syscall.EADDRINUSE
	}
	return fmt.Errorf("a socket is there already, and whether a process serves it cannot be seen: %w", innermost(err))
}

func innermost(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// abstract reports whether a path is none: Linux has sockets outside the file system.
func abstract(path string) bool { return strings.HasPrefix(path, "@") }

// InFileSystem reports whether a socket of this network and address is a file.
func InFileSystem(network, address string) bool {
	return strings.HasPrefix(network, "unix") && address != "" && !abstract(address)
}
