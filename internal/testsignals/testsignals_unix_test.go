//go:build unix

package testsignals_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/lastcall-go/lastcall/internal/testsignals"
)

// TestMain is, as a child of the test, a process that says what it ignores, or starts one after Default.
func TestMain(m *testing.M) {
	role := os.Getenv("TESTSIGNALS_ROLE")
	os.Unsetenv("TESTSIGNALS_ROLE")
	switch role {
	case "say":
		fmt.Println(signal.Ignored(syscall.SIGHUP), signal.Ignored(syscall.SIGINT))
	case "default and start":
		testsignals.Default()
		cmd := exec.Command("/proc/self/exe")
		if self, err := os.Executable(); err == nil {
			cmd = exec.Command(self)
		}
		cmd.Env = append(os.Environ(), "TESTSIGNALS_ROLE=say")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Println(err)
		}
	default:
		os.Exit(m.Run())
	}
}

func TestChildrenHaveTheDefaultAction(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for role, want := range map[string]string{"say": "true true", "default and start": "false false"} {
		cmd := exec.Command("/bin/sh", "-c", `trap "" HUP INT; exec "$0"`, self)
		cmd.Env = append(os.Environ(), "TESTSIGNALS_ROLE="+role)
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: ignored are HUP, INT: %q, %v; want %q", role, got, err, want)
		}
	}
}
