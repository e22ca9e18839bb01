package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/internal/supervisor/control"
	"github.com/lastcall-go/lastcall/internal/testset"
	"github.com/lastcall-go/lastcall/process"
)

// TestUpAtRandom runs random files under lastcall up, kills members and lastcall itself at random times, and gives every order there is: no
// orphan and no zombie is left, no line that a main process wrote and no status is lost, and the exit status is by the rule.
func TestUpAtRandom(t *testing.T) {
	if !process.Adopt() {
		t.Skip("orphans do not come to this process")
	}
	first, n := 1, testset.Of(t, 5, 500)
	flag.Visit(func(f *flag.Flag) {
		number, err := strconv.Atoi(f.Value.String())
		switch {
		case err != nil:
		case f.Name == "rapid.checks":
			n = number
		case f.Name == "rapid.seed":
			first = number
		}
	})
	member := filepath.Join(t.TempDir(), "member")
	if out, err := exec.Command("go", "build", "-o", member, "github.com/lastcall-go/lastcall/process/internal/member").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	seeds := make(chan int)
	var all sync.WaitGroup
	for range min(n, 6) {
		all.Go(func() {
			for seed := range seeds {
				c := &chaos{plan: rapid.Custom(drawChaos).Example(seed), member: member}
				if wrong := c.run(t); len(wrong) > 0 {
					t.Errorf("case %d: %s\n%v\nagain: go test ./cmd/lastcall -run 'TestUpAtRandom$' -rapid.checks=1 -rapid.seed=%d",
						seed, strings.Join(wrong, "\n"), c.plan, seed)
				}
			}
		})
	}
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		seeds <- seed
	}
	close(seeds)
	all.Wait()
	var zombies []string
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if zombies = deadChildren(); len(zombies) == 0 {
			return
		}
	}
	t.Errorf("zombies are left: %v", zombies)
}

// deadChildren are the children of this process that nobody has reaped.
func deadChildren() (list []string) {
	for _, p := range descendants() {
		if p.parent == os.Getpid() && p.dead {
			list = append(list, fmt.Sprintf("%d %s", p.pid, p.name))
		}
	}
	return list
}

// seenProcess is what /proc says of a process.
type seenProcess struct {
	pid, parent int
	name        string
	dead        bool
	args        []string
}

// descendants are the processes below this one. Whose parent ends meanwhile may be missed, so it looks twice.
func descendants() (list []seenProcess) {
	seen := map[int]bool{}
	var walk func(pid int)
	walk = func(pid int) {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, path := range threads {
			text, _ := os.ReadFile(path)
			for word := range strings.FieldsSeq(string(text)) {
				child, _ := strconv.Atoi(word)
				if p, ok := lookAt(child); ok && !seen[child] {
					list = append(list, p)
				}
				seen[child] = true
				walk(child)
			}
		}
	}
	walk(os.Getpid())
	walk(os.Getpid())
	return list
}

func lookAt(pid int) (p seenProcess, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	text, err := os.ReadFile(dir + "/stat")
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if err != nil || open < 0 || end < open {
		return p, false
	}
	fields := strings.Fields(string(text[end+1:]))
	p = seenProcess{pid: pid, name: string(text[open+1 : end]), dead: fields[0] == "Z" || fields[0] == "X"}
	p.parent, _ = strconv.Atoi(fields[1])
	args, _ := os.ReadFile(dir + "/cmdline")
	p.args = strings.Split(string(args), "\x00")
	return p, true
}

// chaos is a case that is carried out.
type chaos struct {
	plan                    *chaosPlan
	member, dir, log        string
	mu                      sync.Mutex
	killed                  []int // members that the test killed
	output, socket, message string
	wrong                   []string
}

func (c *chaos) wrongf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// members are those that are alive: the words of their arguments from the log's path on, by number.
func (c *chaos) members() map[int][]string {
	found := map[int][]string{}
	for _, p := range descendants() {
		if at := slices.Index(p.args, c.log); at >= 0 && !p.dead && len(p.args) > at+3 {
			found[p.pid] = p.args[at+1:]
		}
	}
	return found
}

// up starts lastcall up; its output goes to a file.
func (c *chaos) up(t *testing.T) *exec.Cmd {
	cmd := command("lastcall", "up", "--socket", c.socket)
	cmd.Dir = c.dir
	out, err := os.OpenFile(c.output, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Error(err)
		return cmd
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Error(err)
	}
	return cmd
}

// waitFor waits for the end of lastcall up, and returns its exit status as a shell has it.
func (c *chaos) waitFor(cmd *exec.Cmd) int {
	done := make(chan struct{})
	go func() { defer close(done); _ = cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(2 * patience):
		c.wrongf("lastcall up does not end")
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		<-done
	}
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// run carries the plan out and returns what was wrong.
func (c *chaos) run(t *testing.T) []string {
	dir, err := os.MkdirTemp("", "chaos") // short, for the socket's path
	if err != nil {
		return []string{err.Error()}
	}
	defer os.RemoveAll(dir)
	c.dir, c.log, c.output, c.socket = dir, filepath.Join(dir, "log"), filepath.Join(dir, "output"), filepath.Join(dir, "socket")
	for path, text := range map[string]string{c.log: "", filepath.Join(dir, "lastcall.yaml"): c.plan.file(c.member, c.log, 0, 0)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return []string{err.Error()}
		}
	}
	written, err := watchWrites(c.log, patience/12)
	if err != nil {
		return []string{err.Error()}
	}
	defer written.Close()
	cmd := c.up(t)
	_, _ = written.Read(make([]byte, 4096)) // a member runs, or nothing of what comes next depends on one
	ctx, cancel := context.WithCancel(context.Background())
	var acting sync.WaitGroup
	acting.Go(func() { c.act(ctx, cmd) })
	if c.plan.Calm {
		acting.Wait()
	}
	<-time.After(c.plan.After) // a random moment of its life
	client := &control.Client{Socket: c.socket}
	switch c.plan.End {
	case "TERM", "twice":
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if c.plan.End == "twice" {
			<-time.After(150 * time.Millisecond) // sooner, it would count as the same signal
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	case "INT":
		_ = cmd.Process.Signal(syscall.SIGINT)
	case "KILL":
		_ = cmd.Process.Kill()
	case "down":
		down, cancel := context.WithTimeout(ctx, patience)
		err := client.Down(down, nil)
		cancel()
		if err != nil && cmd.Process.Signal(syscall.SIGTERM) == nil {
			c.message = err.Error()
		}
	}
	status := c.waitFor(cmd)
	cancel()
	acting.Wait()
	if status == 128+int(syscall.SIGKILL) && c.plan.End == "KILL" {
		c.again(t)
	} else {
		c.check(status)
	}
	for pid := range c.members() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if len(c.wrong) == 0 {
		return nil
	}
	log, _ := os.ReadFile(c.log)
	out, _ := os.ReadFile(c.output)
	return append(c.wrong, fmt.Sprintf("status %d, killed %v, down: %q", status, c.killed, c.message), "log:\n"+string(log), "output:\n"+string(out))
}

// watchWrites has a read return when something is written to a file, or when that has taken too long.
func watchWrites(path string, limit time.Duration) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, err
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		unix.Close(fd)
		return nil, err
	}
	events := os.NewFile(uintptr(fd), "inotify")
	return events, events.SetReadDeadline(time.Now().Add(limit))
}

// hasDied waits until a process is dead, and reports whether it is.
func hasDied(pid int, limit time.Duration) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return errors.Is(err, unix.ESRCH)
	}
	defer unix.Close(fd)
	for until := time.Now().Add(limit); ; {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(time.Until(until)/time.Millisecond))
		if !errors.Is(err, unix.EINTR) {
			return n > 0
		}
	}
}

// act does what is to happen, one after the other.
func (c *chaos) act(ctx context.Context, cmd *exec.Cmd) {
	began := time.Now()
	client := &control.Client{Socket: c.socket}
	for n, a := range c.plan.Acts {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(began.Add(a.At))):
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		var err error
		switch a.What {
		case "kill":
			c.kill(a)
		case "ps":
			_, err = client.List(short, a.Pick%2 == 0)
		case "stop":
			err = client.Stop(short, []string{a.Name}, nil)
		case "start":
			err = client.Start(short, []string{a.Name}, nil)
		case "restart":
			err = client.Restart(short, []string{a.Name}, nil)
		case "scale":
			err = client.Scale(short, map[string]int{a.Name: a.Pick % 4}, nil)
		case "restart all":
			err = client.Restart(short, nil, nil)
		case "reload":
			err = client.Reload(short, []string{a.Name}, nil)
		case "reload all":
			err = client.Reload(short, nil, nil)
		case "signal":
			err = client.Signal(short, []string{a.Name}, []string{"CONT", "WINCH", "KILL"}[a.Pick%3])
			c.mu.Lock()
			c.killed = append(c.killed, 0) // perhaps
			c.mu.Unlock()
		case "watch":
			err = client.Watch(short, control.WatchQuery{Every: 20 * time.Millisecond, Usage: a.Pick%2 == 0}, func([]control.Instance) error { return nil })
		case "stop one":
			err = client.Stop(short, []string{fmt.Sprintf("%s-%d", a.Name, 1+a.Pick%2)}, nil)
		case "start one":
			err = client.Start(short, []string{fmt.Sprintf("%s-%d", a.Name, 1+a.Pick%2)}, nil)
		case "logs":
			err = client.Logs(short, control.LogQuery{Last: 5, Follow: a.Pick > 4}, func(control.Line) error { return nil })
		case "report":
			_, err = client.Report(short)
		case "edit":
			// The file is written beside its place, since somebody may be reading it.
			path := filepath.Join(c.dir, "lastcall.yaml")
			text := c.plan.file(c.member, c.log, n, a.Pick+1)
			if err = errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err == nil {
				err = client.Reload(short, nil, nil)
			}
		default:
			if strings.Contains(c.text(), "ready") { // before, the signal may be its end
				_ = cmd.Process.Signal(map[string]syscall.Signal{"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1}[a.What])
			}
		}
		cancel()
		if err != nil && strings.Contains(err.Error(), "panic") {
			c.wrongf("%s %s: %v", a.What, a.Name, err)
		}
	}
}

// kill kills a member of a process.
func (c *chaos) kill(a chaosAct) {
	var pids []int
	for pid, args := range c.members() {
		if i, _ := strconv.Atoi(args[0]); processName(i) == a.Name {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	if len(pids) == 0 {
		return
	}
	pid := pids[a.Pick%len(pids)]
	c.mu.Lock()
	c.killed = append(c.killed, pid)
	c.mu.Unlock()
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

func (c *chaos) text() string {
	text, _ := os.ReadFile(c.output)
	return string(text)
}

// check is what holds when lastcall up has ended by itself or on request.
func (c *chaos) check(status int) {
	if left := c.members(); len(left) > 0 {
		c.wrongf("left behind: %v", left)
	}
	if _, err := os.Stat(c.socket); !errors.Is(err, fs.ErrNotExist) {
		c.wrongf("its socket is left: %v", err)
	}
	out := c.text()
	for _, word := range []string{"panic:", "fatal error:", "DATA RACE", "goroutine ", "its status went to its own parent"} {
		if strings.Contains(out, word) {
			c.wrongf("its output has %q", word)
		}
	}
	log, _ := os.ReadFile(c.log)
	allowed := map[int]bool{0: true}
	for line := range strings.Lines(string(log)) {
		f := strings.Fields(line) // time, process, main, id, pid, what, …
		if len(f) < 6 || f[3] != "0" {
			continue
		}
		if f[5] == "ends" {
			if want := strings.Join(f[1:5], " ") + " ends"; !strings.Contains(out, want) {
				c.wrongf("a line is lost: %q", want)
			}
			code, _ := strconv.Atoi(f[6])
			allowed[code] = true
		}
	}
	if len(c.killed) > 0 {
		allowed[128+int(syscall.SIGKILL)] = true
		allowed[3] = true // it was killed before it was ready
	}
	hears := !slices.ContainsFunc(c.plan.Processes, func(p chaosProcess) bool { return !p.Hears })
	if !hears || c.plan.End == "twice" || c.plan.Grace < time.Second || strings.Contains(out, "killed") {
		allowed[4] = true
	}
	if !allowed[status] {
		c.wrongf("its exit status is %d, and can be one of %v", status, allowed)
	}
}

// again is what holds when lastcall up was killed: the main processes go with it, and the next one ends what else there is.
func (c *chaos) again(t *testing.T) {
	for pid, args := range c.members() {
		if args[1] == "0" && args[2] == "0" && !hasDied(pid, patience) {
			c.wrongf("main process %d outlived lastcall up: %v", pid, args)
		}
	}
	left := c.members()
	_ = os.WriteFile(c.output, nil, 0o600)
	written, err := watchWrites(c.output, patience)
	if err != nil {
		c.wrongf("%v", err)
		return
	}
	defer written.Close()
	cmd := c.up(t)
	go func() {
		if hasDied(cmd.Process.Pid, patience) {
			_ = written.SetReadDeadline(time.Now()) // nothing more will be written
		}
	}()
	for !strings.Contains(c.text(), "ready") {
		if _, err := written.Read(make([]byte, 4096)); err != nil {
			break
		}
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = c.waitFor(cmd)
	out := c.text()
	log, _ := os.ReadFile(c.log)
	for pid, args := range left {
		id, _ := strconv.Atoi(args[2])
		born := strings.Contains(string(log), fmt.Sprintf(" %d born", pid)) // else it only starts another, and ends
		endsByItself := strings.Contains(args[3+id], "end=exit")
		if born && !endsByItself && !slices.Contains(c.killed, pid) && !strings.Contains(out, fmt.Sprintf("[%d] is left from an earlier lastcall up", pid)) {
			c.wrongf("the next lastcall up does not tell of %d %v:\n%s", pid, args, out)
		}
	}
	for pid, args := range c.members() {
		c.wrongf("left behind by the next lastcall up: %d %v, old: %t", pid, args, left[pid] != nil)
	}
	if _, err := os.Stat(c.socket); !errors.Is(err, fs.ErrNotExist) {
		c.wrongf("the next one's socket is left: %v", err)
	}
}
