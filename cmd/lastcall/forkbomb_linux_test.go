package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// bombVariable makes the test binary a fork bomb that does not hear SIGTERM, in place of running tests.
const bombVariable = "LASTCALL_TEST_BOMB"

func init() {
	if os.Getenv(bombVariable) == "" {
		return
	}
	signal.Ignore(syscall.SIGTERM)
	for { // without the runtime, which does not outlive a fork
		if _, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0); errno != 0 {
			pause := syscall.Timespec{Nsec: 1e6}
			_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
		}
	}
}

// pidsLimit makes a control group with a limit of processes, and returns its directory.
func pidsLimit(t *testing.T, n int) string {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir := filepath.Join(root, fmt.Sprintf("lastcall-test-%d", os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // a control group
			continue
		}
		limit := filepath.Join(dir, "pids.max")
		if err := os.WriteFile(limit, []byte(strconv.Itoa(n)), 0o600); err != nil {
			os.Remove(dir)
			continue
		}
		t.Cleanup(func() {
			_ = os.WriteFile(limit, []byte("0"), 0o600) // no more of them
			for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
				for _, pid := range members(dir) {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
				if os.Remove(dir) == nil {
					return
				}
			}
			t.Errorf("%s cannot be removed after %v", dir, patience)
		})
		return dir
	}
	t.Skip("no control group with a limit of processes can be made here: that needs root and the controller pids")
	return ""
}

// members are the processes in a control group.
func members(dir string) (list []int) {
	text, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	for field := range bytes.FieldsSeq(text) {
		pid, _ := strconv.Atoi(string(field))
		list = append(list, pid)
	}
	return list
}

// A fork bomb that uses up the limit of processes that lastcall has, too, is stopped, and nothing of it is left: lastcall has the
// threads that it needs for that.
func TestForkBomb(t *testing.T) {
	if testing.Short() {
		t.Skip("keeps all processors busy for some seconds")
	}
	const limit = 150
	group, dir := pidsLimit(t, limit), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "lastcall.yaml")
	text := fmt.Sprintf("grace: 2s\nsocket: %s\nprocesses:\n  bomb: { command: [%q], env: { %s: \"1\" } }\n  other: { command: [sleep, 1000] }\n", filepath.Join(dir, "s"), self, bombVariable)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "lastcall")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	s := start(t, exec.Command("/bin/sh", "-c", `echo $$ >"$1"/cgroup.procs && exec "$2" up -f "$3"`, "sh", group, link, file))
	s.await("all 2 ready")
	for until := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(group, "pids.current")) // threads count as well
		if strings.TrimSpace(string(text)) == strconv.Itoa(limit) {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("waited %v for the limit of processes, %s are there", patience, text)
		}
	}
	s.signal(syscall.SIGTERM)
	if status, _ := s.end(); status != 4 {
		t.Errorf("status %d, want 4", status)
	}
	for _, word := range []string{"runtime:", "pthread_create", "fatal error"} {
		if strings.Contains(s.output(), word) {
			t.Errorf("it says %q", word)
		}
	}
	if left := members(group); len(left) > 0 {
		t.Errorf("%d processes are left", len(left))
	}
	if t.Failed() {
		t.Log(s.output())
	}
}
