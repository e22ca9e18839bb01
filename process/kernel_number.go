//go:build unix && !linux

package process

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// Processes are known by their numbers here.

// fork has the child killed with this process where the system can do that.
func (native) fork(path string, argv []string, attr *syscall.ProcAttr, outlive bool) (*handle, error) {
	if !outlive {
		killWithParent(attr.Sys)
	}
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return nil, err
	}
	return &handle{kernel: native{}, pid: pid, fd: -1, child: true}, nil
}

func (native) open(pid int) (*handle, error) {
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return nil, err
	}
	return &handle{kernel: native{}, pid: pid, fd: -1}, nil
}

func (native) close(h *handle) { h.forget() }

func (native) ended(h *handle) bool { return h.endedByNumber() }

func (native) peek(h *handle) (Exit, bool) { return Exit{}, false } // asking would take it

func (native) await(h *handle) { h.awaitByNumber() }

func (native) signal(h *handle, s syscall.Signal) error { return h.byNumber(s) }

func (native) wait(pid, options int) (syscall.WaitStatus, error) { return waitFor(pid, options) }

func hasChroot(sys *syscall.SysProcAttr) bool { return sys != nil && sys.Chroot != "" }

// takeUser takes the change of the user out of what fork does, for the child to do itself; nil if there is none.
func takeUser(sys *syscall.SysProcAttr) *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	cred := sys.Credential
	sys.Credential = nil
	return cred
}

// deathSignal is 0: on this system what fork sets outlasts the change of the user, or there is nothing to set.
func deathSignal(*syscall.SysProcAttr, bool) syscall.Signal { return 0 }

// Claim is [Adopt]: this system tells whose an orphan is, or gives it to its init.
func Claim() bool { return Adopt() }

// EndStrays does nothing.
func EndStrays(context.Context) ([]Relative, error) { return nil, nil }

// Strays are none.
func Strays() (list, spared []Relative) { return nil, nil }
