package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serviceManager is what systemd is for lastcall up: it listens at NOTIFY_SOCKET.
type serviceManager struct {
	*testing.T
	conn *net.UnixConn
	seen []string
}

func newServiceManager(t *testing.T, path string) *serviceManager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &serviceManager{T: t, conn: conn}
}

// hears waits for a message with this assignment, and returns all that is in it.
func (m *serviceManager) hears(assignment string) map[string]string {
	m.Helper()
	_ = m.conn.SetReadDeadline(time.Now().Add(patience))
	for buf := make([]byte, 4096); ; {
		n, err := m.conn.Read(buf)
		if err != nil {
			m.Fatalf("no message with %s: %v; it heard %q", assignment, err, m.seen)
		}
		m.seen = append(m.seen, string(buf[:n]))
		said := map[string]string{}
		for line := range strings.Lines(string(buf[:n])) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			said[name] = value
		}
		if name, value, _ := strings.Cut(assignment, "="); said[name] == value {
			return said
		}
	}
}

func monotonicUsec(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

// lastcall up speaks the protocol of systemd with whoever started it: Type=notify-reload, WatchdogSec, held sockets. Its children
// have none of that, but what the file gives them.
func TestUpUnderAServiceManager(t *testing.T) {
	dir, err := os.MkdirTemp("", "n") // short, for the sockets' paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	manager := newServiceManager(t, filepath.Join(dir, "notify"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var socket unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &socket); err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "lastcall.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const web = `grace: 7s
processes:
  web:
    command: |
      echo "has $LISTEN_FDS $LISTEN_FDNAMES $(readlink /proc/$$/fd/3)"
      echo "notify <$NOTIFY_SOCKET> watchdog <$WATCHDOG_USEC$WATCHDOG_PID>"
      trap 'exit 0' TERM; echo there; while :; do sleep 0.05; done
    listen: { http: "127.0.0.1:1" }
    ready: { log: there }
`
	write(web)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "lastcall")); err != nil {
		t.Fatal(err)
	}
	cmd := command("sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec ./lastcall up --socket s`)
	cmd.Path, cmd.Dir = "/bin/sh", dir
	cmd.ExtraFiles = []*os.File{file}
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "LISTEN_FDS=1", "LISTEN_FDNAMES=http", "WATCHDOG_USEC=200000")
	began := time.Now()
	s := start(t, cmd)
	s.await(fmt.Sprintf("has 1 http socket:[%d]", socket.Ino), "notify <> watchdog <>")

	ready := manager.hears("READY=1")
	if ready["MAINPID"] != strconv.Itoa(cmd.Process.Pid) || ready["STATUS"] != "1 process ready" {
		t.Errorf("it says %q", ready)
	}
	beats := 0
	for ; beats < 4; beats++ {
		manager.hears("WATCHDOG=1")
	}
	if took := time.Since(began); took < time.Duration(beats)*100*time.Millisecond {
		t.Errorf("%d beats came in %v, and one is to come each 100ms", beats, took)
	}

	for _, reload := range []struct{ file, status string }{
		{web + "  more: { command: exec sleep 1000 }\n", "reloaded"},
		{"nonsense: 1\n", "not everything was reloaded: "},
	} {
		write(reload.file)
		before := monotonicUsec(t)
		s.signal(syscall.SIGHUP)
		said := manager.hears("RELOADING=1")
		at, err := strconv.ParseInt(said["MONOTONIC_USEC"], 10, 64)
		if err != nil || at < before || at > monotonicUsec(t) {
			t.Errorf("it says %q, between %d and %d", said, before, monotonicUsec(t))
		}
		if said := manager.hears("READY=1"); !strings.HasPrefix(said["STATUS"], reload.status) {
			t.Errorf("after the reload it says %q, not %q", said, reload.status)
		}
	}

	s.signal(syscall.SIGTERM)
	said := manager.hears("STOPPING=1")
	if usec, err := strconv.ParseInt(said["EXTEND_TIMEOUT_USEC"], 10, 64); err != nil || usec < 7_000_000 || usec > 60_000_000 || said["STATUS"] != "stopping: SIGTERM" {
		t.Errorf("it says %q", said)
	}
	if status, died := s.end(); status != 0 || died != 0 {
		t.Errorf("status %d, %v in\n%s", status, died, s.output())
	}
	// The socket is not its own: it stays.
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if _, err := os.Lstat(filepath.Join(dir, "s")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its control socket is left: %v", err)
	}
}
