//go:build unix

package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sayLimits is a shell that says what it was given.
func sayLimits(script string) *Process {
	return &Process{Command: []string{"/bin/sh", "-c", script + "; exec sleep 1000"}}
}

func TestLimits(t *testing.T) {
	core, mask := uint64(0), 0o027
	stack, lock := uint64(4<<20), uint64(64<<10)
	dir := t.TempDir()
	p := sayLimits("echo nice $(" + tool(niceVariable) + "); echo nofile $(ulimit -n) $(ulimit -Hn); echo core $(ulimit -c); echo umask $(umask); echo cpu $(ulimit -t); echo stack $(ulimit -s); echo lock $(ulimit -l); >" +
		filepath.Join(dir, "file") + "; echo pid $$; echo variable ${LASTCALL_TRAMPOLINE-none} ${LISTEN_PID-none}")
	p.Limits = Limits{NoFile: 123, Core: &core, CPUTime: 1000, Stack: &stack, MemLock: &lock}
	p.Umask, p.Nice = &mask, 7
	v := listen(t)
	p.Stdout = v.w
	r := run(t, p, 5*time.Second)
	v.await(t, "nice 7", "nofile 123 123", "core 0", "umask 0027", "cpu 1000", "stack 4096", "lock 64", "variable none none")
	if pid := pidOf(t, v.value(t, "pid ")); pid != p.PID() {
		t.Errorf("it is process %d, and PID says %d", pid, p.PID())
	}
	info, err := os.Stat(filepath.Join(dir, "file"))
	noError(t, err)
	if info.Mode().Perm() != 0o640 {
		t.Errorf("its file has mode %v, want 0640", info.Mode())
	}
	noError(t, r.stop())
}

// What the runtime of this program did to its own limit of open files does not reach the child.
func TestLimitsLeaveTheRest(t *testing.T) {
	mask := 0o022
	limits := func(p *Process) string {
		v := listen(t)
		p.Stdout = v.w
		r := run(t, p, 5*time.Second)
		got := v.value(t, "nofile ")
		noError(t, r.stop())
		return got
	}
	plain, prepared := sayLimits("echo nofile $(ulimit -n) $(ulimit -Hn)"), sayLimits("echo nofile $(ulimit -n) $(ulimit -Hn)")
	prepared.Umask = &mask
	if a, b := limits(plain), limits(prepared); a != b {
		t.Errorf("nofile is %s by way of this program and %s without", b, a)
	}
}

func TestMemoryLimit(t *testing.T) {
	if !memoryLimit {
		t.Skip("this system has no limit of memory")
	}
	p := sayLimits("echo data $(ulimit -d); echo space $(ulimit -v)")
	p.Limits.Memory = 1 << 30
	v := listen(t)
	p.Stdout = v.w
	r := run(t, p, 5*time.Second)
	if data, space := v.value(t, "data "), v.value(t, "space "); data != "1048576" && space != "1048576" {
		t.Errorf("its limits are %s KiB of data and %s KiB of address space, and one must be 1048576", data, space)
	}
	noError(t, r.stop())
}

func TestLimitsRefused(t *testing.T) {
	p := sayLimits("exit 0")
	p.Limits.NoFile = unlimited // more than the kernel lets anybody have
	err := errorAs[*StartError](t, run(t, p, time.Second).end())
	if !strings.Contains(err.Error(), "nofile: ") {
		t.Errorf("the error %q does not name the limit", err)
	}
	wrong := 0o1000
	for _, p := range []*Process{{Nice: 20}, {Umask: &wrong}, {Mark: "a:b"}, {Umask: new(int), Sys: &syscall.SysProcAttr{Chroot: "/"}}} {
		p.Command = []string{"true"}
		if err := p.problems(); err == nil {
			t.Errorf("no problem with Nice %d, Umask %v, Mark %q", p.Nice, p.Umask, p.Mark)
		}
	}
}

// A limit that the system lowers without a word is an error that names it.
func TestLimitsLowered(t *testing.T) {
	for _, test := range []struct {
		asked, got uint64
		ok         bool
	}{{100, 100, true}, {100, 99, false}, {unlimited, 1 << 20, false}, {unlimited, unlimited, true}} {
		if err := lowered(test.asked, test.got); (err == nil) != test.ok {
			t.Errorf("asked for %d, got %d: %v", test.asked, test.got, err)
		}
	}
	if err := stepError("nofile:" + strconv.Itoa(int(syscall.ERANGE))); err == nil || !strings.Contains(err.Error(), "nofile: more than this system allows") {
		t.Errorf("got %v", err)
	}
}
