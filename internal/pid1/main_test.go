//go:build unix

package pid1

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary the init by whose name it is called.
func TestMain(m *testing.M) {
	if end, ok := Called(os.Args[0], os.Args[1:]); ok {
		end.Exit()
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for something that the real kernel does.
const patience = 2 * time.Minute

// result is how a command ended.
type result struct {
	status      int
	out, errors string
}

// as runs this program under a name, below the programs that via has, and returns how it ended.
func as(t *testing.T, env []string, args ...string) result {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return run(t, &exec.Cmd{Path: self, Args: args, Env: append(os.Environ(), env...)})
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !timer.Stop() {
		t.Fatalf("%q: waited %v for its end\n%s%s", cmd.Args, patience, &out, &errs)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	status := ws.ExitStatus()
	if ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	return result{status, out.String(), errs.String()}
}
