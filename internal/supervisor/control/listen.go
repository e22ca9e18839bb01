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

	door door
	lock *os.File
}

// door lets in this user and root.
type door struct{ *net.UnixListener }

// Listen makes the socket at path, for what is run from file. Of several processes that do so at the same time one
// succeeds, and the others get a [LiveError], until the one has ended or its [Server] has closed. A socket that one left
// behind that died is replaced. Only this user and root may connect.
func Listen(path, file string) (*Listener, error) {
	if err := checkLength(path); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if slices.Contains(directories(), dir) { // somebody else may have made it since Path looked
		if err := isPrivate(dir); err != nil {
			return nil, err
		}
	}
	lock, err := acquire(path + ".lock")
	if err != nil {
		return nil, err
	}
	l := &Listener{lock: lock}
	if _, err := os.Lstat(path); err == nil {
		l.Replaced = true
	}
	if l.door.UnixListener, err = bind(path); err == nil {
		err = l.sign(file)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// bind makes the socket, with the lock held.
func bind(path string) (*net.UnixListener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s is in the way of the control socket and is no socket; choose another place with --socket or LASTCALL_SOCKET", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil { // who connects before that is turned away at the door
		socket.Close()
		return nil, err
	}
	return socket, nil
}

// sign writes into the lock whose it is.
func (l *Listener) sign(file string) error {
	if err := l.lock.Truncate(0); err != nil {
		return err
	}
	_, err := l.lock.WriteAt(fmt.Appendf(nil, "%d %s\n", os.Getpid(), file), 0)
	return err
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
	os.Remove(l.lock.Name()) // while it is held: who opens the next one finds another file
	l.lock.Close()
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
