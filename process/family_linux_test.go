package process

import (
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
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

// What this package starts is no child of the first thread, whose children are taken for orphans: also when the goroutine for it happens
// to begin there.
func TestForksAreNotOfTheFirstThread(t *testing.T) {
	first := make(chan bool)
	for deadline := time.Now().Add(limit); ; {
		calls := make(chan func())
		go func() {
			if syscall.Gettid() != self {
				runtime.Gosched()
				first <- false
				return
			}
			first <- true
			serveForks(calls)
		}()
		if !<-first {
			close(calls)
			if time.Now().After(deadline) {
				t.Skipf("no goroutine ran on the first thread in %v", limit)
			}
			continue
		}
		thread := make(chan int)
		calls <- func() { thread <- syscall.Gettid() }
		if got := <-thread; got == self {
			t.Error("a child of the first thread")
		}
		close(calls)
		return
	}
}
