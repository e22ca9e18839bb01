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

// setDumpable allows or forbids other processes of this user to trace this one, and to take its descriptors, see PR_SET_DUMPABLE in
// prctl(2). What root may do it may still.
func setDumpable(on bool) {
	value := uintptr(0)
	if on {
		value = 1
	}
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, value, 0, 0, 0)
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

// killAll kills everything below this process until there is nothing more, and returns what cannot be killed.
func killAll(parent, daemon int, alone <-chan struct{}) (left []int) {
	limit := time.Now().Add(killsWithin)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		if !seesProcesses {
			_ = syscall.Kill(-daemon, syscall.SIGKILL)
			left = []int{daemon}
		}
		var denied int
		if seesProcesses {
			left, denied = killBelow(parent, unix.Getpgrp(), 0)
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

// killBelow kills everything below a process once, except one process, and returns what was alive and how much of it may not be
// killed. A group is killed at once, so that none of it forks in between; a process that leaves its group while it forks is met again.
// The group of the guards is never a descendant's: those are in other sessions.
func killBelow(parent, guards, except int) (alive []int, denied int) {
	for _, p := range descendants(parent) {
		if p.Zombie || p.PID == except {
			continue
		}
		alive = append(alive, p.PID)
		err := syscall.Kill(p.PID, syscall.SIGKILL)
		if errors.Is(err, syscall.EPERM) {
			denied++
		} else if p.Group > 1 && p.Group != guards && p.Group != unix.Getpgrp() {
			_ = syscall.Kill(-p.Group, syscall.SIGKILL)
		}
	}
	return alive, denied
}

// killFamily kills what is below a guard that does not answer, then the guard, then what is below its watchdog. It does that from
// outside, and in this order: a guard that is stopped still is the parent of the orphans.
func killFamily(watchdog, guard int) {
	limit := time.Now().Add(killsWithin)
	kill := func(parent, except int) {
		for pause := time.Millisecond; time.Now().Before(limit); pause = min(2*pause, 50*time.Millisecond) {
			if alive, denied := killBelow(parent, watchdog, except); len(alive) == denied {
				return
			}
			time.Sleep(pause)
		}
	}
	if guard > 0 {
		kill(guard, 0)
	}
	kill(watchdog, guard)
	if guard > 0 {
		_ = syscall.Kill(guard, syscall.SIGKILL)
	}
	kill(watchdog, 0)
}

// handle is a pidfd, see pidfd_open(2). It stays the same process's.
type handle int

func handleOf(pid int) (handle, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	return handle(fd), err
}

// await waits for the end of the process, for a limited time unless that is negative.
func (h handle) await(within time.Duration) (ended bool) {
	limit := time.Now().Add(within)
	for {
		ms := -1
		if within >= 0 {
			ms = int(max(0, time.Until(limit)).Milliseconds())
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(h), Events: unix.POLLIN}}, ms)
		if !errors.Is(err, unix.EINTR) {
			return n > 0
		}
	}
}

func (h handle) close() { _ = unix.Close(int(h)) }

// awaitStop waits until a child has ended, or is stopped by a signal, which it returns then. The child stays to be waited for.
func awaitStop(pid int) (by syscall.Signal) {
	// The part of siginfo_t that SIGCHLD has, see sigaction(2).
	var info struct {
		signo, errno, code int32
		_                  [unsafe.Sizeof(uintptr(0)) - 4]byte
		pid                int32
		uid                uint32
		status             int32
		_                  [128]byte
	}
	for {
		err := unix.Waitid(unix.P_PID, pid, (*unix.Siginfo)(unsafe.Pointer(&info)), unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
		const stopped = 5 // CLD_STOPPED
		switch {
		case errors.Is(err, unix.EINTR):
		case err == nil && info.code == stopped:
			return syscall.Signal(info.status)
		default:
			return 0
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
