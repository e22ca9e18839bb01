package process

import (
	"crypto/rand"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/testset"
)

// bombVariable makes the test binary a fork bomb that does not hear SIGTERM, each process of which begins a session.
const bombVariable = "LASTCALL_TEST_BOMB"

func init() {
	lives[bombVariable] = func(string) {
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		for { // without the runtime, which does not outlive a fork
			pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
			if errno != 0 {
				pause := syscall.Timespec{Nsec: 1e6}
				_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
			} else if pid == 0 {
				_, _, _ = syscall.RawSyscall(syscall.SYS_SETSID, 0, 0, 0)
			}
		}
	}
}

// A fork bomb at its limit of processes, each in a session of its own, is gone when the stop is over.
func TestCgroupBomb(t *testing.T) {
	testset.OnlyLong(t, "it keeps all processors busy; the default set has a fork bomb in the tests of the command")
	needCgroup(t)
	const most = 150
	self, err := os.Executable()
	noError(t, err)
	p := &Process{Command: []string{self}, Mark: rand.Text(), Env: []string{bombVariable + "=1", raceVariable}, Cgroup: &Cgroup{Pids: most}}
	if why := p.Cgroup.Check(); why != nil { // the limit may come from elsewhere
		dir := filepath.Join("/sys/fs/cgroup/pids", "lastcall-"+p.Mark)
		if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // a control group
			t.Skipf("no limit of processes: %v, %v", why, err)
		}
		t.Cleanup(func() { eventually(t, dir+" can be removed", func() bool { return syscall.Rmdir(dir) == nil }) })
		noError(t, os.WriteFile(filepath.Join(dir, "pids.max"), []byte("150"), 0o600))
		p.Command = []string{"/bin/sh", "-c", `echo $$ >"$0" && exec "$1"`, filepath.Join(dir, "cgroup.procs"), self}
		p.Cgroup = &Cgroup{}
	}
	r := run(t, p, time.Second).until(lastcall.StateReady)
	eventually(t, "the limit of processes is reached", func() bool {
		return len(p.current.Load().family.members()) >= most*2/3 // threads count, too
	})
	began := time.Now()
	if err := r.stop(); err == nil {
		t.Error("no error says that it had to be killed")
	}
	t.Logf("%d processes were gone %v after the stop began, with a grace period of 1 s", most, time.Since(began).Round(time.Millisecond))
	if left := membersLeft(p.Mark); len(left) > 0 || groupsOf(t, p.Mark) > 0 {
		killLeft(p.Mark)
		t.Errorf("left: %v, %d groups", left, groupsOf(t, p.Mark))
	}
}
