package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

var errNotSupported = errors.New("a control socket is not supported on " + runtime.GOOS)

// Listener is the socket of a supervisor, with the lock that says that the supervisor is alive.
type Listener struct {
	// Replaced: one that died without an end had left its socket, and perhaps more.
	Replaced bool
	// ID is that of the socket's place, whatever path leads there. Of all that have the same ID one is alive at a time.
	ID string

	door  door
	lock  *os.File
	alias string // a link to the socket; "" if there is none
}

// door lets in this user and root.
type door struct{ *net.UnixListener }

// Listen makes the socket at path, for what is run from file. Of several processes that do so at the same time, by whatever path to the
// same place, one succeeds, and the others get a [LiveError], until the one has ended or its [Server] has closed. A socket that one left
// behind that died is replaced; one that something else serves is not. Only this user and root may connect.
func Listen(path, file string) (*Listener, error) {
	if err := checkLength(path); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	own := slices.Contains(directories(), dir)
	if own { // another user may have made it since Path looked
		if err := isPrivate(dir); err != nil {
			return nil, err
		}
	}
	l := new(Listener)
	if err := l.take(path, file); err != nil {
		l.Close()
		return nil, err
	}
	if own {
		l.addAlias(path, file)
	}
	return l, nil
}

// take takes the lock, and makes the socket.
func (l *Listener) take(path, file string) (err error) {
	if err = checkDirectory(filepath.Dir(path)); err != nil {
		return err
	}
	if l.lock, err = acquire(path + ".lock"); err != nil {
		return err
	}
	if l.ID, err = identity(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		l.Replaced = true
	}
	if l.door.UnixListener, err = bind(path); err != nil {
		return err
	}
	return sign(l.lock, fmt.Sprintf("%d %s\n", os.Getpid(), file))
}

// addAlias makes a link to the socket by the name that it would have if the links in the file's path were not followed: who comes by
// the same path finds it also when the links lead elsewhere by then.
func (l *Listener) addAlias(path, file string) {
	alias, err := name(filepath.Dir(path), file)
	if err != nil || alias == path {
		return
	}
	if info, err := os.Lstat(alias); err == nil && info.Mode().Type() == fs.ModeSymlink {
		os.Remove(alias) // of one that died
	}
	if os.Symlink(filepath.Base(path), alias) == nil {
		l.alias = alias
	}
}

// Accept returns the next connection, and closes those of others.
func (d door) Accept() (net.Conn, error) {
	for {
		conn, err := d.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if uid, err := peer(conn); err == nil && (uid == 0 || uid == os.Geteuid()) {
			return conn, nil
		}
		conn.Close()
	}
}

// Close takes the socket away, and lets another supervisor listen. After [Serve], the Server does that.
func (l *Listener) Close() {
	if l.door.UnixListener != nil {
		l.door.Close()
	}
	if l.alias != "" {
		os.Remove(l.alias)
	}
	if l.lock != nil {
		release(l.lock)
	}
}

// LiveError is a supervisor that is alive and has the socket.
type LiveError struct {
	PID  int    // 0 if it has not said
	File string // likewise ""
}

// Error says who it is and how to stop it.
func (e *LiveError) Error() string {
	text := "lastcall up is already running"
	if e.File != "" {
		text += " for " + e.File
	}
	if e.PID != 0 {
		text += fmt.Sprintf(" (pid %d)", e.PID)
	}
	return text + "; lastcall down stops it"
}
