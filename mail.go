package lastcall

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// A worker's goroutine does not run the engine: the frames of that would reach below the 2 KiB stack that a goroutine starts with, and
// a larger one is most of what very many workers cost. It posts what has happened, and the goroutine that called Run reads
// it, or whatever locks the run before.

// What the goroutine of an attempt has posted.
const (
	entered  uint32 = 1 << iota // its function is about to be called
	returned                    // its function has returned, and nothing of it is in flight
	canceled                    // with context.Canceled
	failed                      // with another error, see run.results
	inBox                       // it is in the mailbox
)

// mailbox holds the attempts with news. It has boxes, so that the processors on which very many workers end at a time do not
// wait for each other: attempts that began one after another, and so end near each other, have the same.
type mailbox struct {
	full  atomic.Uint32 // a bit for each box that may have something in it
	boxes [8]box
}

// A box holds attempts, the last first.
type box struct {
	last atomic.Pointer[attempt]
	_    [56]byte // the rest of the cache line
}

// post tells the run what has happened.
func (a *attempt) post(news uint32) {
	if a.news.Or(news|inBox)&inBox != 0 {
		return // it is read with what was posted before
	}
	r := a.m.run
	i := int(a.id) / sameTime % len(r.mailbox.boxes)
	for b := &r.mailbox.boxes[i]; ; {
		last := b.last.Load()
		a.next = last
		if b.last.CompareAndSwap(last, a) {
			if last == nil && r.mailbox.full.Or(1<<i) == 0 {
				r.wakeUp()
			}
			return
		}
	}
}

// postReturned tells the run that the function has returned. It asks the methods of the error, which may be user code, so it is
// called without a lock.
func (a *attempt) postReturned(err error) {
	switch err {
	case nil:
		a.post(returned)
	case context.Canceled: //nolint:errorlint // as most return it
		a.post(returned | canceled)
	default:
		a.m.run.results.Store(a, &result{err, factsOf(err)})
		a.post(returned | failed)
	}
}

// result is how the function of an attempt ended.
type result struct {
	err   error
	facts facts
}

var (
	wasCanceled = &result{context.Canceled, factsOf(context.Canceled)}
	wasNil      = new(result)
)

// result is how the function of an attempt ended that has posted so.
func (r *run) result(a *attempt, news uint32) *result {
	switch {
	case news&canceled != 0:
		return wasCanceled
	case news&failed != 0:
		end, _ := r.results.LoadAndDelete(a)
		return end.(*result)
	}
	return wasNil
}

// readMailLocked acts on what was posted, in order.
func (r *run) readMailLocked() {
	for full := r.mailbox.full.Swap(0); full != 0; full &= full - 1 {
		r.readBoxLocked(&r.mailbox.boxes[bits.TrailingZeros32(full)])
	}
}

func (r *run) readBoxLocked(b *box) {
	var first *attempt
	for a := b.last.Swap(nil); a != nil; {
		a.next, first, a = first, a, a.next
	}
	for first != nil {
		r.at = r.now()
		for n := 0; first != nil && n < sameTime; n++ {
			a := first
			first, a.next = a.next, nil
			r.read(a)
		}
		r.endAllLocked()
	}
}

// sameTime is how many attempts whose mail is read together have the same time.
const sameTime = 64

// read acts on what an attempt has posted.
func (r *run) read(a *attempt) {
	news := a.news.Swap(0)
	if news&entered != 0 {
		r.endAllLocked()
		r.entered(a)
	}
	if news&returned != 0 {
		end := r.result(a, news)
		r.returned(a, end.err, end.facts)
	}
}
