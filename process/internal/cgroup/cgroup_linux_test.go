package cgroup

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const patience = 2 * time.Minute

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what the kernel tells nobody.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

func TestDirectory(t *testing.T) {
	const (
		unified   = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid    = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		container = "500 400 0:26 /docker/ab /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
	)
	for _, c := range []struct{ name, groups, mounts, want string }{
		{"unified", "0::/user.slice/a.scope\n", unified, "/sys/fs/cgroup/user.slice/a.scope"},
		{"hybrid", "8:pids:/\n1:name=systemd:/x\n0::/\n", hybrid, "/sys/fs/cgroup/unified"},
		{"hybrid, below", "8:pids:/\n0::/a b\n", hybrid, "/sys/fs/cgroup/unified/a b"},
		{"without a cgroup namespace", "0::/docker/ab/web\n", container, "/sys/fs/cgroup/web"},
		{"another with the same beginning", "0::/docker/abc\n", container, errOutside.Error()},
		{"outside of the namespace", "0::/../other\n", unified, errOutside.Error()},
		{"escaped", "0::/x\n", `1 2 0:1 / /a\040b\134 rw - cgroup2 none rw` + "\n", `/a b\/x`},
		{"no mount", "0::/x\n", strings.ReplaceAll(hybrid, "cgroup2", "cgroup"), errUnseen.Error()},
		{"version 1 only", "8:pids:/\n", hybrid, errNone.Error()},
		{"removed", "0::/x (deleted)\n", unified, "/sys/fs/cgroup/x"},
	} {
		got, err := directory(c.groups, c.mounts)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// fake makes files as the kernel has them, in a directory of their own.
func fake(t *testing.T, files map[string]string) *Home {
	t.Helper()
	h := &Home{dir: t.TempDir(), own: func(pid int) bool { return pid == os.Getpid() }, first: map[string]bool{"memory": true}}
	for name, text := range files {
		noError(t, os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600))
	}
	return h
}

// Why no group can be made is one error that names what is missing, and it is told before anything is touched.
func TestCheck(t *testing.T) {
	us := strconv.Itoa(os.Getpid()) + "\n"
	all := Limits{Pids: 1, Memory: 1, CPUs: 1}
	for _, c := range []struct {
		name   string
		files  map[string]string
		limits Limits
		want   string // "" is no error
	}{
		{"root", map[string]string{has: "cpu pids memory", procs: "1\n2\n", subtree: ""}, all, ""},
		{"delegated", map[string]string{has: "cpu pids memory", procs: us, subtree: "", "cgroup.type": "domain"}, all, ""},
		{"enabled already", map[string]string{has: "cpu pids", procs: "1\n", subtree: "pids", "cgroup.type": "domain"}, Limits{Pids: 1}, ""},
		{"no limits", map[string]string{has: "", procs: "1\n", "cgroup.type": "domain"}, Limits{}, ""},
		{"shared", map[string]string{has: "pids", procs: us + "1\n", subtree: "", "cgroup.type": "domain"}, Limits{Pids: 1}, "with others, such as pid 1,"},
		{"version 1 has it", map[string]string{has: "pids", procs: us, subtree: ""}, Limits{Memory: 1}, `cgroup v1 has the controller "memory"`},
		{"missing", map[string]string{has: "cpuset", procs: us, subtree: ""}, Limits{CPUs: 1}, `the controller "cpu" is not in `},
	} {
		h := fake(t, c.files)
		err := h.Check(c.limits)
		switch {
		case err == nil && c.want != "", err != nil && c.want == "", err != nil && !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		if len(words(filepath.Join(h.dir, subtree))) > 0 && c.files[subtree] == "" {
			t.Errorf("%s: Check changed something", c.name)
		}
	}
}

// A group of another user is not delegated.
func TestCheckOtherUser(t *testing.T) {
	h := fake(t, map[string]string{has: "pids", procs: "", subtree: ""})
	noError(t, os.Chmod(filepath.Join(h.dir, procs), 0o400))
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		if os.Geteuid() == 0 {
			const other = 65534
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, other, other, other); errno != 0 {
				result <- errno
				return
			}
		}
		result <- h.Check(Limits{})
	}()
	if err := <-result; err == nil || !strings.Contains(err.Error(), "is not delegated") {
		t.Errorf("got %v", err)
	}
}

// What is written where, with a directory in place of the kernel.
func TestCreate(t *testing.T) {
	writeFlags |= os.O_CREATE
	defer func() { writeFlags &^= os.O_CREATE }()
	h := fake(t, map[string]string{has: "cpu pids memory", procs: "", subtree: "", "cgroup.type": "domain"})
	g, err := h.Create("up-1", "web/\x1b", "ID", Limits{Pids: 7, Memory: 1 << 20, CPUs: 1.5})
	noError(t, err)
	if want := filepath.Join(h.dir, "lastcall.up-1.web%2f%1b.ID"); g.Dir() != want {
		t.Errorf("it is %s, want %s", g.Dir(), want)
	}
	for file, want := range map[string]string{
		filepath.Join(h.dir, subtree): "+pids +memory +cpu",
		g.dir + "/pids.max":           "7", g.dir + "/memory.max": "1048576", g.dir + "/memory.swap.max": "0", g.dir + "/cpu.max": "150000 100000",
	} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v, want %q", file, got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(h.dir, leaf)); err != nil {
		t.Error(err)
	}
	noError(t, os.WriteFile(g.dir+"/memory.events", []byte("low 0\noom 3\noom_kill 2\n"), 0o600))
	noError(t, os.WriteFile(g.dir+"/pids.events", []byte("max 1\n"), 0o600))
	if got, want := g.Reached(), "out of memory: 2 processes were killed at its cgroup's limit of memory; its cgroup's limit of processes refused 1 new one"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if left := h.Left("up"); len(left) != 0 {
		t.Errorf("groups of another mark: %v", left)
	}
	if left := h.Left("up-1"); len(left) != 1 || left[0].dir != g.dir {
		t.Errorf("left: %v", left)
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{"web-1": "web-1", "a.b": "a%2eb", "..": "%2e%2e", "é": "%c3%a9", strings.Repeat("x", 300): strings.Repeat("x", maxName)} {
		if got := escape(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// real is a group of this test below the one of this process, made by the kernel, as a home.
func real(t *testing.T) *Home {
	t.Helper()
	above, err := Find(func(int) bool { return true })
	if err == nil {
		err = above.Check(Limits{})
	}
	if err != nil {
		t.Skipf("no control group can be made here: %v", err)
	}
	h := &Home{dir: filepath.Join(above.dir, "test-"+rand.Text()[:8]), own: func(int) bool { return true }}
	if err := os.Mkdir(h.dir, dirMode); err != nil {
		t.Skipf("no control group can be made here: %v", err)
	}
	t.Cleanup(func() {
		g := &Group{h.dir}
		_ = g.Kill()
		eventually(t, h.dir+" can be removed", func() bool { return g.Remove() == nil })
	})
	return h
}

// member starts a process and moves it to a group.
func member(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	noError(t, cmd.Start())
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	noError(t, write(filepath.Join(dir, procs), strconv.Itoa(cmd.Process.Pid)))
	return cmd
}

func TestGroup(t *testing.T) {
	for _, way := range []string{"at one time", "one by one"} {
		h := real(t)
		g, err := h.Create("m", "n", "1", Limits{})
		noError(t, err)
		a := member(t, g.dir)
		below := filepath.Join(g.dir, "below")
		noError(t, os.MkdirAll(filepath.Join(below, "deep"), dirMode))
		b := member(t, filepath.Join(below, "deep"))
		if pids, err := g.Members(); err != nil || fmt.Sprint(pids) != fmt.Sprint([]int{a.Process.Pid, b.Process.Pid}) {
			t.Errorf("members %v, %v, want %d and %d", pids, err, a.Process.Pid, b.Process.Pid)
		}
		if !g.Has(a.Process.Pid) || !g.Has(b.Process.Pid) || g.Has(os.Getpid()) {
			t.Error("Has is wrong")
		}
		if h.Sweep("m"); g.Remove() == nil {
			t.Error("it was removed with its members")
		}
		if way == "at one time" {
			noError(t, g.Kill())
		} else {
			noError(t, g.killEach(func(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }))
		}
		for _, cmd := range []*exec.Cmd{a, b} {
			_ = cmd.Wait()
			if s := cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signal() != syscall.SIGKILL {
				t.Errorf("%s: %v", way, cmd.ProcessState)
			}
		}
		noError(t, g.Remove())
		if _, err := os.Stat(g.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after Remove: %v", err)
		}
		noError(t, g.Remove()) // it is gone
		noError(t, g.Kill())
	}
}

// Before controllers are enabled, the processes of the group leave it.
func TestVacate(t *testing.T) {
	h := real(t)
	cmd := member(t, h.dir)
	noError(t, h.vacate())
	if pids, err := readPIDs(h.dir); err != nil || len(pids) > 0 {
		t.Errorf("left: %v, %v", pids, err)
	}
	if pids, err := readPIDs(filepath.Join(h.dir, leaf)); err != nil || len(pids) != 1 || pids[0] != cmd.Process.Pid {
		t.Errorf("in the leaf: %v, %v", pids, err)
	}
	noError(t, h.vacate()) // there is nothing any more
}

// The limits for real, where the controllers are there.
func TestLimits(t *testing.T) {
	above, err := Find(func(int) bool { return true })
	if err != nil {
		t.Skipf("no control groups: %v", err)
	}
	limits := Limits{Pids: 3, Memory: 64 << 20, CPUs: 0.5}
	if err := above.Check(limits); err != nil || !above.isRoot() && len(above.missing(limits)) > 0 {
		t.Skipf("no control group with limits can be made here without moving other processes: %v", err)
	}
	g, err := above.Create("test", "limits", rand.Text(), limits)
	noError(t, err)
	t.Cleanup(func() { eventually(t, "it can be removed", func() bool { return g.Remove() == nil }) })
	cmd := exec.Command("/bin/sh", "-c", `read go; for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait`)
	in, err := cmd.StdinPipe()
	noError(t, err)
	noError(t, cmd.Start())
	noError(t, write(filepath.Join(g.dir, procs), strconv.Itoa(cmd.Process.Pid)))
	_, err = in.Write([]byte("go\n"))
	noError(t, err)
	eventually(t, "the limit of processes is reached", func() bool { return strings.Contains(g.Reached(), "limit of processes") })
	if pids, _ := g.Members(); len(pids) > 3 {
		t.Errorf("members: %v", pids)
	}
	noError(t, g.Kill())
	_ = cmd.Wait()
}
