//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"time"
)

// heldUp is how late a timer must fire for this process to have been held up: it was halted, or the machine slept, and had no chance to
// hear what came in time.
const heldUp = 50 * time.Millisecond

// A deadline is a moment by which a child must have said or done something. The zero value is none.
type deadline struct {
	timer *time.Timer
	at    time.Time
	span  time.Duration // the time that it gives
	more  bool          // it was given more since something was on its way
}

// set makes it d from now.
func (d *deadline) set(span time.Duration) {
	d.at, d.span, d.more = time.Now().Add(span), span, false
	d.wait()
}

func (d *deadline) wait() {
	if d.timer == nil {
		d.timer = time.NewTimer(time.Until(d.at))
		return
	}
	d.timer.Reset(time.Until(d.at))
}

// off makes it none.
func (d *deadline) off() {
	if d.timer != nil {
		d.timer.Stop()
	}
	*d = deadline{}
}

// is reports whether there is one.
func (d *deadline) is() bool { return d.timer != nil }

// passing is the channel of its timer, nil if there is none.
func (d *deadline) passing() <-chan time.Time {
	if d.timer == nil {
		return nil
	}
	return d.timer.C
}

// passed reports whether it has passed, once its timer has fired and everything that came until then has been heard: not if there is
// none any more or it was moved meanwhile. After a pause of this process it is moved by the length of the pause, and at most by the
// time that it gives, since the child's messages may have been held up as well.
func (d *deadline) passed() bool {
	if d.timer == nil {
		return false
	}
	late := time.Since(d.at)
	switch {
	case late < 0:
	case late > heldUp:
		d.at = time.Now().Add(min(late, d.span))
	default:
		return true
	}
	d.wait()
	return false
}

// again has it pass a moment later: something is on its way that will say more.
func (d *deadline) again() {
	d.at = time.Now().Add(heldUp)
	d.wait()
}

// missed is what it means that the timer of a deadline has fired: all that has come is heard first, and the child has missed nothing if
// that was enough, if it has ended, which says more, or if this process was held up. over says that the child is through, failed by err.
func (c *child) missed(d *deadline, fail func() error) (over bool, err error) {
	if err := c.hearAll(); err != nil {
		return true, err
	}
	select {
	case err := <-c.becameReady:
		if err != nil {
			return true, c.cannotBeReady(err)
		}
		c.setReady()
	default:
	}
	switch {
	case !d.passed():
		return false, nil
	case c.main.over():
		d.again()
		return false, nil
	case d == &c.startBy && !d.more && c.isSpeaking():
		d.more = true
		d.again()
		return false, nil
	}
	return true, fail()
}

// isSpeaking reports whether the child has written something that may make it ready and has not been read.
func (c *child) isSpeaking() bool {
	if c.readyPipe != nil && hasUnread(c.readyPipe) {
		return true
	}
	if c.p.Ready.Log != nil {
		for _, o := range c.outputs {
			if hasUnread(o.r) {
				return true
			}
		}
	}
	return false
}

// hasUnread reports whether a pipe has something to read, its end included.
func hasUnread(pipe *os.File) (is bool) {
	conn, err := pipe.SyscallConn()
	if err == nil {
		_ = conn.Control(func(fd uintptr) { is = readable(fd) })
	}
	return is
}

// within gives a look its time. A failure counts for nothing if this process was held up meanwhile, and so took the answer too late or
// not at all; then the next look decides.
func within(ctx context.Context, d time.Duration, look func(context.Context) error) error {
	once := func() error {
		ctx, cancel := context.WithTimeoutCause(ctx, d, fmt.Errorf("timed out after %v", d))
		defer cancel()
		return look(ctx)
	}
	began := time.Now()
	err := once()
	if err != nil && ctx.Err() == nil && time.Since(began) > d+heldUp {
		return once()
	}
	return err
}
