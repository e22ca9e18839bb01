//go:build unix

package check

import (
	"sync"
	"time"
)

// witnessEvery is the pause between two looks at the connections of a daemon that stops: what is accepted is open for longer than
// that, as a rule.
const witnessEvery = time.Millisecond

// A witness sees which connections a daemon has accepted while it stops: those have a socket (an inode), the others are still in the
// kernel's queue. Without it, a reset does not tell whether the daemon or the kernel sent it.
type witness struct {
	mu       sync.Mutex
	accepted map[uint16]bool // by the client's port
	quit     chan struct{}
	done     chan struct{}
}

// witness begins to look; nil where the system does not show it. It looks until its end, or the daemon's.
func (l *life) witness() *witness {
	port := l.r.port()
	if !seesProcesses || port == 0 {
		return nil
	}
	w := &witness{accepted: map[uint16]bool{}, quit: make(chan struct{}), done: make(chan struct{})}
	w.look(l.k.daemon, port)
	go func() {
		defer close(w.done)
		for {
			select {
			case <-w.quit:
				return
			case <-l.k.exited:
				return
			case <-time.After(witnessEvery):
			}
			w.look(l.k.daemon, port)
		}
	}()
	return w
}

func (w *witness) look(pid int, port uint16) {
	now := acceptedFrom(pid, port)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, from := range now {
		w.accepted[from] = true
	}
}

// saw reports whether the connection from a client's port was accepted. A port used again counts as the same connection.
func (w *witness) saw(port uint16) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.accepted[port]
}

func (w *witness) end() {
	if w != nil {
		close(w.quit)
		<-w.done
	}
}
