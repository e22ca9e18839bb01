package output

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/internal/safefile"
)

// SourceOptions say where the output of one instance goes.
type SourceOptions struct {
	Process string // whose instance it is; "" means that it has the same name
	File    string // an absolute path: a log file in place of the common output. Its lines are as they were written.
	Rotate  int64  // bytes: no more in one file, but for a longer line; 0 is no limit
	Keep    int    // so many full ones are kept: FILE.1, the last, to FILE.N
	Log     safefile.LogOptions
	None    bool // it is thrown away

	Replaces *Source // one of the same name that is about to be closed; nil if there is none
}

// Source is what one instance writes, across its restarts.
type Source struct {
	m     *Mux
	label label
	sink  *sink // nil if nothing is read
	log   *logFile
	fd    int // the end of the pipe that is read
	file  *os.File
	kept  kept

	closed atomic.Bool

	// The rest belongs to the goroutine of the sink.
	part  []byte // of a line; held only while there is one
	grown bool   // the pipe is as large as it can be
	long  bool   // the line began in an earlier piece
	style []byte // what the child has set on a terminal and not reset: colours and the like
}

// Source makes the output of an instance. It fails if there is one of this name, if there are no more descriptors, or if
// the log file cannot be opened; directories to it are made.
func (m *Mux) Source(name string, o SourceOptions) (*Source, error) {
	s := &Source{m: m, label: label{name: name, process: o.Process}, fd: -1}
	if s.label.process == "" {
		s.label.process = name
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.add(s, o.Replaces); err != nil {
		return nil, err
	}
	if err := s.open(o); err != nil {
		m.drop(s)
		s.release()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (s *Source) open(o SourceOptions) (err error) {
	if o.None {
		s.file, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		return err
	}
	sink := s.m.common
	if o.File != "" {
		if s.m.files == nil {
			if s.m.files, err = newSink(s.m, nil); err != nil {
				s.m.files = nil
				return err
			}
		}
		sink = s.m.files
		if s.log, err = s.m.useLog(o); err != nil {
			return err
		}
	}
	if s.fd, s.file, err = newPipe(); err != nil {
		return err
	}
	return sink.add(s)
}

// release gives back what open took. m.mu is held, and nothing reads the source any more.
func (s *Source) release() {
	if s.file != nil {
		s.file.Close()
	}
	if s.fd >= 0 {
		closeFD(s.fd)
	}
	if s.log != nil {
		s.m.releaseLog(s.log)
	}
}

// File is what the child gets as its stdout and stderr, so that the order between them is kept. It is one file as long as
// the source lives, and it stays the source's: never close it.
func (s *Source) File() *os.File { return s.file }

// Flush passes on all that was written before, ends a line that was begun, and returns when that is done, or false after
// the time. It is for the end of a child.
func (s *Source) Flush(within time.Duration) bool {
	if s.sink == nil || s.closed.Load() {
		return true
	}
	return s.sink.do(func() { s.finish() }, within)
}

// Close ends the source: what is in its pipe is still passed on, without that anybody waits for it. Who still writes to it
// then is told so by the system (SIGPIPE). Its kept lines are forgotten.
func (s *Source) Close() {
	if s.closed.Swap(true) {
		return
	}
	s.m.mu.Lock()
	s.m.drop(s)
	s.m.mu.Unlock()
	if s.sink != nil {
		if s.sink.post(job{fn: s.end}) {
			return
		}
		select {
		case <-s.sink.done:
		default:
			return // it still reads, and the program is about to end
		}
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.release()
}

// finish reads what is in the pipe, and no more than it can have held: somebody may be writing still. It runs in the
// sink's goroutine.
func (s *Source) finish() {
	for passed := 0; passed < pipeHolds; {
		n := s.sink.read(s)
		if n == 0 {
			break
		}
		passed += n
	}
	s.endLine()
}

// end is the last that the sink's goroutine does for the source.
func (s *Source) end() {
	s.finish()
	if s.grown {
		s.sink.grown--
	}
	s.sink.remove(s)
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.release()
}

// keep remembers lines for Tail, and hands them to those who follow.
func (s *Source) keep(t time.Time, lines []byte, mark string) {
	s.kept.add(s.label, t, lines, mark, int(s.m.share.Load()))
}
