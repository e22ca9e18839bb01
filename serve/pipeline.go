package serve

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Pipelining: a client may send its next requests before it has the answer to the first. net/http drops them all once
// an answer says "Connection: close", so a stopping server may say that only with the last request that has arrived.
// This file finds out which request that is.
//
// Bytes that have arrived are in up to four places: in the kernel, in the TLS connection, in the one byte that net/http
// reads ahead while a handler runs (to notice that the client went away), and in net/http's buffer. If one of them
// cannot be inspected, the answer does not say close, and the connection is closed after a quiet time.

// arrivals is what a connection knows of the bytes that it has passed on.
type arrivals struct {
	passed    atomic.Int64 // twice the bytes passed on to net/http, or to TLS; and 1 while a read is under way
	ended     atomic.Bool  // a read failed, or the client has ended its half of the connection
	tail      atomic.Bool  // the request under way has been read to its end; bytes read now come after it
	byHandler atomic.Int64 // calls by which a handler sets a deadline

	// For this connection leaving begins with its first answer while the server stops: later arrivals are not waited
	// for.
	marking  atomic.Bool  // it begins
	mark     atomic.Int64 // what delivered will be when everything that had arrived then is delivered; 0 while unknown
	meantime atomic.Int64 // bytes read meanwhile, which mark may lack
	past     atomic.Bool  // a read began when everything up to mark had been delivered
	late     atomic.Bool  // and it was for a request: a part of that had not arrived in time
	followed atomic.Bool  // bytes were known to follow the last answer
}

const (
	// readAhead is how long net/http's read-ahead may take to begin. It usually takes microseconds.
	readAhead = 200 * time.Millisecond
	// readBlocked is how long a read must have waited to show that nothing has arrived, where the kernel cannot be
	// asked.
	readBlocked = time.Millisecond
)

// delivered is how many bytes have been passed on.
func (a *arrivals) delivered() int64 { return a.passed.Load() >> 1 }

// reading reports whether a read is under way.
func (a *arrivals) reading() bool { return a.passed.Load()&1 != 0 }

// pass notes that n bytes are passed on.
func (a *arrivals) pass(n int) { a.passed.Add(2 * int64(n)) }

// noteReading is called before a read; active says that a request is under way. Its result is for noteRead.
func (a *arrivals) noteReading(active bool) (mark int64) {
	mark = a.mark.Load()
	if mark != 0 && a.delivered() >= mark+a.meantime.Load() {
		a.past.Store(true)
		if !active {
			a.late.Store(true)
		}
	}
	a.passed.Add(1)
	return mark
}

// noteRead is called after a read.
func (a *arrivals) noteRead(n int, err error, mark int64) {
	if n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		a.ended.Store(true)
	}
	a.passed.Add(2*int64(n) - 1)
	if n > 0 && mark == 0 && a.marking.Load() {
		a.meantime.Add(int64(n))
	}
}

// markArrived notes how much has arrived, at the first answer while the server stops. The order matters: bytes may be
// counted twice, but none may be left out.
func (c *conn) markArrived() {
	if c.marking.Swap(true) {
		return
	}
	waiting, _ := unread(c.inner)
	c.mark.Store(max(c.delivered()+int64(waiting), 1))
}

// setReadDeadline is called by net/http, among other times just before it begins to read ahead, when the request has
// been read to its end.
func (c *conn) setReadDeadline(t time.Time) error {
	if t.IsZero() && c.is(phaseActive) && c.byHandler.Load() == 0 && !c.tail.Load() {
		c.tail.Store(true)
	}
	return c.inner.SetReadDeadline(t)
}

// isLast reports whether the answer that is about to be written to w is the last on its connection, because no request
// that arrived in time follows it. The server is stopping.
func (c *conn) isLast(w http.ResponseWriter) bool {
	c.markArrived()
	here, known := c.beyond(w)
	c.followed.Store(here && known)
	return known && !here || c.late.Load()
}

// beyond reports whether bytes that arrived in time follow the request under way, and whether that is known.
func (c *conn) beyond(w http.ResponseWriter) (here, known bool) {
	if !c.tail.Load() {
		return false, false
	}
	past := c.past.Load()
	in, known := insideOf(w)
	if !known || past {
		return in.buffer.Buffered() > 0, known
	}
	blocked := false
	for began := time.Now(); time.Since(began) < readAhead; {
		reading := c.reading()
		n, asked := unread(c.inner)
		switch {
		case n > 0 || in.buffer.Buffered() > 0 || in.hasByte():
			return true, true
		case c.ended.Load(), reading && (asked || blocked):
			return false, true // nothing is in TLS either, which reads on only when it has passed on all it had
		case reading:
			blocked = true
			time.Sleep(readBlocked)
		case time.Since(began) > readBlocked: // the machine is busy, or a client of TLS has ended its half
			time.Sleep(readBlocked)
		default:
			runtime.Gosched()
		}
	}
	return false, false
}

// inside is what net/http has read from a connection and not used yet. net/http offers no way to ask for it without
// hijacking the connection, so insideOf looks at its private fields; if they are not as expected, the answer is
// unknown.
type inside struct {
	buffer *bufio.Reader // nothing else may be reading the request
	mu     *sync.Mutex   // guards the byte that was read ahead
	ahead  reflect.Value // whether there is one
}

var noBuffer = bufio.NewReader(strings.NewReader(""))

// insideOf finds inside from the ResponseWriter of net/http.
func insideOf(w http.ResponseWriter) (in inside, known bool) {
	in.buffer = noBuffer
	conn := field(reflect.ValueOf(w), "conn")
	buffer, reader := field(conn, "bufr"), field(conn, "r")
	mu, ahead := field(reader, "mu"), field(reader, "hasByte")
	if !buffer.IsValid() || buffer.Type() != reflect.TypeFor[*bufio.Reader]() || buffer.IsNil() ||
		!mu.IsValid() || mu.Type() != reflect.TypeFor[sync.Mutex]() || !ahead.IsValid() || ahead.Kind() != reflect.Bool {
		return in, false
	}
	return inside{(*bufio.Reader)(buffer.UnsafePointer()), (*sync.Mutex)(mu.Addr().UnsafePointer()), ahead}, true
}

// field returns the field of the struct that v points to, invalid if there is none.
func field(v reflect.Value, name string) reflect.Value {
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	return v.Elem().FieldByName(name)
}

// hasByte reports whether a byte has been read ahead.
func (in inside) hasByte() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.ahead.Bool()
}
