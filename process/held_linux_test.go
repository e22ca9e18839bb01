package process

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// Whom somebody else in this program waits for is nobody's orphan, also when no descriptor is left to see that with.
func TestHeldByOthers(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	noError(t, err)
	noError(t, cmd.Start())
	defer func() {
		in.Close()
		noError(t, cmd.Wait())
	}()
	own, err := here.open(os.Getpid())
	noError(t, err)
	defer own.close()
	check := func(when string, ownToo bool) {
		held := heldByOthers()
		if !held(cmd.Process.Pid) {
			t.Errorf("%s: the command of somebody else is not held", when)
		}
		if got := held(own.pid); got != ownToo {
			t.Errorf("%s: a process that this package has open is held by others: %v", when, got)
		}
	}
	check("as a rule", false)

	var limit syscall.Rlimit
	noError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	noError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: limit.Max})) // what is open stays
	check("without a descriptor", true)
	noError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	check("with one again", false)
}
