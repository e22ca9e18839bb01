// Package output brings together what many children write, line by line.
//
//	m, err := output.New(output.Options{Out: os.Stdout})
//	web, err := m.Source("web-1", output.SourceOptions{Process: "web"})
//	… run it with Stdout and Stderr set to web.File(), as often as needed …
//	web.Flush(time.Second) // after each end
//	m.Message("web-1: exited with status 1")
//	err = m.Close(ctx, 5*time.Second)
//
// A child writes into a pipe of its own and does not know of this. One goroutine reads all the pipes in turn, as much as
// there is of each at once, and writes whole lines with one write for many. It never waits for more while something can be
// written, and what cannot be written stays in the pipes, where it holds up who wrote it and nobody else. Log files have
// a goroutine of their own, so that a terminal that is stopped with Ctrl-S does not hold them up.
package output

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
	"github.com/lastcall-go/lastcall/internal/tty"
)

// Own is the name with which lastcall's own messages are shown.
const Own = "lastcall"

const widest = 24 // of the names that are aligned; longer ones are whole, but move their lines to the right

// Options say where output goes and how it looks.
type Options struct {
	Out    *os.File // the common output
	Format string   // auto or "", text, json: auto is text
	// Times is none, time (of the day), full (with the date), or auto or "": time on a terminal, none where systemd's
	// journal adds its own, else full.
	Times string
	Width int // of the longest name to come, so that lines are aligned from the first on
	// Failed, if set, is called when Out can no longer be written to, in a goroutine of its own: once, until a write succeeds again. What
	// cannot be written is lost, and Close says how much that was.
	Failed func(error)
}

// Mux is the common output, and the log files. Its methods may be called from any goroutine.
type Mux struct {
	style  style
	width  atomic.Int64 // to which names are filled up
	share  atomic.Int64 // bytes of lines that are kept of each source
	common *sink
	own    *Source // for messages: nobody writes into it
	failed func(error)

	mu      sync.Mutex
	closed  bool
	sources []*Source // in the order in which they came; own is the first
	files   *sink     // of all log files; nil before the first
	logs    map[string]*logFile
	palette palette
	tails   []*follower // those of all sources, also of new ones
}

// New begins. It fails where the system lacks what is needed.
func New(o Options) (*Mux, error) {
	m := &Mux{style: newStyle(o), failed: o.Failed, logs: map[string]*logFile{}, palette: palette{}}
	m.width.Store(int64(min(max(o.Width, len(Own)), widest)))
	m.own = &Source{m: m, label: label{name: Own, process: Own, colour: ownColour}}
	m.sources = []*Source{m.own}
	m.setShare()
	var err error
	if m.common, err = newSink(m, o.Out); err != nil {
		return nil, err
	}
	return m, nil
}

// add takes in a source, whose sink reads it from now on. No other has its name but the one that it replaces. m.mu is held.
func (m *Mux) add(s, replaces *Source) error {
	if m.closed {
		return errors.New("the output is closed")
	}
	for _, other := range m.sources {
		if other.label.name == s.label.name && other != replaces {
			return fmt.Errorf("%s: there is already output of this name", s.label.name)
		}
	}
	s.label.colour = m.palette.colour(s.label.process)
	if n := int64(tty.Columns(s.label.name)); n > m.width.Load() {
		m.width.Store(min(n, widest))
	}
	m.sources = append(m.sources, s)
	m.setShare()
	for _, f := range m.tails {
		if f.wants(s) {
			s.kept.follow(f)
		}
	}
	return nil
}

// drop forgets a source. m.mu is held.
func (m *Mux) drop(s *Source) {
	for i, other := range m.sources {
		if other == s {
			m.sources = append(m.sources[:i:i], m.sources[i+1:]...)
			m.setShare()
			return
		}
	}
}

func (m *Mux) setShare() { m.share.Store(int64(max(min(keptAll/len(m.sources), keptEach), keptLeast))) }

// Message writes a message of lastcall itself in one line, between those of others, with nothing in it that was said by
// others and that a terminal would obey. It does not wait for the output, and what
// more than a thousand messages would wait for is left out. After Close it does nothing.
func (m *Mux) Message(says string) {
	says = text.Sentence(says)
	now := time.Now()
	m.own.keep(now, append([]byte(says), '\n'), "")
	m.common.message(now, says)
}

// Reopen opens all log files anew, for who has renamed them, and returns when that is done.
func (m *Mux) Reopen() error {
	m.mu.Lock()
	k := m.files
	m.mu.Unlock()
	if k == nil {
		return nil
	}
	var errs []error
	k.do(func() {
		m.mu.Lock()
		logs := make([]*logFile, 0, len(m.logs))
		for _, f := range m.logs {
			logs = append(logs, f)
		}
		m.mu.Unlock()
		for _, f := range logs {
			errs = append(errs, f.open())
		}
	}, forever)
	return errors.Join(errs...)
}

// Close passes on what is in the pipes and ends: sources and followers too. It waits for who reads the output as long as that
// goes on, and gives up when nothing has been taken for so long, as by a terminal that is stopped, or when ctx ends; then what is
// left is lost, and the error says how much. Other calls after it do nothing.
func (m *Mux) Close(ctx context.Context, standstill time.Duration) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	files := m.files
	m.mu.Unlock()

	var errs []error
	if files != nil { // first: they may have messages
		files.end()
		if !files.awaitEnd(ctx, standstill) {
			errs = append(errs, errors.New("not all could be written to the log files"))
		} else {
			m.mu.Lock()
			for _, f := range m.logs {
				f.end()
			}
			m.mu.Unlock()
		}
	}
	m.common.end()
	if !m.common.awaitEnd(ctx, standstill) {
		if n := m.common.giveUp(); n > 0 {
			errs = append(errs, fmt.Errorf("%s of output were not read", text.Count(n, "line")))
		}
	}
	if err := m.common.unwrittenError(); err != nil {
		errs = append(errs, err)
	}
	m.mu.Lock()
	tails := m.tails
	m.tails = nil
	m.mu.Unlock()
	for _, f := range tails {
		f.end()
	}
	return errors.Join(errs...)
}
