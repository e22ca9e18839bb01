//go:build unix

package process

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// A kernel is what the stop of a family asks of the system. There is one for Linux, one for FreeBSD, one for the other BSDs with macOS, and
// a fake that the tests use, which does all that these kernels may do. Everything above it is the same on every system.
type kernel interface {
	// fork runs the program and returns once that is certain: a signal after it reaches the program and not our copy.
	fork(path string, argv []string, attr *syscall.ProcAttr, outlive bool) (*handle, error)
	// open returns a handle of a process that this package has not started. The caller makes sure that it is still the one that it means.
	open(pid int) (*handle, error)
	// close gives back what the handle holds.
	close(h *handle)

	// watch calls fn once, from any goroutine, when the process has ended, or is about to where the end is not certain: a kernel may
	// note it early. ESRCH says that it has ended already; every other error, that this process cannot be watched.
	watch(h *handle, fn func(certain bool)) error
	// forget ends what watch began; fn is not called after it, unless it is being called.
	forget(h *handle)
	// ended reports whether the process has ended: it is a zombie, or gone.
	ended(h *handle) bool
	// peek is how a child has ended, whose status nothing has taken.
	peek(h *handle) (Exit, bool)
	// await returns when a child has ended. It takes a thread.
	await(h *handle)

	// place is the group and the session of a process. ESRCH says that it is gone, on the BSDs also that it is a zombie, or hidden.
	place(pid int) (pgid, sid int, err error)

	// signal sends s to this very process.
	signal(h *handle, s syscall.Signal) error
	// kill is kill(2): a negative number is a process group.
	kill(pid int, s syscall.Signal) error
	// killTree kills a child and all its descendants at one time, or those that it had if it has been reaped.
	killTree(child int) error

	// adopt makes this process the parent of its descendants' orphans.
	adopt() error
	// wait takes the status of one child; EAGAIN says that it has not ended.
	wait(pid, options int) (syscall.WaitStatus, error)
	// children tells when children end, until stop is called.
	children() (ended <-chan os.Signal, stop func())
	// finder is the way to find families here.
	finder(r *registry) finder
}

// A finder finds the members of families. What it is asked it answers under the lock of the registry, which it takes itself.
type finder interface {
	// pass lists the members besides the main process that are alive, and reaps the dead that are this process's. settled is false
	// if a process was reaped meanwhile, or lost between two looks: what it had made may be in no list yet. alone says that there is
	// one main process and it has ended, so that it has no children any more.
	pass(f *family, alone bool) (list []descendant, settled bool)
	// lives reports whether k is alive, and still that process. Of a group it reports whether anything in it is.
	lives(k descendant) bool
	// reapFirst reports whether the main process is reaped before the rest of its family is stopped.
	reapFirst() bool
	// remember notes the descendants of the main process now, besides those that it noted before.
	remember(f *family)
	// sweep reaps orphans that have ended, and no child that others in this program wait for.
	sweep()
	// know notes a main process, forget drops it. The caller has the lock.
	know(f *family, pid int)
	forget(pid int)
}

// waitFor is wait4 for one child.
func waitFor(pid, options int) (syscall.WaitStatus, error) {
	var s syscall.WaitStatus
	for {
		got, err := syscall.Wait4(pid, &s, options, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err == nil && got == 0 {
			err = syscall.EAGAIN
		}
		return s, err
	}
}

// children tells of ends by SIGCHLD. Once it is stopped, the thousandth end wakes nothing.
func (native) children() (<-chan os.Signal, func()) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	return ended, func() { signal.Stop(ended) }
}

func (native) place(pid int) (pgid, sid int, err error) {
	if pgid, err = unix.Getpgid(pid); err == nil {
		sid, err = unix.Getsid(pid)
	}
	return pgid, sid, err
}

func (native) kill(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }

// native is the kernel that this process runs on.
type native struct{}
