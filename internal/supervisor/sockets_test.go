//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

// echo is a child that answers on the sockets that it was given with their names, its number and what it was sent.
func echo() {
	for i, name := range strings.Split(os.Getenv("LISTEN_FDNAMES"), ":") {
		file := os.NewFile(uintptr(3+i), name)
		answer := func(question []byte) []byte { return fmt.Appendf(nil, "%s %d %s", name, os.Getpid(), question) }
		if ln, err := net.FileListener(file); err == nil && name != "gram" { // for which net does not see that it is none
			go func() {
				for {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					question, _ := io.ReadAll(conn)
					_, _ = conn.Write(answer(question))
					conn.Close()
				}
			}()
			continue
		}
		conn, err := net.FilePacketConn(file)
		if err != nil {
			fmt.Println(name, err)
			os.Exit(1)
		}
		go func() {
			for buf := make([]byte, 1000); ; {
				n, from, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = conn.WriteTo(answer(buf[:n]), from)
			}
		}()
	}
	fmt.Println("serving")
	select {}
}

// ask is what is answered.
func ask(t *testing.T, network, address, question string) string {
	t.Helper()
	var conn net.Conn
	var err error
	if network == "unixgram" { // the answer needs an address
		conn, err = net.DialUnix(network, &net.UnixAddr{Name: address + "-asks", Net: network}, &net.UnixAddr{Name: address, Net: network})
		defer os.Remove(address + "-asks")
	} else {
		conn, err = net.Dial(network, address)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte(question)); err != nil {
		t.Fatal(err)
	}
	if c, ok := conn.(interface{ CloseWrite() error }); ok && network != "unixgram" {
		_ = c.CloseWrite()
	}
	buf := make([]byte, 1000)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// A socket that systemd passed on is its own: it stays open for the next start, whatever happens to what serves it here.
func TestPassedSocketsStayOpen(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	listeners := []config.Listener{{Name: "http", Network: "tcp", Address: "127.0.0.1:1"}}
	s := newSockets()
	s.passed["http"] = file
	if err := s.open("web", listeners); err != nil {
		t.Fatal(err)
	}
	if of, err := s.of(listeners); err != nil || len(of) != 1 || of[0].File != file {
		t.Errorf("it serves %+v, %v", of, err)
	}
	s.runs(listeners)
	s.letGo(listeners)
	s.ended(listeners, true)
	s.keep(nil)
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatalf("who connects now is refused: %v", err)
	}
	conn.Close()
	if flags, err := unix.FcntlInt(file.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_APPEND != 0 {
		t.Errorf("the file is closed (%v), or those who serve it were told to let go: flags %#x", err, flags)
	}
}

// Sockets of all kinds are held: while one instance takes the place of another they stay, and in the end those in the file system
// are removed. One that is left there by somebody who was killed is no hindrance.
func TestListen(t *testing.T) {
	dir, err := os.MkdirTemp("", "l") // short, for the sockets' paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := udp.LocalAddr().String()
	udp.Close()
	listeners := []config.Listener{
		{Name: "tcp", Network: "tcp", Address: freeAddress(t)},
		{Name: "udp", Network: "udp", Address: free},
		{Name: "unix", Network: "unix", Address: dir + "/stream"},
		{Name: "gram", Network: "unixgram", Address: dir + "/gram"},
	}
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: dir + "/stream", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()

	exe, _ := os.Executable()
	u := start(t, fileOf(t, &config.Process{
		Name: "web", Command: config.Command{Args: []string{exe}}, Instances: 1, Env: []string{childVariable + "=echo"},
		Listen: listeners, Ready: config.Ready{Log: "^serving$", Within: patience},
	}))
	u.await("all 1 ready")
	first := u.ps()["web"].PID
	for range 2 {
		pid := u.ps()["web"].PID
		for _, l := range listeners {
			if answer, want := ask(t, l.Network, l.Address, "hello"), fmt.Sprintf("%s %d hello", l.Name, pid); answer != want {
				t.Errorf("%s: %q, want %q", l.Network, answer, want)
			}
		}
		if err := u.Restart(t.Context(), nil, new(said).add); err != nil {
			t.Fatal(err)
		}
	}
	if u.ps()["web"].PID == first {
		t.Error("nothing was restarted")
	}
	if status := u.end(syscall.SIGTERM); status != 0 {
		t.Errorf("status %d, %v", status, u.err)
	}
	for _, l := range listeners[2:] {
		if _, err := os.Lstat(l.Address); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", l.Address, err)
		}
	}
}

// What somebody else serves, or what is no socket, is left alone.
func TestListenWhereSomethingIs(t *testing.T) {
	path := t.TempDir() + "/s"
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(config.Listener{Network: "unix", Address: path}); err == nil || err.Error() != "something that is no socket is there already" {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); string(text) != "kept" {
		t.Error(err)
	}
	os.Remove(path)
	for _, network := range []string{"unix", "unixgram"} {
		other, err := listen(config.Listener{Network: network, Address: path})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := listen(config.Listener{Network: network, Address: path}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: %v", network, err)
		}
		other.drop()
	}
}

// A live server whose queue is full keeps its socket; so does another lastcall up, also where connections are refused, which holds the
// lock. A path that is too long is said to be.
func TestListenWhereSomethingLives(t *testing.T) {
	dir, err := os.MkdirTemp("", "l")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := dir + "/s"
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		defer conn.Close()
	}
	if _, err := listen(config.Listener{Network: "unix", Address: path}); runtime.GOOS == "linux" && !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("with a full queue: %v", err)
	}
	if _, err := os.Lstat(path); runtime.GOOS == "linux" && err != nil {
		t.Errorf("with a full queue: %v", err)
	}
	unix.Close(fd)

	h, err := listen(config.Listener{Network: "unix", Address: path})
	if err != nil {
		t.Fatal(err)
	}
	h.file.Close() // connections are refused
	if _, err := listen(config.Listener{Network: "unix", Address: path}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("with the lock held: %v", err)
	}
	os.Remove(path)
	other, err := net.Listen("unix", path) // it has taken its place
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	h.drop()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("another's socket was removed: %v", err)
	}
	if _, err := os.Lstat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock is left: %v", err)
	}

	long := dir + "/" + strings.Repeat("x", 200)
	if _, err := listen(config.Listener{Network: "unix", Address: long}); err == nil || !strings.Contains(err.Error(), "its path has ") {
		t.Errorf("with a long path: %v", err)
	}
}

// With the last instance for good the descriptor is closed, since on the BSDs a socket that has been shut down still listens.
func TestSocketsRefuseAfterTheLast(t *testing.T) {
	s := &sockets{held: map[config.Listener]*held{}, passed: map[string]*os.File{}}
	l := config.Listener{Name: "web", Network: "tcp", Address: "127.0.0.1:0"}
	if err := s.open("web", []config.Listener{l}); err != nil {
		t.Fatal(err)
	}
	listeners := []config.Listener{l}
	h := s.find(l)
	s.runs(listeners)
	s.runs(listeners)
	s.ended(listeners, true)
	if _, err := h.file.Stat(); err != nil {
		t.Errorf("it is closed while an instance runs: %v", err)
	}
	s.ended(listeners, true)
	if _, err := h.file.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("it is open after the last: %v", err)
	}
	s.keep(nil)
}
