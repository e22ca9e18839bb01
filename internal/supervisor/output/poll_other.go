//go:build unix && !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package output

import (
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// poller tells which of many pipes can be read, by poll(2). Who waits takes a thread. Only one goroutine may wait.
type poller struct {
	mu     sync.Mutex
	pipes  []unix.PollFd
	asked  []unix.PollFd
	offset int
	bell   int      // a pipe that ends a wait, so that it begins anew with what was added
	ring   *os.File // its other end
}

func newPoller() (*poller, error) {
	p := &poller{}
	var err error
	if p.bell, p.ring, err = newPipe(); err != nil {
		return nil, err
	}
	return p, p.add(p.bell)
}

// add begins to look at a pipe.
func (p *poller) add(fd int) error {
	p.mu.Lock()
	p.pipes = append(p.pipes, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	p.mu.Unlock()
	_, err := p.ring.Write([]byte{0})
	return err
}

// remove ends that.
func (p *poller) remove(fd int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pipes = slices.DeleteFunc(p.pipes, func(e unix.PollFd) bool { return int(e.Fd) == fd })
}

// wait puts pipes that can be read into fds, each in its turn if there are more. Without any it waits, if it may.
func (p *poller) wait(fds *[turns]int, block bool) (n int) {
	p.mu.Lock()
	p.asked = append(p.asked[:0], p.pipes...)
	p.mu.Unlock()
	limit := 0
	if block {
		limit = -1
	}
	if _, err := unix.Poll(p.asked, limit); err != nil { // EINTR
		return 0
	}
	for i := range p.asked {
		at := (p.offset + i) % len(p.asked)
		switch e := p.asked[at]; {
		case e.Revents == 0:
		case int(e.Fd) == p.bell:
			var some [64]byte
			readSome(p.bell, some[:])
		default:
			fds[n] = int(e.Fd)
			if n++; n == turns {
				p.offset = at + 1
				return n
			}
		}
	}
	return n
}

func (p *poller) close() {
	p.ring.Close()
	closeFD(p.bell)
}
