package main

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/lastcall-go/lastcall/internal/tty"
)

// screen is a terminal with some rows at the end of what was written that are rewritten in place, or a file or pipe, which
// has none.
type screen struct {
	out  *os.File
	mu   sync.Mutex
	rows int // in place at the moment
}

// isTerminal reports whether rows can be rewritten.
func (s *screen) isTerminal() bool { return rewrites(s.out) }

// rewrites reports whether f is a terminal that can rewrite a line, and has colours.
func rewrites(f *os.File) bool {
	columns, _ := size(f)
	return columns > 0 && os.Getenv("TERM") != "dumb"
}

// draw puts the lines in the place of those before, as far as they fit. The cursor stays at the end of the last.
func (s *screen) draw(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	columns, rows := size(s.out)
	if most := rows - 1; len(lines) > most && most > 0 {
		lines = append(lines[:most-1:most-1], fmt.Sprintf("… and %d more", len(lines)-most+1))
	}
	var b strings.Builder
	s.home(&b)
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(tty.Clip(line, columns-1, "") + "\x1b[K")
	}
	b.WriteString("\x1b[J")
	s.rows = len(lines)
	_, _ = s.out.WriteString(b.String())
}

// home goes to where the rows begin.
func (s *screen) home(b *strings.Builder) {
	b.WriteByte('\r')
	if s.rows > 1 {
		fmt.Fprintf(b, "\x1b[%dA", s.rows-1)
	}
}

// erase takes the rows away.
func (s *screen) erase() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == 0 {
		return
	}
	var b strings.Builder
	s.home(&b)
	b.WriteString("\x1b[J")
	s.rows = 0
	_, _ = s.out.WriteString(b.String())
}

// leave lets the rows stand, and what comes next begin below.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows > 0 {
		_, _ = s.out.WriteString("\r\n")
		s.rows = 0
	}
}
