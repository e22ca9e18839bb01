package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall"
)

// refusedVariable makes the test binary a supervisor whose kernel refuses newer system calls: the value is the number of the error.
const refusedVariable = "LASTCALL_TEST_REFUSED"

func init() { lives[refusedVariable] = liveRefused }

// refuse installs a filter that refuses pidfds and close_range with an error, on all threads, for good.
func refuse(errno syscall.Errno) error {
	calls := []uint32{unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_PIDFD_GETFD, unix.SYS_CLOSE_RANGE, unix.SYS_STATX}
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the number of the call
	for i, call := range calls {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jt: uint8(len(calls) - i)})
	}
	filter = append(filter,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, failed := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if failed != 0 {
		return failed
	}
	return nil
}

// liveRefused stops a family and waits for a command of package os/exec.
func liveRefused(number string) {
	var errno syscall.Errno
	fmt.Sscan(number, &errno)
	if err := refuse(errno); err != nil {
		fmt.Println("no filter:", err)
		return
	}
	if _, err := unix.PidfdOpen(os.Getpid(), 0); err != errno {
		fmt.Println("the filter does nothing:", err)
		return
	}
	command := exec.Command("/bin/sh", "-c", "exit 7") // it ends, and nothing waits for it yet
	if err := command.Start(); err != nil {
		fmt.Println(err)
	}
	for _, test := range []struct {
		name, script string
		grace        time.Duration
	}{
		{"soft", "on TERM { say main TERM; exit 0 }; spawn sid { on TERM { say left TERM; exit 0 }; say left; wait }; say up; wait", limit},
		{"hard", "ignore TERM; spawn sid { ignore TERM; say left; wait }; say up; wait", 300 * time.Millisecond},
	} {
		p := script(test.script)
		r, w, _ := os.Pipe()
		p.Stdout = w
		group := lastcall.Group{Grace: test.grace, HardStop: limit}
		group.Add(test.name, p)
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- group.Run(ctx) }()
		said := ""
		for buf := make([]byte, 100); !strings.Contains(said, "up\n") || !strings.Contains(said, "left\n"); {
			n, _ := r.Read(buf)
			said += string(buf[:n])
		}
		stop()
		err := <-done
		exit, _ := p.Exit()
		fmt.Printf("%s: failed %v, %v\n", test.name, err != nil, exit)
		for _, one := range p.Relatives() {
			fmt.Printf("%s: killed %v\n", test.name, one.Killed)
		}
	}
	here.find().sweep()
	_ = command.Wait()
	fmt.Println("command:", command.ProcessState.ExitCode())
}

// Where the kernel refuses pidfds, by a filter or since it is old, everything can be stopped all the same, and nobody's status is taken.
func TestRefusedCalls(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.ENOSYS} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", refusedVariable, errno), raceVariable)
		out, err := cmd.CombinedOutput()
		noError(t, err)
		if strings.HasPrefix(string(out), "no filter:") {
			t.Skipf("no filter can be installed here: %s", out)
		}
		want := "soft: failed false, exit code 0\nsoft: killed false\nhard: failed true, died of SIGKILL\nhard: killed true\ncommand: 7\n"
		if string(out) != want {
			t.Errorf("%v: got\n%swant\n%s", errno, out, want)
		}
	}
}

// A child without a pidfd, as before Linux 5.2, is waited for by a thread, and its number stays its own until it is reaped.
func TestWithoutPidfd(t *testing.T) {
	h, err := native{}.fork("/bin/sh", []string{"sh", "-c", "exec sleep 1000"}, &syscall.ProcAttr{
		Env: os.Environ(), Files: files(t), Sys: &syscall.SysProcAttr{Setpgid: true},
	}, false)
	noError(t, err)
	unix.Close(h.fd)
	h.fd = -1
	ended := make(chan struct{})
	noError(t, h.onExit(func() { close(ended) }))
	if h.over() {
		t.Error("it has ended before it was to")
	}
	noError(t, h.signal(syscall.SIGKILL))
	select {
	case <-ended:
	case <-time.After(limit):
		t.Fatalf("its end was not told within %v", limit)
	}
	if !h.over() || !exists(h.pid) {
		t.Errorf("over is %v, and its number is taken: %v", h.over(), exists(h.pid))
	}
	status, err := h.reap()
	if err != nil || status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v, %v", status, err)
	}
	if err := h.signal(syscall.SIGKILL); err != syscall.ESRCH {
		t.Errorf("a signal to what has been reaped: %v", err)
	}
}

func files(t *testing.T) []uintptr {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	noError(t, err)
	t.Cleanup(func() { null.Close() })
	return []uintptr{null.Fd(), null.Fd(), null.Fd()}
}
