package check

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// readerGoneWithin is how long a process that is just being started may have what this one has open, until its exec is complete. What it
// waits for is an event; without it, the daemon would be judged while somebody can still read.
const readerGoneWithin = drainedWithin

// inPipe is how many bytes are in a pipe, see pipe(7).
func inPipe(fd int) int {
	n, _ := unix.IoctlGetInt(fd, unix.TIOCINQ)
	return n
}

// noReader returns a function that waits, after the end of a pipe to read has been closed, until nobody else has it: who writes is then told.
func noReader(read *os.File) (await func()) {
	raw, err := read.SyscallConn()
	if err != nil {
		return func() {}
	}
	write := -1
	_ = raw.Control(func(fd uintptr) { // the other end once more: at that, the system says whether there is a reader
		write, err = unix.Open("/proc/self/fd/"+strconv.Itoa(int(fd)), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil || write < 0 {
		return func() {}
	}
	return func() {
		defer unix.Close(write)
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(write)}}, int(readerGoneWithin.Milliseconds())) // POLLERR comes unasked for
			if !errors.Is(err, unix.EINTR) {
				return
			}
		}
	}
}
