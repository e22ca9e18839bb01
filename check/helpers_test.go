//go:build unix

package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/internal/testsignals"
)

// lifeVariable makes the test binary a daemon: it has the name of one of lives. Whatever it needs besides is in its arguments.
const lifeVariable = "LASTCALL_TEST_LIFE"

// eventually is how long is waited for what comes at once on a machine that is not busy.
const eventually = 2 * time.Minute

var lives = map[string]func(args []string){
	"serve": func(args []string) { serve(args, nil, nil) },
	"https": func(args []string) { serve(args, certificate(), nil) },
	"h2c": func(args []string) {
		p := new(http.Protocols)
		p.SetHTTP1(true)
		p.SetUnencryptedHTTP2(true)
		serve(args, nil, p)
	},
	"slow":    slow,
	"opens":   opens,
	"wait":    func([]string) { <-stopSignal() },
	"forced":  forced,
	"hang":    func([]string) { signal.Ignore(syscall.SIGTERM, syscall.SIGINT); select {} },
	"die":     func(args []string) { fmt.Println(args[0]); os.Exit(7) },
	"late":    late,
	"listen":  listen,
	"tell":    tell,
	"busy":    busy,
	"threads": threads,
	"flood":   flood,
	"child":   child,
	"family":  family,
	"bomb":    bomb,
	"checker": checker,
	"facts":   facts,
	"warming": warming, "answers late": answersLate,
	"wrapper": wrapper, "ports": ports, "streams": streams, "slowly": slowly, "reraise": reraise, "peculiar": peculiar,
}

func init() {
	if name, ok := os.LookupEnv(lifeVariable); ok {
		lives[name](os.Args[1:])
		os.Exit(0)
	}
}

func TestMain(m *testing.M) {
	testset.TheyWait()
	testsignals.Default()
	os.Exit(m.Run())
}

func stopSignal() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	return c
}

// life is a check of one of lives. Its scenarios are term, unless others are given.
func lifeOf(name string, args ...string) *Check {
	return &Check{Command: append([]string{os.Args[0]}, args...), Env: lifeEnv(name), Only: []string{"term"}, Grace: eventually}
}

func lifeEnv(name string) []string { return append(os.Environ(), lifeVariable+"="+name) }

// run runs a check that must come to its end.
func run(t *testing.T, c *Check) *Report {
	t.Helper()
	report, err := c.Run(t.Context())
	if err != nil {
		output := ""
		if e := (*StartError)(nil); errors.As(err, &e) {
			output = e.Output
		}
		t.Fatalf("Run: %v\n%s", err, output)
	}
	if err := validate(t, written(t, "json", report)); err != nil {
		t.Errorf("the report is not what the schema says: %v", err)
	}
	return report
}

// runFails runs a check whose daemon must not become ready.
func runFails(t *testing.T, c *Check) *StartError {
	t.Helper()
	report, err := c.Run(t.Context())
	var e *StartError
	if !errors.As(err, &e) {
		t.Fatalf("Run: %v, want a *StartError", err)
	}
	if report.Output != e.Output || report.Error == "" {
		t.Errorf("the report has the error %q and the output %q, Run has %q", report.Error, report.Output, e.Output)
	}
	return e
}

// result is that of one scenario.
func (r *Report) result(t *testing.T, scenario string) *Result {
	t.Helper()
	for i := range r.Results {
		if r.Results[i].Scenario == scenario {
			return &r.Results[i]
		}
	}
	t.Fatalf("no result of %s in %v", scenario, r.Results)
	return nil
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s is %q, want %q in it", what, text, part)
		}
	}
}

// freePort is a port of the loopback interface that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await waits until something is so.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for limit := time.Now().Add(eventually); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("after %v not yet: %s", eventually, what)
		}
	}
}

func onLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("this looks at processes, which only Linux shows")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	return v
}

// serve answers on the addresses in args until it is told to stop.
func serve(addrs []string, config *tls.Config, p *http.Protocols) {
	stop := stopSignal()
	s := &http.Server{TLSConfig: config, Protocols: p, ErrorLog: nil, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, "ok")
	})}
	for _, addr := range addrs {
		network, addr, ok := strings.Cut(addr, "=")
		if !ok {
			network, addr = "tcp", network
		}
		l := must(net.Listen(network, addr))
		if config != nil {
			go s.ServeTLS(l, "", "")
		} else {
			go s.Serve(l)
		}
	}
	<-stop
	_ = s.Shutdown(context.Background())
}

// forced works for a while at its stop, which a second signal ends with exit code 4.
func forced([]string) {
	stop := stopSignal()
	<-stop
	select {
	case <-stop:
		os.Exit(4)
	case <-time.After(3 * time.Second):
	}
}

// slow listens on args[0] only after it has slept for args[1].
func slow(args []string) {
	time.Sleep(must(time.ParseDuration(args[1])))
	serve(args[:1], nil, nil)
}

// opens listens on args[0], and has a handler and serves only after somebody has come and been sent away.
func opens(args []string) {
	l := must(net.Listen("tcp", args[0]))
	must(l.Accept()).Close()
	stop := stopSignal()
	var s http.Server
	go s.Serve(l)
	<-stop
	_ = s.Shutdown(context.Background())
}

// late answers 503 on args[0] to so many requests as args[1] says.
func late(args []string) {
	n, stop := must(strconv.Atoi(args[1])), stopSignal()
	go http.ListenAndServe(args[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n--; n >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	<-stop
}

// listen only listens, and accepts nobody.
func listen(args []string) {
	stop := stopSignal()
	network, addr, _ := strings.Cut(args[0], "=")
	_ = must(net.Listen(network, addr))
	<-stop
}

// tell writes args[0], without a new line if there is an args[1], and is ready for the service manager.
func tell(args []string) {
	stop := stopSignal()
	fmt.Print(args[0])
	if len(args) == 1 {
		fmt.Print("\r\n")
	}
	if name := os.Getenv("NOTIFY_SOCKET"); name != "" {
		conn := must(net.Dial("unixgram", name))
		must(conn.Write([]byte("STATUS=almost\n")))
		must(conn.Write([]byte("STATUS=up\nREADY=1\n")))
	}
	<-stop
}

// busy is never quiet.
func busy([]string) {
	stop := stopSignal()
	for len(stop) == 0 {
	}
}

// threads has so many threads as args[0] says, each of which sleeps in a system call, and listens on args[1].
func threads(args []string) {
	stop := stopSignal()
	n := must(strconv.Atoi(args[0]))
	for range n {
		up := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			var ends [2]int
			must(0, syscall.Pipe(ends[:]))
			close(up)
			_, _ = syscall.Read(ends[0], make([]byte, 1))
		}()
		<-up
	}
	_ = must(net.Listen("tcp", args[1]))
	<-stop
	time.Sleep(must(time.ParseDuration(args[2])))
}

// flood writes for ever, in lines if there are args, and listens on args[0] as soon as it has written much.
func flood(args []string) {
	stop := stopSignal()
	text := strings.Repeat("x", 32<<10)
	go func() {
		for i := 0; ; i++ {
			if _, err := os.Stdout.WriteString(text); err != nil {
				return
			}
			if i == 100 {
				fmt.Println("\nup")
				_ = must(net.Listen("tcp", args[0]))
			}
		}
	}()
	<-stop
}

// child writes a file with its number's name in the directory args[0], and does nothing until it is killed.
func child(args []string) {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	must(0, os.WriteFile(filepath.Join(args[0], strconv.Itoa(os.Getpid())), nil, 0o666))
	select {}
}

// spawn starts one of lives.
func spawn(name string, sys *syscall.SysProcAttr, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = lifeEnv(name)
	cmd.SysProcAttr = sys
	must(0, cmd.Start())
	return cmd
}

// familySize is how many processes a family is.
const familySize = 5

// family has a child, one in a session of its own, an orphan in a session of its own, and a child without the environment. It
// listens on args[1].
func family(args []string) {
	switch {
	case len(args) == 3: // in between
		spawn("child", &syscall.SysProcAttr{Setsid: true}, args[0])
		return
	default:
		stop := stopSignal()
		must(0, os.WriteFile(filepath.Join(args[0], strconv.Itoa(os.Getpid())), nil, 0o666))
		spawn("child", nil, args[0])
		spawn("child", &syscall.SysProcAttr{Setsid: true}, args[0])
		must(0, spawn("family", nil, args[0], args[1], "between").Wait())
		cmd := exec.Command(os.Args[0], args[0])
		cmd.Env = []string{lifeVariable + "=child"}
		must(0, cmd.Start())
		go serve(args[1:2], nil, nil)
		<-stop
	}
}

// bomb forks for ever: each is in a session of its own, and its parent ends.
func bomb(args []string) {
	if len(args) == 1 {
		stop := stopSignal()
		for i := range 3 {
			spawn("bomb", &syscall.SysProcAttr{Setsid: true}, args[0], strconv.Itoa(i))
		}
		go serve(args, nil, nil)
		<-stop
		return
	}
	spawn("bomb", &syscall.SysProcAttr{Setsid: true}, args...)
}

// plan is a check for another process.
type plan struct {
	Command, Env, Only []string
	Idle, Grace        time.Duration
	Ready              string
}

func (p plan) String() string { return string(must(json.Marshal(p))) }

// checker runs the plan in args[0], and says what came of it.
func checker(args []string) {
	var p plan
	must(0, json.Unmarshal([]byte(args[0]), &p))
	report, err := (&Check{Command: p.Command, Env: p.Env, Only: p.Only, Idle: p.Idle, Grace: p.Grace, Ready: p.Ready}).Run(context.Background())
	fmt.Println(report, err)
	if report != nil {
		for i := range report.Results {
			_ = report.Results[i].WriteText(os.Stdout)
		}
	}
	fmt.Println("\npeak", memoryPeak())
}

// memoryPeak is the most memory that this process had, see VmHWM in proc_pid_status(5).
func memoryPeak() int64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kB << 10
		}
	}
	return 0
}

// facts writes what it was started with to the file that its last argument names.
func facts(args []string) {
	stop := stopSignal()
	dir, _ := os.Getwd()
	sid, _, _ := syscall.RawSyscall(syscall.SYS_GETSID, 0, 0, 0)
	var open []string
	for fd := range 64 {
		var s syscall.Stat_t
		if syscall.Fstat(fd, &s) == nil {
			if target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && !strings.HasPrefix(target, "anon_inode:") && !strings.HasPrefix(target, "/sys/") { // its own runtime's
				open = append(open, fmt.Sprintf("%d %s", fd, target))
			}
		}
	}
	text := must(json.Marshal(map[string]any{
		"args": os.Args, "env": os.Environ(), "dir": dir, "open": open, "leads": int(sid) == os.Getpid(), "int": !signal.Ignored(syscall.SIGINT),
	}))
	must(0, os.WriteFile(args[len(args)-1], text, 0o666))
	fmt.Println("up")
	<-stop
}

// certificate is one for 127.0.0.1.
func certificate() *tls.Config {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
