//go:build unix

package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// output copies what a child writes. The end of the pipe says nothing about the child: a grandchild may hold it open.
type output struct {
	r    *os.File
	w    io.Writer
	line func([]byte) bool // called with each line until it returns false; nil for none
	part []byte            // of a line
	done chan struct{}
}

const (
	longestLine = 64 << 10
	pipeHolds   = 1 << 20 // at most, see pipe(7)
)

// buffers are held only while there is something to read.
var buffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

func newOutput(r *os.File, w io.Writer, line func([]byte) bool) *output {
	return &output{r: r, w: w, line: line, done: make(chan struct{})}
}

// copy goes on until the end of the pipe, or, after finish, until it is empty.
func (o *output) copy() {
	defer close(o.done)
	defer o.r.Close()
	conn, err := o.r.SyscallConn()
	if err != nil {
		return
	}
	var buf *[8 << 10]byte
	var n int
	for more := true; more; {
		err := conn.Read(func(fd uintptr) bool {
			buf = buffers.Get().(*[8 << 10]byte)
			n, more = readSome(int(fd), buf[:])
			if n == 0 && more {
				buffers.Put(buf)
				return false
			}
			return true
		})
		if err != nil {
			o.drain()
			return
		}
		o.pass(buf[:n])
		buffers.Put(buf)
	}
}

// readSome reads what is there: nothing and more, if that may come later.
func readSome(fd int, buf []byte) (n int, more bool) {
	for {
		n, err := syscall.Read(fd, buf)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return 0, true
		}
		return max(n, 0), err == nil && n > 0
	}
}

// drain passes on what is in the pipe, and no more than it can have held: somebody may be writing still.
func (o *output) drain() {
	conn, err := o.r.SyscallConn()
	if err != nil {
		return
	}
	buf := buffers.Get().(*[8 << 10]byte)
	defer buffers.Put(buf)
	for passed := 0; passed < pipeHolds; {
		n := 0
		_ = conn.Control(func(fd uintptr) { n, _ = readSome(int(fd), buf[:]) })
		if n == 0 {
			return
		}
		o.pass(buf[:n])
		passed += n
	}
}

// pass hands on what was read. When the writer fails, the rest is thrown away: a child does not die of its log.
func (o *output) pass(b []byte) {
	if o.w != nil {
		if _, err := o.w.Write(b); err != nil {
			o.w = nil
		}
	}
	for o.line != nil && len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			if o.part = append(o.part, b...); len(o.part) < longestLine {
				return
			}
			i, b = 0, []byte{'\n'}
		}
		o.part = append(o.part, b[:i]...)
		if !o.line(bytes.TrimSuffix(o.part, []byte{'\r'})) {
			o.line, o.part = nil, nil
			return
		}
		o.part, b = o.part[:0], b[i+1:]
	}
}

// finish ends the copying once everything that the family wrote has been passed on. A writer that is stuck is left behind
// after the time.
func (o *output) finish(within time.Duration) {
	o.r.SetReadDeadline(time.Unix(1, 0))
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-o.done:
	case <-timer.C:
	}
}
