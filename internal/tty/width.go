// Package tty knows how much room text takes on a terminal. It imports the standard library only, since the root package
// uses it.
//
// Text from outside goes through package text first: what is measured here has no control characters but the colours that
// this program sets.
package tty

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wide are the characters that take two columns, as UAX #11 has them, without its gaps of a few characters between pictures:
// where in doubt a text is measured too wide rather than too narrow, so that a row never wraps.
var wide = [...][2]rune{
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3},
	{0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1},
	{0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea},
	{0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b},
	{0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797},
	{0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x2e80, 0x303e},
	{0x3041, 0x4dbf}, {0x4e00, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19},
	{0xfe30, 0xfe6f}, {0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18dff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004},
	{0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1faff}, {0x20000, 0x3fffd},
}

// asPicture asks for the picture of the sign before it, which takes two columns.
const asPicture = '\ufe0f'

// Width is how many columns a character takes: 0 for combining marks and formatting, 2 for the scripts of East Asia and for
// pictures, else 1.
func Width(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	low, high := 0, len(wide)
	for low < high {
		switch middle := (low + high) / 2; {
		case r < wide[middle][0]:
			high = middle
		case r > wide[middle][1]:
			low = middle + 1
		default:
			return 2
		}
	}
	return 1
}

// next is the first piece of s, a character or a sequence that sets colours, and its columns. last is the width of the
// character before.
func next(s string, last int) (size, columns int) {
	if n := colour(s); n > 0 {
		return n, 0
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == asPicture {
		return size, 1 - min(max(last-1, 0), 1)
	}
	return size, Width(r)
}

// colour is the length of the sequence that sets colours with which s begins, 0 if there is none.
func colour(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case (c < '0' || c > '9') && c != ';' && c != ':':
			return 0
		}
	}
	return 0
}

// Columns is how many columns a text of one line takes. Sequences that set colours take none.
func Columns(s string) (columns int) {
	for last := 0; s != ""; {
		size, n := next(s, last)
		columns, last, s = columns+n, n, s[size:]
	}
	return columns
}

// Clip is as much of a text as fits into so many columns, with mark at its end where something is left out. Colours that
// were set in what is left are reset.
func Clip(s string, columns int, mark string) string {
	if len(s) <= columns || Columns(s) <= columns {
		return s
	}
	room := max(columns-Columns(mark), 0)
	if Columns(mark) > columns {
		mark = ""
	}
	painted := false
	for i, last := 0, 0; i < len(s); {
		size, n := next(s[i:], last)
		if room -= n; room < 0 {
			s = s[:i] + mark
			break
		}
		painted = painted || colour(s[i:]) > 0
		i, last = i+size, n
	}
	if painted {
		s += "\x1b[m"
	}
	return s
}

// Pad is a text filled up with spaces to so many columns.
func Pad(s string, columns int) string {
	return s + strings.Repeat(" ", max(columns-Columns(s), 0))
}
