package check

import "golang.org/x/sys/unix"

// callName is the name of a system call in which a thread may sleep, "" for others.
func callName(n int) string { return calls[n] }

var calls = map[int]string{
	unix.SYS_ACCEPT: "accept", unix.SYS_ACCEPT4: "accept4", unix.SYS_CLOCK_NANOSLEEP: "clock_nanosleep", unix.SYS_EPOLL_PWAIT: "epoll_pwait",
	unix.SYS_EPOLL_PWAIT2: "epoll_pwait2", unix.SYS_FUTEX: "futex", unix.SYS_IO_URING_ENTER: "io_uring_enter", unix.SYS_NANOSLEEP: "nanosleep", unix.SYS_PPOLL: "ppoll",
	unix.SYS_PSELECT6: "pselect6", unix.SYS_READ: "read", unix.SYS_RECVFROM: "recvfrom", unix.SYS_RECVMSG: "recvmsg", unix.SYS_RT_SIGSUSPEND: "rt_sigsuspend",
	unix.SYS_RT_SIGTIMEDWAIT: "rt_sigtimedwait", unix.SYS_SEMTIMEDOP: "semtimedop", unix.SYS_WAIT4: "wait4", unix.SYS_WAITID: "waitid", unix.SYS_IO_GETEVENTS: "io_getevents",
	unix.SYS_MQ_TIMEDRECEIVE: "mq_timedreceive", unix.SYS_SCHED_YIELD: "sched_yield", unix.SYS_FLOCK: "flock", unix.SYS_FCNTL: "fcntl", unix.SYS_WRITE: "write",
	unix.SYS_CONNECT: "connect", unix.SYS_RESTART_SYSCALL: "restart_syscall",
}
