package process

import (
	"os"
	"syscall"
	"testing"
)

// Who is in execve(2) has no environment at that moment, and a mark all the same; who has been given none has none.
func TestMarkInExec(t *testing.T) {
	self, err := os.Executable()
	noError(t, err)
	mark := familyVariable + "=outer:inner"
	for _, test := range []struct {
		env  []string
		want string
	}{{[]string{scriptVariable + "=wait", raceVariable, mark}, "outer:inner"}, {nil, ""}} {
		for range 50 {
			// It returns in the middle of execve(2), which is when the pipe by which it knows is closed.
			pid, err := syscall.ForkExec(self, []string{self, "-test.run=^$"}, &syscall.ProcAttr{Env: test.env})
			noError(t, err)
			if got := familyMark(pid); got != test.want {
				t.Errorf("the mark is %q, want %q", got, test.want)
			}
			noError(t, syscall.Kill(pid, syscall.SIGKILL))
			_, err = syscall.Wait4(pid, nil, 0, nil)
			noError(t, err)
		}
	}
}
