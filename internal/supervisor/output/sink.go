package output

import (
	"bytes"
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	chunk     = 64 << 10 // that is read at once, of one source in its turn
	full      = 64 << 10 // so much is collected before it is written, even if more is there to be read
	piece     = 16 << 10 // so much is written at once, so that it is seen whether somebody reads
	lastPiece = 4 << 10  // at the end
	pipeHolds = 1 << 20  // at most, see pipe(7)
	mostGrown = 16       // pipes that are made as large as that, for the first who write faster than they are read
	turns     = 64       // of sources, before all can have their next
	messages  = 1000     // that may wait
	forever   = time.Duration(-1)
)

// sink is one goroutine that reads many sources and writes what they say: all to the common output, or each to its file.
type sink struct {
	m    *Mux
	poll *poller
	bell int           // a pipe that is read when there are jobs
	ring *os.File      // its other end
	done chan struct{} // the goroutine has ended

	mu       sync.Mutex
	sources  map[int]*Source // by the end of the pipe that is read
	jobs     []job
	waiting  int // messages
	left     int // messages that were left out
	ended    bool
	spareJob []job
	unread   []byte // of out, while it is being written
	gaveUp   bool   // nobody waits any more for who reads the output: it is thrown away
	lost     int    // lines of it

	refused   error // how the last write failed; nil if it did not
	refusal   error // how the last one failed that did
	unwritten int   // lines that could not be written

	moves atomic.Int64 // counts what was read and what was written

	// The rest belongs to the goroutine.
	file   *os.File  // the common output; nil for log files
	fd     int       // its own, -1 without
	ahead  []byte    // lines that are to come into out when it has been written
	buf    []byte    // what was read begins at longest; before it is room for the part of a line that came earlier
	out    []byte    // to be written
	torn   bool      // a write failed in the middle of a line
	now    time.Time // when the last chunk was read
	clock  clock
	prefix []byte
	grown  int
	spare  [][]byte        // for parts of lines
	after  []chan struct{} // closed when all of out has been written
}

// job is something for the goroutine to do, between two turns.
type job struct {
	fn   func()
	done chan struct{} // closed when it is done and its output written; nil if nobody waits
	last bool
}

func newSink(m *Mux, out *os.File) (*sink, error) {
	k := &sink{m: m, file: out, done: make(chan struct{}), sources: map[int]*Source{}, fd: -1}
	if out != nil {
		k.fd = int(out.Fd())
	}
	var err error
	if k.poll, err = newPoller(); err != nil {
		return nil, err
	}
	if k.bell, k.ring, err = newPipe(); err == nil {
		err = k.poll.add(k.bell)
	}
	if err != nil {
		k.close()
		return nil, err
	}
	go k.run()
	return k, nil
}

func (k *sink) close() {
	k.poll.close()
	if k.ring != nil {
		k.ring.Close()
		closeFD(k.bell)
	}
}

// add begins to read s.
func (k *sink) add(s *Source) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.poll.add(s.fd); err != nil {
		return err
	}
	s.sink = k
	k.sources[s.fd] = s
	return nil
}

func (k *sink) remove(s *Source) {
	k.mu.Lock()
	delete(k.sources, s.fd)
	k.mu.Unlock()
	k.poll.remove(s.fd)
}

// post gives the goroutine something to do. It reports false if that has ended.
func (k *sink) post(j job) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return false
	}
	k.ended = j.last
	k.jobs = append(k.jobs, j)
	if len(k.jobs) == 1 {
		_, _ = k.ring.Write([]byte{0}) // which is the only one in the pipe
	}
	return true
}

// do has the goroutine call fn, and reports whether that was done and what came of it written within the time.
func (k *sink) do(fn func(), within time.Duration) bool {
	done := make(chan struct{})
	if !k.post(job{fn: fn, done: done}) {
		return false
	}
	if within == forever {
		<-done
		return true
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// end has the goroutine pass on what there is, and end.
func (k *sink) end() { k.post(job{last: true}) }

// message writes lines of lastcall itself.
func (k *sink) message(t time.Time, says string) {
	k.mu.Lock()
	if k.waiting == messages {
		k.left++
		k.mu.Unlock()
		return
	}
	k.waiting++
	k.mu.Unlock()
	k.post(job{fn: func() {
		k.mu.Lock()
		left := k.left
		k.left = 0
		k.waiting--
		k.mu.Unlock()
		k.now = t
		if left > 0 {
			k.print(k.m.own, []byte(text.Count(left, "message")+" left out\n"), false)
		}
		k.print(k.m.own, append([]byte(says), '\n'), false)
	}})
}

func (k *sink) run() {
	defer close(k.done)
	defer k.close()
	var fds [turns]int
	for {
		// Nothing is left waiting to be written while this waits for more to read.
		n := k.poll.wait(&fds, len(k.out) == 0 && len(k.after) == 0)
		if n == 0 {
			k.flush()
		}
		jobs := false
		for _, fd := range fds[:n] {
			if fd == k.bell {
				jobs = true
				continue
			}
			k.mu.Lock()
			s := k.sources[fd]
			k.mu.Unlock()
			if s != nil {
				k.read(s)
			}
		}
		if jobs && !k.work() {
			k.flush()
			return
		}
	}
}

// work does what was posted. It reports whether to go on.
func (k *sink) work() bool {
	var one [1]byte
	k.mu.Lock()
	readSome(k.bell, one[:])
	jobs := k.jobs
	k.jobs = k.spareJob[:0]
	k.mu.Unlock()
	goOn := true
	for i, j := range jobs {
		if j.last {
			goOn = false
			k.finish()
		} else {
			j.fn()
		}
		if j.done != nil {
			k.after = append(k.after, j.done)
		}
		jobs[i] = job{}
	}
	k.spareJob = jobs
	return goOn
}

// finish ends all sources. Their pipes stay open, so that children that are left do not die of it.
func (k *sink) finish() {
	k.mu.Lock()
	sources := make([]*Source, 0, len(k.sources))
	for _, s := range k.sources {
		sources = append(sources, s)
	}
	k.mu.Unlock()
	for _, s := range sources {
		s.finish()
	}
}

// flush writes what is to be written, and tells those who wait for it.
func (k *sink) flush() {
	k.write()
	for i, done := range k.after {
		close(done)
		k.after[i] = nil
	}
	k.after = k.after[:0]
}

// write writes out. What nobody can take is thrown away: children do not die of it, nor wait, when the reader has gone.
func (k *sink) write() {
	if len(k.out) == 0 {
		return
	}
	for rest := k.out; ; {
		next := k.nextPiece(rest)
		if len(next) == 0 {
			break
		}
		n, err := writeAll(k.fd, next)
		k.moves.Add(1)
		if err == nil {
			k.torn = false
		} else if n > 0 {
			k.torn = next[n-1] != '\n'
		}
		rest = rest[n:]
		if k.note(err, rest); err != nil {
			rest = nil
		}
	}
	if cap(k.out) > 4*full {
		k.out = nil
	}
	k.out = k.out[:0]
}

// nextPiece is what to write now of what is left; nothing if it is to be thrown away.
func (k *sink) nextPiece(rest []byte) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gaveUp {
		k.lost += bytes.Count(rest, newline)
		rest = nil
	}
	k.unread = rest
	if k.ended {
		return rest[:min(len(rest), lastPiece)]
	}
	return rest[:min(len(rest), piece)]
}

var newline = []byte{'\n'}

// awaitEnd waits until all has been passed on that there was when it was to end, as long as it goes on. It reports false if
// nothing was taken for so long, or ctx has ended.
func (k *sink) awaitEnd(ctx context.Context, standstill time.Duration) bool {
	timer := time.NewTimer(standstill)
	defer timer.Stop()
	for before := k.progress(); ; {
		select {
		case <-k.done:
			return true
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
		now := k.progress()
		if now == before {
			return false
		}
		before = now
		timer.Reset(standstill)
	}
}

// progress is another after something was read or written.
func (k *sink) progress() [2]int64 { return [2]int64{k.moves.Load(), int64(unread(k.fd))} }
