package output

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/internal/text"
)

// each is a byte in every byte of a word.
func each(b byte) uint64 { return uint64(b) * 0x0101010101010101 }

// zeros has the high bit of the lowest byte of w that is 0. Bits above it may be wrong.
func zeros(w uint64) uint64 { return (w - each(1)) &^ w & each(0x80) }

// below has the high bit of the lowest byte of w that is less than b, which is at most 0x80. Likewise.
func below(w uint64, b byte) uint64 { return (w - each(b)) &^ w & each(0x80) }

// appendJSON appends b as the inside of a JSON string. What is not UTF-8 becomes U+FFFD, and what a
// terminal would obey is written as \u202e. The package encoding/json,
// which does the same, takes four times as long.
func appendJSON(dst, b []byte) []byte {
	for len(b) >= 8 {
		if cap(dst)-len(dst) < 8 {
			dst = slices.Grow(dst, len(b)+8)
		}
		// Eight bytes are looked at and copied at once, and of the copy those stay that JSON takes as they are.
		w := binary.LittleEndian.Uint64(b)
		binary.LittleEndian.PutUint64(dst[len(dst):len(dst)+8], w)
		special := w&each(0x80) | below(w, ' ') | zeros(w^each('"')) | zeros(w^each('\\')) | zeros(w^each(0x7f))
		if special == 0 {
			dst, b = dst[:len(dst)+8], b[8:]
			continue
		}
		n := bits.TrailingZeros64(special) / 8
		dst, b = appendEscaped(dst[:len(dst)+n], b[n:])
	}
	for len(b) > 0 {
		if c := b[0]; c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			dst, b = append(dst, c), b[1:]
		} else {
			dst, b = appendEscaped(dst, b)
		}
	}
	return dst
}

// appendEscaped appends what b begins with and JSON does not take as it is, or what is not ASCII, and returns what is left.
func appendEscaped(dst, b []byte) (written, rest []byte) {
	const hex = "0123456789abcdef"
	switch c := b[0]; {
	case c >= utf8.RuneSelf:
		n := 0
		for n < len(b) && b[n] >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(b[n:])
			if r == utf8.RuneError && size == 1 || text.Steers(r) {
				break
			}
			n += size
		}
		if n == 0 {
			if r, size := utf8.DecodeRune(b); text.Steers(r) {
				return append(dst, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15]), b[size:]
			}
			return append(dst, "\ufffd"...), b[1:]
		}
		return append(dst, b[:n]...), b[n:]
	case c == '"', c == '\\':
		dst = append(dst, '\\', c)
	case c == '\t':
		dst = append(dst, `\t`...)
	case c == '\r':
		dst = append(dst, `\r`...)
	default:
		dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return dst, b[1:]
}
