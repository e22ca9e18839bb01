package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/process"
)

// A fault is one row of TestUpFaults: something that goes wrong around lastcall up, and not in the processes called steady.
type fault struct {
	name    string
	missing func() string                                  // why it cannot be tested here; nil: it can
	process string                                         // one more for the file
	wrap    func(c *faultCase, cmd *exec.Cmd)              // how lastcall up is started; nil: as it is
	begin   func(c *faultCase, r *rand.Rand) (lift func()) // nil: the process is the fault
	status  []int                                          // exit statuses that are possible besides 0: of its own processes, which the fault may hit
}

var faults = []fault{
	{name: "none"},
	{name: "no descriptor (EMFILE)", begin: noDescriptor},
	{name: "no process (EAGAIN)", missing: noPidsGroup, wrap: inPidsGroup, begin: noProcess, status: []int{1, 2, 3, 126, 127, 128 + int(syscall.SIGABRT)}},
	{name: "pidfd calls refused (EPERM)", wrap: refusingPidfd},
	{name: "halted (SIGSTOP)", begin: halted},
	{name: "full disk (ENOSPC)", missing: noMounts, wrap: onSmallDisk,
		process: "noisy: { command: [faulty, DIR, noisy], log: { file: DIR/small/log } }"},
	{name: "log is a FIFO", process: "piped: { command: [faulty, DIR, noisy], log: { file: DIR/fifo }, on_exit: continue }", begin: withFIFO},
	{name: "probe hangs", process: `sick: { command: [faulty, DIR, beat], ready: notify, liveness: { exec: [faulty, DIR, hang], every: 50ms, within: 50ms, failures: 2 },
    restart: { when: always, limit: none }, on_exit: continue }`, status: []int{1}},
}

func init() { commands["faulty"], commands["refused"] = faulty, refused }

// faulty is what the processes of TestUpFaults are: faulty DIR HOW.
func faulty() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	beat := func(text string) {
		if conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET")); err == nil {
			_, _ = conn.Write([]byte(text))
			conn.Close()
		}
	}
	switch os.Args[2] {
	case "tree": // with one that leaves the session
		self, _ := os.Executable()
		child := &exec.Cmd{Path: self, Args: []string{"faulty", os.Args[1], "beat"}, Env: slices.DeleteFunc(os.Environ(), func(kv string) bool {
			return strings.HasPrefix(kv, "NOTIFY_SOCKET=")
		}), SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
		if err := child.Start(); err != nil {
			fmt.Println(err)
		}
	case "noisy":
		go func() {
			for {
				if _, err := fmt.Println(strings.Repeat("x", 200)); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
	case "hang":
		signal.Reset(syscall.SIGTERM)
	}
	haveThreads()
	if os.Getenv("NOTIFY_SOCKET") != "" {
		beat("READY=1")
	}
	every := time.NewTicker(100 * time.Millisecond)
	for {
		select {
		case <-told:
			return
		case <-every.C:
			if os.Getenv("WATCHDOG_USEC") != "" {
				beat("WATCHDOG=1")
			}
		}
	}
}

// haveThreads has the runtime make threads, which it keeps, so that this process needs no more when none can be had.
func haveThreads() {
	const threads = 8
	var all sync.WaitGroup
	var here sync.WaitGroup
	here.Add(threads)
	for range threads {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			here.Done()
			here.Wait()
		})
	}
	all.Wait()
}

// faultCase is one run.
type faultCase struct {
	fault
	dir, socket string
	cmd         *exec.Cmd
	client      *control.Client
	killed      bool

	mu      sync.Mutex
	output  string
	written chan struct{}
	ended   chan struct{}
}

// file is the lastcall.yaml: its changing part is one process that may be there.
func (c *faultCase) file(extra int) string {
	text := `name: faults
grace: 1m
log: { times: none }
processes:
  steady: { command: [faulty, DIR, beat], ready: notify, watchdog: 2s, instances: 2 }
  flappy: { command: [faulty, DIR, tree], ready: notify, restart: { when: always, limit: none, max_delay: 200ms }, on_exit: continue }
`
	if c.process != "" {
		text += "  " + c.process + "\n"
	}
	if extra > 0 {
		text += fmt.Sprintf("  extra: { command: [faulty, DIR, beat], ready: notify, env: { N: %d }, on_exit: continue }\n", extra)
	}
	return strings.ReplaceAll(text, "DIR", c.dir)
}

func (c *faultCase) write(extra int) error {
	path := filepath.Join(c.dir, "lastcall.yaml")
	if err := os.WriteFile(path+".new", []byte(c.file(extra)), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// TestUpFaults runs lastcall up under faults of the system, with random orders, reloads and deaths meanwhile. It never dies, the steady
// processes run on, all is ready again when the fault has passed, and the stop ends in time, with no orphan and no zombie.
func TestUpFaults(t *testing.T) {
	if !process.Adopt() {
		t.Skip("orphans do not come to this process")
	}
	first, n := 1, 1
	flag.Visit(func(f *flag.Flag) {
		number, err := strconv.Atoi(f.Value.String())
		switch {
		case err != nil:
		case f.Name == "rapid.checks":
			n = max(1, number/len(faults))
		case f.Name == "rapid.seed":
			first = number
		}
	})
	n = max(n, testset.Of(t, 1, 40))
	t.Cleanup(func() { // when all cases are over
		limit := time.Now().Add(patience / 2)
		for {
			zombies := deadChildren()
			if len(zombies) == 0 {
				return
			}
			if time.Now().After(limit) {
				t.Errorf("zombies are left: %v", zombies)
				return
			}
			time.Sleep(10 * time.Millisecond) // of a child of another's child that ends nothing tells
		}
	})
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			if f.missing != nil {
				if reason := f.missing(); reason != "" {
					t.Skip(reason)
				}
			}
			t.Parallel()
			for seed := first; seed < first+n && !t.Failed(); seed++ {
				runFault(t, f, seed)
			}
		})
	}
}

func runFault(t *testing.T, f fault, seed int) {
	dir, err := os.MkdirTemp("", "faults") // short, for the socket's path
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer os.Remove(filepath.Join(pidsGroups, filepath.Base(dir)))
	c := &faultCase{fault: f, dir: dir, socket: dir + "/socket", written: make(chan struct{}), ended: make(chan struct{})}
	c.client = &control.Client{Socket: c.socket}
	defer func() {
		if t.Failed() {
			t.Logf("seed %d: again: go test ./cmd/lastcall -run 'TestUpFaults/%s' -rapid.seed=%d\n%s", seed, f.name, seed, c.text())
		}
	}()
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	if err := c.write(0); err != nil {
		t.Fatal(err)
	}
	c.start(t)
	defer c.kill()
	c.await(t, "steady-1", "steady-2", "flappy")
	before := c.list(t)
	for range 1 + r.IntN(2) {
		lift := func() {}
		if f.begin != nil {
			lift = f.begin(c, r)
		}
		for range 2 + r.IntN(4) {
			c.act(r)
		}
		lift()
	}
	if err := c.write(99); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience/2)
	if err := c.client.Reload(ctx, nil, nil); err != nil {
		t.Errorf("a reload after it: %v", err)
	}
	cancel()
	now := c.await(t, "steady-1", "steady-2", "flappy", "extra")
	for _, name := range []string{"steady-1", "steady-2"} {
		if now[name].PID != before[name].PID || now[name].Restarts != 0 {
			t.Errorf("%s was restarted: %+v, before %+v", name, now[name], before[name])
		}
	}
	c.end(t)
}

// start runs lastcall up.
func (c *faultCase) start(t *testing.T) {
	c.cmd = command("lastcall", "up", "--socket", c.socket)
	if c.wrap != nil {
		c.wrap(c, c.cmd)
	}
	c.cmd.Dir = c.dir
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stdout, c.cmd.Stderr = w, w
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	go func() {
		defer r.Close()
		for buf := make([]byte, 8<<10); ; {
			n, err := r.Read(buf)
			c.mu.Lock()
			c.output += string(buf[:n])
			close(c.written)
			c.written = make(chan struct{})
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { _ = c.cmd.Wait(); close(c.ended) }()
}

func (c *faultCase) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output
}

// said is what lastcall up itself has written: not what its processes have, which may die in their own way of what they lack.
func (c *faultCase) said() string {
	var own strings.Builder
	for line := range strings.Lines(c.text()) {
		if name, _, ok := strings.Cut(line, " | "); !ok || strings.TrimSpace(name) == "lastcall" {
			own.WriteString(line)
		}
	}
	return own.String()
}

// list is what lastcall ps says.
func (c *faultCase) list(t *testing.T) map[string]control.Instance {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience/2)
	defer cancel()
	list, err := c.client.List(ctx, false)
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	byName := map[string]control.Instance{}
	for _, i := range list {
		byName[i.Name] = i
	}
	return byName
}

// await waits until these are ready. It looks again whenever lastcall up has said something.
func (c *faultCase) await(t *testing.T, names ...string) map[string]control.Instance {
	t.Helper()
	limit := time.After(patience / 2)
	for {
		c.mu.Lock()
		written := c.written
		c.mu.Unlock()
		var list map[string]control.Instance
		if _, err := os.Stat(c.socket); err == nil {
			list = c.list(t)
		}
		missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return list[name].State == lastcall.StateReady })
		if len(missing) == 0 && list != nil {
			return list
		}
		select {
		case <-written:
		case <-c.ended:
			t.Fatalf("lastcall up has ended (%v)", c.cmd.ProcessState)
		case <-limit:
			t.Fatalf("after %v not ready: %v; %+v", patience/2, missing, list)
		}
	}
}

// act is one order, death or reload. What it answers under the fault does not matter.
func (c *faultCase) act(r *rand.Rand) {
	short, cancel := context.WithTimeout(context.Background(), time.Duration(100+r.IntN(300))*time.Millisecond)
	defer cancel()
	switch r.IntN(6) {
	case 0:
		_, _ = c.client.List(short, true)
	case 1:
		_ = c.client.Restart(short, []string{"flappy"}, nil)
	case 2:
		_ = c.client.Scale(short, map[string]int{"flappy": 1 + r.IntN(3)}, nil)
	case 3:
		if c.write(r.IntN(4)) == nil {
			_ = c.client.Reload(short, nil, nil)
		}
	case 4:
		if c.write(r.IntN(4)) == nil {
			_ = c.cmd.Process.Signal(syscall.SIGHUP)
		}
	case 5:
		for _, p := range c.own() {
			if slices.Contains(p.args, "tree") {
				c.killed = true
				_ = syscall.Kill(p.pid, syscall.SIGKILL)
				break
			}
		}
	}
}

// own are the processes of this case that are alive.
func (c *faultCase) own() []seenProcess {
	return slices.DeleteFunc(descendants(), func(p seenProcess) bool { return p.dead || !slices.Contains(p.args, c.dir) })
}

// end stops it, and looks what is left.
func (c *faultCase) end(t *testing.T) {
	began := time.Now()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(patience / 2):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT)
		<-c.ended
		t.Errorf("lastcall up did not end within %v", time.Since(began))
	}
	allowed := append([]int{0}, c.status...)
	if c.killed {
		allowed = append(allowed, 3, 128+int(syscall.SIGKILL))
	}
	if code := c.cmd.ProcessState.ExitCode(); !slices.Contains(allowed, code) {
		t.Errorf("its exit status is %d (%v), and can be one of %v", code, c.cmd.ProcessState, allowed)
	}
	for _, p := range c.own() {
		t.Errorf("left behind: %d %q", p.pid, p.args)
	}
	out := c.said()
	for _, word := range []string{"panic:", "DATA RACE", "fatal error", "goroutine ", "its status went to its own parent"} {
		if strings.Contains(out, word) {
			t.Errorf("its output has %q", word)
		}
	}
}

// kill ends what a case that failed has left.
func (c *faultCase) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
	for _, p := range c.own() {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
	}
}

// noDescriptor leaves it none to open.
func noDescriptor(c *faultCase, _ *rand.Rand) func() {
	pid := c.cmd.Process.Pid
	var before unix.Rlimit
	_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before)
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(len(entries)), Max: before.Max}, nil)
	return func() { _ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil) }
}

const pidsGroups = "/sys/fs/cgroup/pids"

func (c *faultCase) group() string { return filepath.Join(pidsGroups, filepath.Base(c.dir)) }

func noPidsGroup() string {
	dir, err := os.MkdirTemp(pidsGroups, "lastcall")
	if err != nil {
		return "no control group with a limit of processes can be made: " + err.Error()
	}
	os.Remove(dir)
	return ""
}

func inPidsGroup(c *faultCase, cmd *exec.Cmd) {
	_ = os.Mkdir(c.group(), 0o755)
	within(cmd, "echo $$ > "+c.group()+"/cgroup.procs")
}

// within has a shell do something before it becomes the command.
func within(cmd *exec.Cmd, line string) {
	argv0 := cmd.Args[0]
	cmd.Args = slices.Concat([]string{"sh", "-c", line + ` && exec "$@"`, "sh"}, []string{argv0}, cmd.Args[1:])
	cmd.Path = "/bin/sh"
}

// noProcess leaves it none to start, for all that it runs.
func noProcess(c *faultCase, _ *rand.Rand) func() {
	now, _ := os.ReadFile(c.group() + "/pids.current")
	_ = os.WriteFile(c.group()+"/pids.max", now, 0o600)
	return func() { _ = os.WriteFile(c.group()+"/pids.max", []byte("max"), 0o600) }
}

// refusingPidfd starts it under a filter that refuses the calls for pidfds.
func refusingPidfd(_ *faultCase, cmd *exec.Cmd) {
	cmd.Args = append([]string{"refused"}, cmd.Args...)
}

// refused is the command refused COMMAND…: no pidfd can be opened or sent a signal by what it runs.
func refused() {
	load := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: k}
	}
	jump := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	ret := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	const allow, errno = 0x7fff0000, 0x00050000
	filter := []unix.SockFilter{load(0), jump(unix.SYS_PIDFD_OPEN, 1, 0), jump(unix.SYS_PIDFD_SEND_SIGNAL, 0, 1), ret(errno | uint32(unix.EPERM)), ret(allow)}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		fmt.Println("no_new_privs:", err)
		os.Exit(1)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := setFilter(&program); err != nil {
		fmt.Println("seccomp:", err)
		os.Exit(1)
	}
	self, _ := os.Executable()
	fmt.Println(syscall.Exec(self, os.Args[1:], os.Environ()))
	os.Exit(1)
}

// setFilter sets a seccomp filter for all threads, see seccomp(2).
func setFilter(program *unix.SockFprog) error {
	const setModeFilter, allThreads = 1, 1
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, allThreads, uintptr(unsafe.Pointer(program))); errno != 0 {
		return errno
	}
	return nil
}

// halted stops it for a time, and what it watches runs on.
func halted(c *faultCase, r *rand.Rand) func() {
	_ = c.cmd.Process.Signal(syscall.SIGSTOP)
	over := time.NewTimer(time.Duration(r.IntN(3500)) * time.Millisecond)
	return func() {
		<-over.C
		_ = c.cmd.Process.Signal(syscall.SIGCONT)
	}
}

func noMounts() string {
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		return fmt.Sprintf("no mount namespace can be made: %v %s", err, out)
	}
	return ""
}

// onSmallDisk gives it a file system of its own that is soon full.
func onSmallDisk(c *faultCase, cmd *exec.Cmd) {
	_ = os.Mkdir(c.dir+"/small", 0o755)
	within(cmd, "mount -t tmpfs -o size=64k none "+c.dir+"/small")
	cmd.Args = append([]string{"unshare", "--mount"}, cmd.Args...)
	cmd.Path, _ = exec.LookPath("unshare")
}

// withFIFO puts a FIFO that nobody reads where the log is to be opened again.
func withFIFO(c *faultCase, _ *rand.Rand) func() {
	path := c.dir + "/fifo"
	_ = os.Remove(path)
	_ = syscall.Mkfifo(path, 0o600)
	return func() { _ = os.Remove(path) }
}
