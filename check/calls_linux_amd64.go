package check

import "golang.org/x/sys/unix"

// Those that newer architectures have no more.
func init() {
	calls[unix.SYS_EPOLL_WAIT], calls[unix.SYS_POLL], calls[unix.SYS_SELECT], calls[unix.SYS_PAUSE] = "epoll_wait", "poll", "select", "pause"
}
