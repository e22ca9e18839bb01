package process

import (
	"os"
	"runtime"
	"sync"
	"syscall"
)

// forks carries out fork on one thread that never ends: the kernel sends the parent-death signal when the *thread* that made
// the child ends, and the Go runtime may end any other (golang/go#27505). That one thread forks also keeps the others
// from being blocked in it. It is not the first thread, to which the kernel gives orphans: see orphans.
var forks struct {
	once  sync.Once
	calls chan func()
}

// fork runs on that thread. Before Linux 5.2 there is no pidfd: the child is known by its number, and a thread waits for it.
func (native) fork(path string, argv []string, attr *syscall.ProcAttr, outlive bool) (*handle, error) {
	forks.once.Do(func() {
		forks.calls = make(chan func())
		service(func() { serveForks(forks.calls) })
	})
	h := &handle{kernel: native{}, fd: -1, child: true}
	attr.Sys.PidFD = &h.fd
	attr.Sys.Pdeathsig = deathSignal(attr.Sys, outlive)
	var err error
	done := make(chan struct{})
	forks.calls <- func() {
		h.pid, err = syscall.ForkExec(path, argv, attr)
		close(done)
	}
	<-done
	if err != nil {
		return nil, err
	}
	return h, nil
}

// serveForks carries out the calls.
func serveForks(calls <-chan func()) {
	runtime.LockOSThread()
	if syscall.Gettid() == self { // which is held here until somebody else has another thread
		other := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(other)
			serveForks(calls)
		}()
		<-other
		runtime.UnlockOSThread()
		return
	}
	for call := range calls {
		call()
	}
}

func hasChroot(sys *syscall.SysProcAttr) bool { return sys != nil && sys.Chroot != "" }

// takeUser takes the change of the user out of what fork does, for the child to do itself; nil if there is none, or it depends on the
// rest of what fork does.
func takeUser(sys *syscall.SysProcAttr) *syscall.Credential {
	cred := sys.Credential
	apart := sys.UidMappings != nil || (sys.Cloneflags|sys.Unshareflags)&syscall.CLONE_NEWUSER != 0
	if os.Geteuid() != 0 || apart || len(sys.AmbientCaps) > 0 {
		return nil
	}
	sys.Credential = nil
	return cred
}

// deathSignal is what the child gets when this process dies, 0 for nothing.
func deathSignal(sys *syscall.SysProcAttr, outlive bool) syscall.Signal {
	if sys.Pdeathsig == 0 && !outlive {
		return syscall.SIGKILL
	}
	return sys.Pdeathsig
}
