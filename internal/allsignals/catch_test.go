//go:build unix

package allsignals

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary a process that catches: it sends itself the signals and says what has come.
func TestMain(m *testing.M) {
	if os.Getenv(catchingVariable) != "" {
		catching()
		return
	}
	os.Exit(m.Run())
}

const catchingVariable = "LASTCALL_TEST_CATCHING"

func catching() {
	s := Catch()
	fmt.Printf("ignored %x\n", s.Ignored())
	next := func(sig syscall.Signal) string {
		_ = syscall.Kill(os.Getpid(), sig)
		done := make(chan struct{})
		defer time.AfterFunc(time.Minute, func() { close(done) }).Stop()
		got, byKernel := s.Next(done)
		return fmt.Sprint(int(got), byKernel)
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGTSTP, syscall.SIGCONT} {
		if got := next(sig); got != fmt.Sprint(int(sig), false) {
			fmt.Printf("%v came as %s\n", sig, got)
		}
	}
	// What is ignored for a while does not come, and a program that is started then ignores it, as this one was to.
	s.Ignore(s.Ignored())
	if s.Ignored().Has(syscall.SIGHUP) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGHUP)
	}
	out, _ := exec.Command("sh", "-c", "kill -HUP $$; echo lives").Output()
	fmt.Printf("child %q\n", out)
	s.CatchAgain(s.Ignored())
	fmt.Println("then", next(syscall.SIGHUP))
	s.Quietly(syscall.SIGHUP, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGHUP) })
	fmt.Println("then", next(syscall.SIGUSR2) == fmt.Sprint(int(syscall.SIGUSR2), false))
	DieOf(syscall.SIGTERM)
}

// Signals come also where they were ignored at the start, which is known, and each once.
func TestCatch(t *testing.T) {
	for ignored, set := range map[string]Set{"": 0, "HUP,INT": Of(syscall.SIGHUP, syscall.SIGINT)} {
		child := ""
		if ignored != "" {
			child = "lives\n"
		}
		args := []string{os.Args[0]}
		if ignored != "" {
			if exec.Command("env", "--ignore-signal=HUP", "true").Run() != nil {
				t.Log("env has no --ignore-signal here")
				continue
			}
			args = []string{"env", "--ignore-signal=" + ignored, os.Args[0]}
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), catchingVariable+"=1")
		out, err := cmd.CombinedOutput()
		want := fmt.Sprintf("ignored %x\nchild %q\nthen 1 false\nthen true\n", uint64(set), child)
		if err == nil || !strings.Contains(err.Error(), "terminated") || string(out) != want {
			t.Errorf("ignoring %q: %v\n%s\nwant\n%s", ignored, err, out, want)
		}
	}
}

func TestSet(t *testing.T) {
	s := Of(syscall.SIGHUP, syscall.SIGUSR1, 64)
	for sig := syscall.Signal(0); sig < 130; sig++ {
		if want := sig == syscall.SIGHUP || sig == syscall.SIGUSR1 || sig == 64; s.Has(sig) != want {
			t.Errorf("%d: %v", sig, s.Has(sig))
		}
	}
	n := 0
	s.each(func(syscall.Signal) { n++ })
	if n != 3 {
		t.Errorf("each of %d", n)
	}
}
