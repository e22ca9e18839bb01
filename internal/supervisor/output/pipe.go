//go:build unix

package output

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newPipe is a pipe of which the end to read does not block, and the end to write does, as programs expect it of their
// stdout. Neither is in the runtime's poller, which would be told of every write.
func newPipe() (read int, write *os.File, err error) {
	var p [2]int
	if err := pipe(&p); err != nil {
		return -1, nil, os.NewSyscallError("pipe", err)
	}
	if err := unix.SetNonblock(p[0], true); err != nil {
		unix.Close(p[0])
		unix.Close(p[1])
		return -1, nil, os.NewSyscallError("fcntl", err)
	}
	return p[0], os.NewFile(uintptr(p[1]), "output"), nil
}

// readSome is how much there is, 0 if there is nothing now.
func readSome(fd int, b []byte) int {
	for {
		n, err := unix.Read(fd, b)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0)
		}
	}
}

// writeAll waits until all is written, also where another process has made the file non-blocking for all who hold it. It
// does not go by os.File, with which a program whose stdout nobody reads dies of SIGPIPE.
func writeAll(fd int, b []byte) (n int, err error) {
	for n < len(b) {
		m, err := unix.Write(fd, b[n:])
		n += max(m, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
		case err != nil && !errors.Is(err, unix.EINTR):
			return n, err
		}
	}
	return n, nil
}

func closeFD(fd int) { unix.Close(fd) }

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}

// isJournal reports whether f leads to systemd's journal; see systemd.exec(5), JOURNAL_STREAM.
func isJournal(f *os.File) bool {
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return false
	}
	return os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}
