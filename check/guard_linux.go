package check

import (
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of its descendants' orphans, see PR_SET_CHILD_SUBREAPER in prctl(2).
func adoptOrphans() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// signalByParent has the child be told of the end of the thread that makes it.
func signalByParent(attr *syscall.SysProcAttr, s syscall.Signal) { attr.Pdeathsig = s }

// letGo has a process go on that asked to be traced by its parent, untraced, with the signal that stopped it. Without this it would
// stop at every signal, and not get it. It asks again at the next exec or call, and is let go again. Only the thread that traces may do this.
func letGo(s stopped) {
	signal := s.signal
	if signal == syscall.SIGTRAP { // of an exec: nothing that the process is to get
		signal = 0
	}
	_, _, _ = unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(s.pid), 0, uintptr(signal), 0, 0)
}

// closeOnExec keeps from the daemon what this process inherited, and lets all signals through to it.
func closeOnExec() {
	if err := unix.CloseRange(guardConn, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil { // before Linux 5.11
		entries, _ := os.ReadDir("/proc/self/fd")
		for _, e := range entries {
			if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= guardConn {
				syscall.CloseOnExec(fd)
			}
		}
	}
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil)
}

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
			attr := &syscall.ProcAttr{Env: append(env, guardVariable+"="+roleOrphan), Files: []uintptr{0, 0, 0, tell.Fd()}}
			if _, err := syscall.ForkExec(self, os.Args[:1], attr); err != nil {
				break
			}
		}
		tell.Close()
		_, _ = io.ReadAll(ready) // until each is what it is to be
		ready.Close()
	}
	err := syscall.Exec(path, os.Args, env)
	os.Stderr.WriteString(path + ": " + err.Error() + "\n")
	os.Exit(127)
}

// killsWithin is how long what is killed may take to go. Only who waits for a disk, or may not be killed, takes so long.
const killsWithin = 10 * time.Second

// killAll kills everything below this process until there is nothing more, and is what cannot be killed. A group is killed at once,
// so that none of it forks in between; who leaves its group while it forks is met again.
func killAll(parent, daemon int, alone <-chan struct{}) (left []int) {
	limit := time.Now().Add(killsWithin)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		left = nil
		denied := 0
		if !seesProcesses {
			_ = syscall.Kill(-daemon, syscall.SIGKILL)
			left = append(left, daemon)
		}
		for _, p := range descendants(parent) {
			if p.Zombie {
				continue
			}
			left = append(left, p.PID)
			err := syscall.Kill(p.PID, syscall.SIGKILL)
			if errors.Is(err, syscall.EPERM) {
				denied++
			} else if p.Group > 1 && p.Group != unix.Getpgrp() {
				_ = syscall.Kill(-p.Group, syscall.SIGKILL)
			}
		}
		next := time.NewTimer(pause)
		select {
		case <-alone:
			next.Stop()
			return nil
		case <-next.C:
		}
		if len(left) > 0 && (denied == len(left) || time.Now().After(limit)) {
			return left
		}
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

// monotonic is a clock in nanoseconds that all processes share, and nobody sets.
func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}
