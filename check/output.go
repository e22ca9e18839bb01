//go:build unix

package check

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	keptOutput = 16 << 10 // bytes of the daemon's output: the last
	keptLine   = 64 << 10 // bytes of a line, in which is looked for the pattern: the first
	// drainedWithin is how long is waited for the end of the output of a daemon that has gone. Who still has it open cannot be killed.
	drainedWithin = 5 * time.Second
)

// output reads what the daemon writes.
type output struct {
	read    *os.File
	pattern *regexp.Regexp // of the line that says that it is ready; nil if none does
	matched chan struct{}  // closed when that came
	done    chan struct{}
	mutes   bool // mute was called; belongs to its caller

	mu   sync.Mutex
	tail []byte
	all  int // bytes that came
}

// newOutput returns the end to write as well, which the caller closes.
func newOutput(pattern *regexp.Regexp) (*output, *os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	o := &output{read: read, pattern: pattern, matched: make(chan struct{}), done: make(chan struct{})}
	go o.run()
	return o, write, nil
}

func (o *output) run() {
	defer close(o.done)
	var line []byte
	pattern := o.pattern
	buf := make([]byte, 32<<10)
	for {
		n, err := o.some(buf)
		for b := buf[:n]; pattern != nil && len(b) > 0; {
			part, rest, whole := bytes.Cut(b, []byte{'\n'})
			line = append(line, part[:min(len(part), keptLine-len(line))]...)
			if b = rest; whole {
				if pattern.Match(bytes.TrimSuffix(line, []byte{'\r'})) {
					close(o.matched)
					pattern = nil
				}
				line = line[:0]
			}
		}
		if err != nil {
			return
		}
	}
}

// some reads some of it. What has left the pipe has been counted, so that came misses nothing between the two.
func (o *output) some(buf []byte) (n int, err error) {
	conn, err := o.read.SyscallConn()
	if err != nil {
		return 0, err
	}
	waited := conn.Read(func(fd uintptr) bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		for n, err = unix.Read(int(fd), buf); errors.Is(err, unix.EINTR); {
			n, err = unix.Read(int(fd), buf)
		}
		if n > 0 {
			o.all += n
			o.tail = append(o.tail, buf[:n]...)
			o.tail = o.tail[max(0, len(o.tail)-keptOutput):]
		}
		return !errors.Is(err, unix.EAGAIN)
	})
	n = max(n, 0)
	if err = cmp.Or(waited, err); err == nil && n == 0 {
		err = io.EOF
	}
	return n, err
}

// text is the last of the output.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.tail))
}

// last is the end of the output, of about n bytes at the most, and no part of a line if more than one is whole.
func (o *output) last(n int) string { return lastOf(o.text(), n) }

func lastOf(text string, n int) string {
	if len(text) <= n {
		return text
	}
	text = text[len(text)-n:]
	if _, whole, more := strings.Cut(text, "\n"); more {
		text = whole
	}
	return strings.ToValidUTF8(text, "")
}

// said is what a daemon wrote, to be put behind what it did.
func said(output string) string {
	if output == "" {
		return ""
	}
	return "; its output: " + text.Short(output, 300)
}

// came is how many bytes the daemon has written.
func (o *output) came() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n = o.all
	if conn, err := o.read.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { n += inPipe(int(fd)) })
	}
	return n
}

// mute makes the reader go away: who writes gets EPIPE, and SIGPIPE with it.
func (o *output) mute() {
	o.mutes = true
	await := noReader(o.read)
	o.close()
	await()
}

func (o *output) close() {
	if o == nil {
		return
	}
	o.read.Close()
	<-o.done
}

// awaitEnd waits until all has been read that a daemon wrote that has gone.
func (o *output) awaitEnd() {
	_ = o.read.SetReadDeadline(time.Now().Add(drainedWithin))
	<-o.done
}
