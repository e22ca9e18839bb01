package process

import (
	"runtime"
	"syscall"
	"testing"
)

// What this package starts is no child of the first thread, whose children are taken for orphans: also when the goroutine for it happens
// to begin there.
func TestForksAreNotOfTheFirstThread(t *testing.T) {
	calls, release, first := make(chan func()), make(chan struct{}), make(chan bool)
	defer close(calls)
	defer close(release)
	begin := func() { // each holds a thread of its own
		runtime.LockOSThread()
		first <- syscall.Gettid() == self
		if syscall.Gettid() == self {
			runtime.UnlockOSThread()
			serveForks(calls)
			return
		}
		<-release
		runtime.UnlockOSThread()
	}
	for tries := 0; ; tries++ {
		if tries == 100 {
			t.Skip("the first thread is held by somebody else")
		}
		go begin()
		if <-first {
			break
		}
	}
	thread := make(chan int)
	calls <- func() { thread <- syscall.Gettid() }
	if got := <-thread; got == self {
		t.Error("a child of the first thread")
	}
}
