//go:build unix

package output

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// However lines come together, what is kept of them is whole, in order, the last that came, and within its bound; only a
// line that is longer than the bound is cut.
func FuzzKept(f *testing.F) {
	f.Add([]byte("one\ntwo\nthree\n"), uint16(40), uint16(4))
	f.Add([]byte("one\n\n\n\ntwo"), uint16(14), uint16(1))
	f.Add(bytes.Repeat([]byte("x"), 500), uint16(100), uint16(50))
	f.Add([]byte(strings.Repeat("line\n", 200)), uint16(64), uint16(25))
	f.Fuzz(func(t *testing.T, text []byte, most, size uint16) {
		bound := max(int(most)%(4<<10), header+len(splitMark)+2)
		k := new(kept)
		now := time.Unix(1, 0)
		var came []string
		for rest := text; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			lines := rest[:n]
			if i := bytes.LastIndexByte(lines, '\n'); i >= 0 { // a source passes on whole lines, or a piece of one
				lines = lines[:i+1]
			}
			rest = rest[len(lines):]
			whole := bytes.HasSuffix(lines, []byte{'\n'})
			mark := ""
			if !whole {
				mark = splitMark
			}
			k.add(label{name: "a"}, now, lines, mark, bound)
			for line := range strings.Lines(string(lines)) {
				line = strings.TrimSuffix(line, "\n")
				came = append(came, line)
			}
			if !whole {
				came[len(came)-1] += mark
			}
			if n := len(k.records); n > 2*bound {
				t.Fatalf("%d bytes are kept, where %d may be", n, 2*bound)
			}
		}
		var held []string
		for b := k.snapshot(); len(b) > 0; {
			var lines []byte
			_, lines, b = record(b)
			if !bytes.HasSuffix(lines, []byte{'\n'}) {
				t.Fatalf("a record ends in the middle of a line: %q", lines)
			}
			for line := range strings.Lines(string(lines)) {
				held = append(held, strings.TrimSuffix(line, "\n"))
			}
		}
		if len(held) > len(came) {
			t.Fatalf("%d lines are kept of %d", len(held), len(came))
		}
		last := came[len(came)-len(held):]
		for i, line := range held {
			begun, cut := strings.CutSuffix(line, splitMark)
			if line != last[i] && !(cut && strings.HasPrefix(last[i], begun)) {
				t.Fatalf("%q is kept of %q", line, last[i])
			}
		}
	})
}
