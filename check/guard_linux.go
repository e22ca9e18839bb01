package check

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of its descendants' orphans, see PR_SET_CHILD_SUBREAPER in prctl(2).
func adoptOrphans() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

func killWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// ownNamespace makes the child PID 1 of its own namespace, see pid_namespaces(7); who is not root needs a user namespace for it.
func ownNamespace(attr *syscall.SysProcAttr) {
	attr.Cloneflags = unix.CLONE_NEWPID | unix.CLONE_NEWNS
	if os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
	}
}

// inside is the first process of a namespace: it makes children of which the daemon will know nothing, and becomes the daemon.
func inside(path string) {
	_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	env := os.Environ()
	if ready, tell, err := os.Pipe(); err == nil {
		for range planted {
			attr := &syscall.ProcAttr{Env: append(env, guardVariable+"="+roleOrphan), Files: []uintptr{0, 0, 0, guardOrders, tell.Fd()}}
			if _, err := syscall.ForkExec(self, os.Args[:1], attr); err != nil {
				break
			}
		}
		tell.Close()
		_, _ = io.ReadAll(ready) // until each is what it is to be
		ready.Close()
	}
	syscall.CloseOnExec(guardOrders)
	err := syscall.Exec(path, os.Args, env)
	os.Stderr.WriteString(path + ": " + err.Error() + "\n")
	os.Exit(127)
}

// killAll kills everything below the guard until there is nothing more. The daemon's group is reached by its descent.
func killAll(guard, _ int) {
	for {
		some := false
		for _, p := range descendants(guard) {
			some = true
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		if !some {
			return
		}
		time.Sleep(time.Millisecond) // until the guard's other goroutine has buried them
	}
}

// nameThread sets the name by which this process is seen.
func nameThread(name string) {
	if b, err := unix.BytePtrFromString(name); err == nil {
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(b)), 0, 0, 0)
	}
}

// noNamespace says why no PID namespace can be made here, "" if one can.
func noNamespace() string {
	cmd := &exec.Cmd{Path: self, Args: []string{self}, Env: append(os.Environ(), guardVariable+"="+roleNothing+":"), SysProcAttr: &syscall.SysProcAttr{}}
	ownNamespace(cmd.SysProcAttr)
	err := cmd.Run()
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno.Error() + "; see user.max_user_namespaces, kernel.unprivileged_userns_clone"
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
