// Package text writes what people read: words from outside so that nothing obeys them, numbers with their nouns, durations
// without noise. It imports the standard library only, since every other package of the module uses it.
//
// A name, a status, a command line, an error or a line of output that a process, a file or a peer chose goes through
// [Outside] or [Lines] before it is shown, and JSON through [JSON] before it is printed. There is no other such function.
package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mostMarks are as many combining marks as stay on one sign: more of them leave their row.
const mostMarks = 4

// Outside is a text from outside as one line that neither a terminal nor a log of a CI system obeys. Line breaks and tabs
// become a space. What else has no ink is written out, as \x1b, \u202e or \U000e0041: control characters, bidirectional
// and zero-width formatting, fillers, unassigned characters; so are bytes that are not UTF-8, as \xff, and more than four
// combining marks in a row. Workflow commands are broken up as [Inert] does. Outside of an outside text is that text.
func Outside(s string) string { return outside(s, false) }

// Lines is [Outside] for a text of several lines. Line feeds and tabs stay; a carriage return before a line feed is dropped.
func Lines(s string) string {
	return outside(strings.ReplaceAll(s, "\r\n", "\n"), true)
}

// Error is [Sentence] of an error, such as one that joins others.
func Error(err error) string { return Sentence(err.Error()) }

// Sentence is [Outside] of a message whose lines, if it has several, are separated by "; ".
func Sentence(s string) string {
	if isPlain(s) {
		return s
	}
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return Outside(strings.Join(lines, "; "))
}

// Short is [Outside] of a text, its words separated by one space each, cut after n characters.
func Short(s string, n int) string {
	// A character takes at most 10 bytes when it is written out, and at least one: more input than this is not looked at.
	if most := 16 * (n + 1); len(s) > most {
		s = s[:most]
		for i := 1; i < utf8.UTFMax && i < len(s); i++ { // do not split a character
			if utf8.RuneStart(s[len(s)-i]) {
				if !utf8.FullRuneInString(s[len(s)-i:]) {
					s = s[:len(s)-i]
				}
				break
			}
		}
	}
	s = Outside(strings.Join(strings.Fields(s), " "))
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

func outside(s string, lines bool) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	if !lines {
		s = strings.TrimRight(s, "\r\n")
	}
	marks, broken := 0, false // broken: the last was a line break that is now a space
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		breaks := false
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
			marks = 0
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
			marks = 0
		case isBreak(r):
			if breaks = true; !broken {
				b.WriteByte(' ')
			}
			marks = 0
		case r == '\t' || unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
			marks = 0
		case unicode.In(r, unicode.Mn, unicode.Me) && !isInvisible(r):
			if marks++; marks > mostMarks {
				writeOut(&b, r)
				marks = 0
			} else {
				b.WriteRune(r)
			}
		case isInvisible(r):
			writeOut(&b, r)
			marks = 0
		default:
			b.WriteRune(r)
			marks = 0
		}
		i += size
		broken = breaks
	}
	return Inert(b.String())
}

// isPlain reports whether a text is its own Outside, as most are: ASCII with ink, and no mark of a command.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= 0x7f:
			return false
		case (c == ':' || c == '#') && i > 0 && s[i-1] == c:
			return false
		}
	}
	return true
}

// isBreak reports whether r ends a line on a terminal, in an editor or in a log.
func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// isInvisible reports whether r has no ink, or has an effect beyond its own cell. Of the selectors of variants the two stay
// that choose between a text's and a picture's form.
func isInvisible(r rune) bool {
	switch {
	case r < 0x7f:
		return r < ' '
	case r == 0xfe0e || r == 0xfe0f:
		return false
	case r == 0x2800: // the empty cell of Braille
		return true
	}
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// writeOut writes r as Go does in a string.
func writeOut(b *strings.Builder, r rune) {
	switch {
	case r < 0x80:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// Steers reports whether a character that is not ASCII is one that a terminal, or the order of what it shows, obeys: the
// controls of ISO 6429, bidirectional overrides, embeddings and isolates, and the separators of lines. Unlike [Outside] it
// leaves alone what is invisible and harmless, which the output of a child is shown with.
func Steers(r rune) bool {
	switch {
	case r < 0x2028:
		return r >= 0x80 && r < 0xa0
	case r <= 0x2029, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}
