//go:build unix

package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lastcall-go/lastcall/internal/unixsocket"
)

const elsewhere = "; choose another place with --socket or LASTCALL_SOCKET"

// acquire takes the lock that the file at path is, or returns a LiveError.
func acquire(path string) (*os.File, error) {
	lock, err := unixsocket.Lock(path)
	if held := (*unixsocket.HeldError)(nil); errors.As(err, &held) {
		return nil, holder(held.Text)
	}
	return lock, err
}

func sign(lock *os.File, text string) error       { return unixsocket.Sign(lock, text) }
func release(lock *os.File)                       { unixsocket.Unlock(lock) }
func identity(path string) (id string, err error) { return unixsocket.Identity(path) }

// checkDirectory reports whether others could put a socket of their own in the place of one in dir.
func checkDirectory(dir string) error {
	if err := unixsocket.CheckDirectory(dir); err != nil {
		return fmt.Errorf("%w: this is no place for the control socket%s", err, elsewhere)
	}
	return nil
}

// longestFile is how much of a path is shown that a lock has: it may be another program's.
const longestFile = 1024

// holder is the LiveError for the one who holds a lock with this text.
func holder(text string) error {
	pid, file, ok := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
	n, err := strconv.Atoi(pid)
	if !ok || err != nil || n <= 0 || len(file) > longestFile || strings.ContainsAny(file, "\n\x00") {
		return &LiveError{}
	}
	return &LiveError{PID: n, File: file}
}

// bind makes the socket, with the lock held.
func bind(path string) (*net.UnixListener, error) {
	switch err := unixsocket.RemoveStale("unix", path); {
	case errors.Is(err, unixsocket.ErrNoSocket):
		return nil, fmt.Errorf("%s is in the way of the control socket and is no socket%s", path, elsewhere)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is served by another program%s", path, elsewhere)
	case err != nil:
		return nil, fmt.Errorf("%s: %w%s", path, err, elsewhere)
	}
	return unixsocket.ListenPrivate(path)
}
