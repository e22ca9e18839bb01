package check

import (
	"bytes"
	"os"
	"regexp"
	"sync"
	"time"
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

	mu   sync.Mutex
	tail []byte
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
		n, err := o.read.Read(buf)
		o.mu.Lock()
		o.tail = append(o.tail, buf[:n]...)
		o.tail = o.tail[max(0, len(o.tail)-keptOutput):]
		o.mu.Unlock()
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

// text is the last of the output.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.tail))
}

// mute makes the reader go away: who writes gets EPIPE, and SIGPIPE with it.
func (o *output) mute() {
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
