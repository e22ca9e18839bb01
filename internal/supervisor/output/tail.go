package output

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	mostPending  = 512 << 10 // bytes that wait for a follower
	mostRegions  = 16 << 10
	linesOfBlock = "this reader is slower than the processes"
)

// Tail calls fn with the lines that are kept: those of the sources with these names or of these processes, all if there
// are none, the oldest first, at most so many (negative is all). Then, if it is to follow, with those that come, also of
// sources that are made later, until ctx ends, fn fails or Close: it returns ctx.Err(), the error, or nil. fn is called by
// the goroutine of the caller; the name is that of the instance, and empty for lastcall's own messages.
//
// A slow fn holds up nobody: it misses lines, and is told how many in a line with an empty name.
func (m *Mux) Tail(ctx context.Context, names []string, last int, follow bool, fn func(t time.Time, name, text string) error) error {
	f := &follower{names: names, some: make(chan struct{}, 1)}
	lines := m.begin(f, follow)
	if follow {
		defer m.leave(f)
	}
	slices.SortStableFunc(lines, func(a, b line) int { return int(min(max(a.time-b.time, -1), 1)) })
	if last >= 0 && len(lines) > last {
		lines = lines[len(lines)-last:]
	}
	for _, l := range lines {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(time.Unix(0, l.time), shown(l.name), l.text); err != nil {
			return err
		}
	}
	lines = nil
	for follow {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.some:
		}
		regions, lines, left, ended := f.take()
		for _, r := range regions {
			for b := lines[r.from:r.to]; len(b) > 0; {
				if err := ctx.Err(); err != nil {
					return err
				}
				var l []byte
				l, b = cutLine(b)
				if err := fn(r.time, shown(r.name), string(l)); err != nil {
					return err
				}
			}
		}
		if left > 0 {
			says := text.Count(left, "line") + " left out: " + linesOfBlock
			if err := fn(time.Now(), "", says); err != nil {
				return err
			}
		}
		f.give(regions, lines)
		if ended {
			return nil
		}
	}
	return nil
}

// shown is a name as Tail tells it.
func shown(name string) string {
	if name == Own {
		return ""
	}
	return name
}

// cutLine takes the first line off, without its end.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

type line struct {
	time int64
	name string
	text string
}

// begin is what is kept, and makes f hear of all after it.
func (m *Mux) begin(f *follower, follow bool) (lines []line) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if follow {
		if m.closed {
			f.end()
		}
		m.tails = append(m.tails, f)
	}
	for _, s := range m.sources {
		if !f.wants(s) {
			continue
		}
		var records []byte
		if follow {
			records = s.kept.follow(f)
		} else {
			records = s.kept.snapshot()
		}
		for len(records) > 0 {
			var t int64
			var b, l []byte
			t, b, records = record(records)
			for len(b) > 0 {
				l, b = cutLine(b)
				lines = append(lines, line{t, s.label.name, string(l)})
			}
		}
	}
	return lines
}

func (m *Mux) leave(f *follower) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sources {
		s.kept.unfollow(f)
	}
	m.tails = slices.DeleteFunc(m.tails, func(other *follower) bool { return other == f })
}

// follower is one Tail that follows: what it has not yet taken, bounded.
type follower struct {
	names []string
	some  chan struct{} // there is something to take

	mu      sync.Mutex
	regions []region
	text    []byte
	left    int // lines after these that were left out
	ended   bool
	old     []region // to be used again
	oldText []byte
}

// region is lines of one source that came together.
type region struct {
	time     time.Time
	name     string
	from, to int
}

func (f *follower) wants(s *Source) bool {
	return len(f.names) == 0 || slices.Contains(f.names, s.label.name) || slices.Contains(f.names, s.label.process)
}

// add hands over lines, as far as there is room. Once some are left out, so are all until the others were taken.
func (f *follower) add(name string, t time.Time, lines []byte, mark string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	room := mostPending - len(f.text)
	if f.left > 0 || len(f.regions) == mostRegions {
		room = 0
	}
	take := lines
	if len(take) > room {
		take = lines[:bytes.LastIndexByte(lines[:room], '\n')+1]
		rest := lines[len(take):]
		f.left += bytes.Count(rest, []byte{'\n'})
		if rest[len(rest)-1] != '\n' {
			f.left++
		}
	}
	if n := len(take); n > 0 {
		from := len(f.text)
		f.text = append(f.text, take...)
		if take[n-1] != '\n' {
			f.text = append(append(f.text, mark...), '\n')
		}
		f.regions = append(f.regions, region{t, name, from, len(f.text)})
	}
	f.wake()
}

// end has the Tail return when it has taken the rest.
func (f *follower) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.wake()
}

func (f *follower) wake() {
	select {
	case f.some <- struct{}{}:
	default:
	}
}

func (f *follower) take() (regions []region, text []byte, left int, ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	regions, text, left, ended = f.regions, f.text, f.left, f.ended
	f.regions, f.text, f.left = f.old[:0], f.oldText[:0], 0
	return regions, text, left, ended
}

func (f *follower) give(regions []region, text []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.old, f.oldText = regions, text
}
