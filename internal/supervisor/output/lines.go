package output

import (
	"bytes"
	"time"
	"unicode/utf8"
)

const (
	longest    = 64 << 10 // bytes of a line; a longer one is split
	splitMark  = "…"      // at the end of a piece that is not the last, and at the beginning of one that is not the first
	spareParts = 16
	sparePart  = 4 << 10 // bytes
)

// read is one turn of a source. It returns how much there was.
func (k *sink) read(s *Source) int {
	if k.buf == nil {
		k.buf = make([]byte, longest+chunk)
	}
	n := readSome(s.fd, k.buf[longest:])
	if n > chunk/2 && !s.grown && k.grown < mostGrown { // it was full, or nearly: small writes do not fill each page
		s.grown = true
		k.grown++
		growPipe(s.fd, pipeHolds)
	}
	if n > 0 {
		k.moves.Add(1)
		k.now = time.Now()
		k.split(s, n)
	}
	return n
}

// split passes on the lines in the n bytes that were read, together with the part of a line that came before, and
// remembers the part that is left.
func (k *sink) split(s *Source, n int) {
	b := k.buf[longest : longest+n]
	whole := bytes.LastIndexByte(b, '\n') + 1
	if whole == 0 && len(s.part)+n <= longest {
		k.setPart(s, b)
		return
	}
	if before := len(s.part); before > 0 {
		b = k.buf[longest-before : longest+n]
		copy(b, s.part)
		k.dropPart(s)
		if whole > 0 {
			whole += before
		}
	}
	lines, rest := b[:whole], b[whole:]
	for len(lines) > 0 {
		// Only the first can be too long: it alone has a part that came before.
		i := bytes.IndexByte(lines[:min(len(lines), longest+1)], '\n')
		if i >= 0 && !s.long {
			break
		}
		if i >= 0 {
			k.pass(s, lines[:i+1], false)
			lines = lines[i+1:]
			continue
		}
		lines = lines[k.piece(s, lines):]
	}
	if len(lines) > 0 {
		k.pass(s, lines, false)
	}
	for len(rest) > longest {
		rest = rest[k.piece(s, rest):]
	}
	k.setPart(s, rest)
}

// endLine ends a line that was begun.
func (s *Source) endLine() {
	if len(s.part) == 0 {
		return
	}
	k := s.sink
	k.now = time.Now()
	n := copy(k.buf, s.part)
	k.buf[n] = '\n'
	k.dropPart(s)
	k.pass(s, k.buf[:n+1], false)
}

// piece passes on the beginning of a line that is too long, and returns its length. No character is split.
func (k *sink) piece(s *Source, b []byte) int {
	n := longest
	for i := 1; i < utf8.UTFMax; i++ {
		if utf8.RuneStart(b[n-i]) {
			if !utf8.FullRune(b[n-i : n]) {
				n -= i
			}
			break
		}
	}
	k.pass(s, b[:n], true)
	return n
}

// setPart remembers a part of a line, after what is remembered.
func (k *sink) setPart(s *Source, b []byte) {
	if len(b) == 0 {
		return
	}
	if n := len(k.spare); s.part == nil && n > 0 {
		s.part, k.spare[n-1] = k.spare[n-1][:0], nil
		k.spare = k.spare[:n-1]
	}
	s.part = append(s.part, b...)
}

func (k *sink) dropPart(s *Source) {
	if c := cap(s.part); c > 0 && c <= sparePart && len(k.spare) < spareParts {
		k.spare = append(k.spare, s.part)
	}
	s.part = nil
}

// pass passes on whole lines, or a piece of one to which more belongs.
func (k *sink) pass(s *Source, b []byte, more bool) {
	if more {
		s.keep(k.now, b, splitMark)
	} else {
		s.keep(k.now, b, "")
	}
	if s.log != nil {
		s.log.write(s, b)
	} else {
		k.print(s, b, more)
	}
	s.long = more
}

// print formats whole lines, or a piece of one, for the common output.
func (k *sink) print(s *Source, b []byte, more bool) {
	k.prefix = k.m.style.prefix(k.prefix[:0], &s.label, &k.clock, k.now, int(k.m.width.Load()))
	for len(b) > 0 {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if k.torn && len(k.out) == 0 {
			k.out = append(k.out, '\n')
		}
		k.out = append(k.out, k.prefix...)
		if k.m.style.plain() && !more && !s.long {
			k.out = append(k.out, line...)
			k.out = append(k.out, '\n')
		} else {
			k.out = k.m.style.text(k.out, line, s.long, more, &s.style)
		}
		if len(k.out) >= full {
			k.ahead = b
			k.write()
			k.ahead = nil
		}
	}
}
