package process

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lastcall-go/lastcall"
	"github.com/lastcall-go/lastcall/internal/testset"
)

// idleVariable makes the test binary one that has twenty children, and says so.
const idleVariable = "LASTCALL_TEST_IDLE"

func init() {
	lives[idleVariable] = func(string) {
		group := &lastcall.Group{Grace: limit}
		var names []string
		for i := range 20 {
			names = append(names, fmt.Sprintf("sleep%d", i))
			group.Add(names[i], &Process{Command: []string{"sleep", "1000"}, Notify: i%2 == 0})
		}
		group.Go("say", func(ctx context.Context) error {
			fmt.Println("ready")
			<-ctx.Done()
			return nil
		}, lastcall.After(names...))
		fmt.Println(group.Run(context.Background()))
	}
}

// While nothing happens nothing runs: with twenty children the threads of a process wake up less than once a second. A tick a
// second, for all or for each child, would be in every window. It is a process of its own, without what other tests left to the
// runtime, and is watched from outside. The runtime has work of its own for a while after the start, and on a busy machine for
// longer, so it is looked at until it has come to rest.
func TestIdle(t *testing.T) {
	testset.OnlyLong(t, "it measures; the default set has the scenario idle, played against the commands")
	const seconds = 6
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), idleVariable+"=yes", raceVariable)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	noError(t, err)
	noError(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill() // the children go with it
		_ = cmd.Wait()
	}()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("it said %q: %v", line, err)
	}
	var seen []int
	for until := time.Now().Add(limit); ; {
		before := switches(t, cmd.Process.Pid)
		time.Sleep(seconds * time.Second)
		n := switches(t, cmd.Process.Pid) - before
		if seen = append(seen, n); n < seconds {
			break
		}
		if time.Now().After(until) {
			t.Errorf("%d context switches in %d s each: something wakes up", seen, seconds)
			break
		}
	}
	t.Logf("%d context switches in windows of %d s with 20 children", seen, seconds)
}

// switches counts the voluntary context switches of all threads of a process.
func switches(t *testing.T, pid int) (sum int) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	noError(t, err)
	for _, path := range threads {
		var n int
		fmt.Sscan(field(t, path, "voluntary_ctxt_switches:"), &n)
		sum += n
	}
	return sum
}
