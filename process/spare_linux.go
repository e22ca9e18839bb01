package process

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// spare are descriptors that are kept, so that a stop still finds a family in /proc where this process, or the system, has none left. One is
// closed for the time of a look, and opened again.
var spare struct {
	mu  sync.Mutex
	fds []int
}

// spares is how many are kept: one look at a time needs one, and what is opened elsewhere in between may take some.
const spares = 4

// keepSpares opens those that are missing, as far as that is possible.
func keepSpares() {
	spare.mu.Lock()
	defer spare.mu.Unlock()
	keepSparesLocked()
}

func keepSparesLocked() {
	for len(spare.fds) < spares {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return
		}
		spare.fds = append(spare.fds, fd)
	}
}

// withSpare calls look, which opens one descriptor and closes it, and where there was none left calls it again with a spare one.
func withSpare(look func() error) error {
	err := look()
	if !noDescriptor(err) {
		return err
	}
	spare.mu.Lock()
	defer spare.mu.Unlock()
	defer keepSparesLocked()
	for noDescriptor(err) && len(spare.fds) > 0 {
		last := len(spare.fds) - 1
		unix.Close(spare.fds[last])
		spare.fds = spare.fds[:last]
		err = look()
	}
	return err
}

func noDescriptor(err error) bool { return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) }
