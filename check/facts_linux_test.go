package check

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

func TestStatFields(t *testing.T) {
	const rest = " S 1 2 3 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0"
	for text, want := range map[string]string{
		"1 (init)" + rest:               "init",
		"1 ()" + rest:                   "",
		"1 (a b) c)" + rest:             "a b) c",
		"1 (()" + rest:                  "(",
		"1 ()) S 9 9 9)" + rest:         ")) S 9 9 9",
		"1 (new\nline (x) \xff)" + rest: "new\nline (x) \xff",
	} {
		name, fields, ok := statFields([]byte(text))
		if !ok || name != want || fields[0] != "S" || fields[1] != "1" || fields[19] != "4711" {
			t.Errorf("%q: %q, %q, %v", text, name, fields, ok)
		}
	}
	for _, text := range []string{"", "1", "1 (x", "1 x)" + rest, "1 )(" + rest, "1 (x) S 1 2"} {
		if name, fields, ok := statFields([]byte(text)); ok {
			t.Errorf("%q: %q, %q", text, name, fields)
		}
	}
}

// A process that chose an odd name is still seen for what it is.
func TestOddName(t *testing.T) {
	odd := filepath.Join(t.TempDir(), "x) R 1 (y")
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(odd, text, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(odd)
	cmd.Env = lifeEnv("wait")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	p, ok := lookAt(cmd.Process.Pid)
	if !ok || p.Name != filepath.Base(odd) || p.Parent != os.Getpid() || p.Group != syscall.Getpgrp() {
		t.Errorf("%+v, %v", p, ok)
	}
	await(t, "it is among the descendants", func() bool {
		return slices.ContainsFunc(descendants(os.Getpid()), func(d proc) bool { return d.PID == p.PID })
	})
}

func TestHexAddr(t *testing.T) {
	if runtime.GOARCH == "s390x" || runtime.GOARCH == "ppc64" || runtime.GOARCH == "mips" || runtime.GOARCH == "mips64" {
		t.Skip("the texts are those of a machine whose words begin with their last byte")
	}
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0016":                         "0.0.0.0:22",
		"00000000000000000000000000000000:0050": "[::]:80",
		"00000000000000000000000001000000:01BB": "[::1]:443",
		"0000000000000000FFFF00000100007F:0050": "127.0.0.1:80",
		"B80D01200000000000000000010000FE:0001": "[2001:db8::fe00:1]:1",
	} {
		if got := hexAddr(text); got != netip.MustParseAddrPort(want) {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "0100007F", "0100007F:", "0100007F:1F901", "01:50", "x:y"} {
		if got := hexAddr(text); got.Addr().IsValid() && got.Port() != 0 {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestParseDiag(t *testing.T) {
	b := make([]byte, diagAnswer)
	b[0] = syscall.AF_INET
	copy(b[4:], []byte{0x1f, 0x90})
	copy(b[6:], []byte{0x1f, 0x91})
	copy(b[8:], []byte{127, 0, 0, 1})
	copy(b[24:], []byte{127, 0, 0, 2})
	b[1] = 8
	l, ok := parseDiag(b)
	if !ok || l.local != netip.MustParseAddrPort("127.0.0.1:8080") || l.remote != netip.MustParseAddrPort("127.0.0.2:8081") || l.state != closeWaitState {
		t.Errorf("%+v, %v", l, ok)
	}
	if _, ok := parseDiag(b[:diagAnswer-1]); ok {
		t.Error("too short an answer counts")
	}
	if b[0] = 99; true {
		if _, ok := parseDiag(b); ok {
			t.Error("an answer of another family counts")
		}
	}
}

// The kernel and /proc tell the same of listening sockets: addresses, inodes, and how many wait in the queue.
func TestListeners(t *testing.T) {
	one, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	two, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	raw := listening([]proc{{PID: os.Getpid()}})
	for _, l := range []net.Listener{one, two} {
		addr := l.Addr().(*net.TCPAddr).AddrPort()
		if !slices.ContainsFunc(raw, func(s socket) bool {
			return s.Addr.Port() == addr.Port() && s.PID == os.Getpid() && s.Addr.Addr() == addr.Addr().Unmap()
		}) {
			t.Errorf("%v is not in %v", addr, raw)
		}
		if _, ok := listens(os.Getpid(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addr.Port())); !ok {
			t.Errorf("nobody listens on %v", addr)
		}
	}
	if _, ok := listens(os.Getpid(), netip.MustParseAddrPort("127.0.0.2:"+strconv.Itoa(one.Addr().(*net.TCPAddr).Port))); ok {
		t.Error("it listens on another address as well")
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 8); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(name.(*syscall.SockaddrInet4).Port)
	for want := range 3 {
		await(t, strconv.Itoa(want)+" wait in the queue", func() bool { return queued(os.Getpid(), port) == want })
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(int(port)))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	asked, ok := diagnose(listenState)
	if !ok {
		t.Skip("the kernel does not answer sock_diag here")
	}
	for _, l := range asked {
		if l.local.Port() != port {
			continue
		}
		found := false
		eachLine("/proc/net/tcp", func(fields []string) bool {
			found = found || len(fields) > 9 && fields[9] == l.inode && hexAddr(fields[1]) == l.local && fields[4] == "00000000:0000000"+strconv.Itoa(int(l.unread))
			return true
		})
		if !found {
			t.Errorf("/proc/net/tcp has no %+v", l)
		}
		return
	}
	t.Errorf("port %d is not in %v", port, asked)
}

// Go's runtime catches everything; that is no handler.
func TestCatches(t *testing.T) {
	for _, test := range []struct {
		command []string
		life    string
		want    bool
	}{
		{[]string{os.Args[0]}, "wait", false}, // a handler in Go looks as none
		{[]string{"/bin/sh", "-c", "trap : TERM; echo; while :; do sleep 1; done"}, "", true},
		{[]string{"/bin/sh", "-c", "echo; exec sleep 1000"}, "", false},
	} {
		cmd := exec.Command(test.command[0], test.command[1:]...)
		cmd.Env = os.Environ()
		if test.life != "" {
			cmd.Env = lifeEnv(test.life)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if test.life == "" {
			_, _ = out.Read(make([]byte, 1))
		}
		if test.want {
			await(t, "it has a handler", func() bool { is, _ := catches(cmd.Process.Pid, syscall.SIGTERM); return is })
		} else if is, maybe := catches(cmd.Process.Pid, syscall.SIGTERM); is || maybe && test.life == "" {
			t.Errorf("%q has a handler", test.command)
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}
}

// A leader that has ended before its threads is no zombie.
func TestZombie(t *testing.T) {
	b := []byte("1 (x) Z 1 2 3 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 2 0 4711 0 0")
	name, fields, ok := statFields(b)
	if p := procOf(1, name, fields); !ok || p.Zombie {
		t.Errorf("%+v: it has two threads", p)
	}
	fields[17] = "1"
	if p := procOf(1, name, fields); !p.Zombie {
		t.Errorf("%+v: it has one", p)
	}
}
