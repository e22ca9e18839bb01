package output

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/internal/text"
)

const (
	reset    = "\x1b[0m"
	mostLook = 64 // bytes of what a child has set on a terminal
)

// hasControl reports whether b may hold something that a terminal takes as an order: all that is not ASCII may, and control
// characters do. Eight bytes are looked at at once.
func hasControl(b []byte) bool {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		if w&each(0x80)|below(w, ' ')|zeros(w^each(0x7f)) != 0 {
			return true
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < ' ' || c >= 0x7f {
			return true
		}
	}
	return false
}

// appendClean appends a line for a terminal that is shared with others. Colours and the like are kept, if they may be: they
// end with the line and, as look, begin again with the child's next one. Of what was to overwrite itself, as a progress
// bar, the last state is kept. All else that would move the cursor, erase or change the terminal, or the order of what it
// shows, is left out, and a byte that is not UTF-8 becomes U+FFFD.
func appendClean(dst, line []byte, colour bool, look *[]byte) []byte {
	if i := bytes.LastIndexByte(bytes.TrimRight(line, "\r"), '\r'); i >= 0 {
		// What was set before counts still.
		_ = appendClean(nil, bytes.ReplaceAll(line[:i], []byte{'\r'}, nil), colour, look)
		line = line[i+1:]
	}
	dst = append(dst, *look...)
	used := len(*look) > 0
	for len(line) > 0 {
		n := 0
		for n < len(line) && (line[n] >= ' ' && line[n] < 0x7f || line[n] == '\t') {
			n++
		}
		dst = append(dst, line[:n]...)
		if line = line[n:]; len(line) == 0 {
			break
		}
		switch c := line[0]; {
		case c == 0x1b:
			n := escape(line)
			if colour && isLook(line[:n]) {
				dst, used = append(dst, line[:n]...), true
				*look = addLook(*look, line[:n])
			}
			line = line[n:]
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(line)
			if !text.Steers(r) {
				dst = utf8.AppendRune(dst, r)
			}
			line = line[size:]
		default:
			line = line[1:]
		}
	}
	if used {
		dst = append(dst, reset...)
	}
	return dst
}

// escape is the length of the escape sequence with which b begins; see ISO 6429 and console_codes(4).
func escape(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	i := 1
	switch b[1] {
	case '[':
		for i = 2; i < len(b) && b[i] >= 0x20 && b[i] <= 0x3f; i++ {
		}
	case ']', 'P', 'X', '^', '_': // a string, up to BEL or ESC \
		for i = 2; i < len(b) && b[i] != 0x07; i++ {
			if b[i] == 0x1b && i+1 < len(b) && b[i+1] == '\\' {
				return i + 2
			}
		}
	default:
		for ; i < len(b) && b[i] >= 0x20 && b[i] <= 0x2f; i++ {
		}
	}
	if i < len(b) && b[i] != 0x1b && b[i] != '\t' {
		i++
	}
	return i
}

// isLook reports whether a sequence sets colours and the like and nothing else.
func isLook(seq []byte) bool {
	if len(seq) < 3 || seq[1] != '[' || seq[len(seq)-1] != 'm' {
		return false
	}
	for _, c := range seq[2 : len(seq)-1] {
		if (c < '0' || c > '9') && c != ';' && c != ':' {
			return false
		}
	}
	return true
}

// addLook is what is set after one more sequence.
func addLook(look, seq []byte) []byte {
	switch args := seq[2 : len(seq)-1]; {
	case len(bytes.Trim(args, "0;")) == 0:
		return look[:0]
	case bytes.HasPrefix(args, []byte("0;")), len(look)+len(seq) > mostLook:
		look = look[:0]
	}
	if len(seq) > mostLook {
		return look
	}
	return append(look, seq...)
}
