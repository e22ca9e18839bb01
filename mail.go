package lastcall

import (
	"context"
	"sync/atomic"
)

// A worker's goroutine does not run the engine: the frames of that would reach below the 2 KiB stack that a goroutine starts with, and
// a larger one is most of what very many workers cost. It posts what has happened, and the goroutine that called Run reads
// it, or whatever locks the run before.

// mail is what the goroutine of an attempt has posted.
type mail struct {
	news   atomic.Uint32
	next   *attempt // in mailbox; guarded by being queued
	result *result  // how it returned; set before that is posted
}

// The news of an attempt.
const (
	entered  uint32 = 1 << iota // its function is about to be called
	returned                    // its function has returned, and nothing of it is in flight
	inBox                       // it is in the mailbox
)

// mailbox holds the attempts with news, the last first.
type mailbox struct{ last atomic.Pointer[attempt] }

// post tells the run what has happened.
func (a *attempt) post(news uint32) {
	if a.mail.news.Or(news|inBox)&inBox != 0 {
		return // it is read with what was posted before
	}
	r := a.m.run
	for {
		last := r.mailbox.last.Load()
		a.mail.next = last
		if r.mailbox.last.CompareAndSwap(last, a) {
			if last == nil {
				r.poke()
			}
			return
		}
	}
}

// result is how the function of an attempt ended.
type result struct {
	err   error
	facts facts
}

var stopped = &result{context.Canceled, factsOf(context.Canceled)}

// resultOf is nil for no error. It asks the methods of the error, which may be user code, so it is called without a lock.
func resultOf(err error) *result {
	switch err {
	case nil:
		return nil
	case context.Canceled: //nolint:errorlint // as most return it
		return stopped
	}
	return &result{err, factsOf(err)}
}

// lock locks the run and reads what was posted.
func (r *run) lock() {
	r.mu.Lock()
	r.readMailLocked()
}

// readMailLocked acts on what was posted, in order.
func (r *run) readMailLocked() {
	var first *attempt
	for a := r.mailbox.last.Swap(nil); a != nil; {
		a.mail.next, first, a = first, a, a.mail.next
	}
	for i := 0; first != nil; i++ {
		if i%sameTime == 0 {
			r.at = r.now()
		}
		a := first
		first, a.mail.next = a.mail.next, nil
		news := a.mail.news.Swap(0)
		if news&entered != 0 {
			r.entered(a)
		}
		if news&returned != 0 {
			var end result
			if a.mail.result != nil {
				end = *a.mail.result
			}
			r.returned(a, end.err, end.facts)
		}
	}
}

// sameTime is how many attempts whose mail is read together have the same time.
const sameTime = 64
