package serve

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// errStopped ends the accept loop at the soft stop.
var errStopped = errors.New("serve: stopped accepting")

const (
	// halfOpen is how long the queue must have been empty before the listener is closed, so that handshakes under way
	// can complete. It is longer if connections came in during the last second, or if round trips are known to take
	// longer; never more than maxHalfOpen.
	halfOpen     = time.Millisecond
	halfOpenBusy = 10 * time.Millisecond
	maxHalfOpen  = 100 * time.Millisecond
	// lastLook catches connections that came in between two rounds.
	lastLook = 100 * time.Microsecond
	// emptying limits how long the queue is emptied; emptyingBusy applies where new connections cannot be kept from
	// entering it.
	emptying     = time.Second
	emptyingBusy = 50 * time.Millisecond
)

// A listener accepts for a run, and empties the kernel's queue at the stop.
type listener struct {
	net.Listener
	run   *run
	first sync.Once
	once  sync.Once
	err   error

	told  chan struct{} // closed when the stop has set the fields below
	quiet bool          // no new connection enters the queue
	wait  time.Duration // halfOpen, or longer
	until time.Time     // limit of emptying; zero: there is nothing to empty

	stage  stage // of the accepting goroutine
	parked atomic.Bool
}

// A stage is how far emptying the queue has come. Each accepted connection sets it back.
type stage int

const (
	stageTook   stage = iota // a connection was in the queue
	stageRound               // a round of wait is under way
	stageParked              // the queue is empty; the listener stays open, at no cost, while connections are open
	stageLast                // all connections have ended: the last look
)

func newListener(ln net.Listener, r *run) *listener {
	return &listener{Listener: ln, run: r, told: make(chan struct{})}
}

// Accept returns errStopped when the soft stop has begun and the queue is empty. It has closed the listener by then: in
// each microsecond between the last look and the close a client can be reset.
func (l *listener) Accept() (net.Conn, error) {
	l.first.Do(l.run.ready)
	for {
		nc, err := l.Listener.Accept()
		if err == nil {
			if _, ok := nc.(*tls.Conn); ok {
				nc.Close()
				return nil, errors.New("the listener speaks TLS; pass the listener beneath it to serve.HTTP, and put the certificates into TLSConfig")
			}
			l.stage = stageTook
			l.parked.Store(false)
			return l.run.track(nc), nil
		}
		if !l.run.stopping.Load() {
			return nil, err
		}
		if !l.again(err) {
			l.Close()
			return nil, errStopped
		}
	}
}

// A deadliner is a listener whose Accept can be interrupted.
type deadliner interface{ SetDeadline(time.Time) error }

// stop interrupts a blocked Accept, which then empties the queue. The run is stopping.
func (l *listener) stop() {
	d, ok := l.Listener.(deadliner)
	if ok && (!l.run.opt.held || letGo(l.Listener)) {
		l.quiet = silence(l.Listener)
		bound, wait := emptyingBusy, halfOpen
		if l.quiet {
			bound = emptying
		}
		if last := l.run.accepted.Load(); last != 0 && l.run.now()-time.Duration(last) < time.Second {
			wait = halfOpenBusy
		}
		l.until = time.Now().Add(bound)
		l.wait = min(max(wait, 2*l.run.roundTrip()), maxHalfOpen)
	}
	close(l.told)
	if !ok || d.SetDeadline(time.Unix(1, 0)) != nil {
		l.Close()
	}
}

// wake ends the wait of a parked listener: the last connection has ended.
func (l *listener) wake() {
	if l.parked.CompareAndSwap(true, false) {
		l.Listener.(deadliner).SetDeadline(time.Unix(1, 0))
	}
}

// again reports whether to call Accept again after this error.
func (l *listener) again(err error) bool {
	<-l.told
	now := time.Now()
	if !now.Before(l.until) {
		return false
	}
	d := l.Listener.(deadliner)
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		time.Sleep(halfOpen) // connections that end make room
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return false
	case l.stage == stageTook:
		l.stage = stageRound
		d.SetDeadline(now.Add(l.wait))
	case l.stage == stageRound && l.quiet:
		l.stage = stageParked
		d.SetDeadline(l.until)
		l.parked.Store(true)
		if l.run.open() == 0 { // it ended before we parked
			l.wake()
		}
	case l.stage == stageParked:
		l.stage = stageLast
		d.SetDeadline(now.Add(lastLook))
	default:
		return false
	}
	return true
}

// Close closes the socket, once.
func (l *listener) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}
