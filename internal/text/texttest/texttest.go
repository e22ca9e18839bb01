// Package texttest has the texts with which every place is tested that shows text from outside, and says of what it shows
// whether that is safe.
package texttest

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Corpus are texts that somebody chose who means no good: names, statuses, lines of output.
var Corpus = []string{
	"\x1b]0;owned\x07", "\x1b]52;c;cm0gLXJmIH4=\x1b\\", "\x1b[2J\x1b[H", "\x1b[31mopen", "\x1bP1$r\x1b\\", "\x1b", "\x9b31m", "\u009b31m", "\u009d0;x\u009c",
	"50%\r100%", "a\r\nb", "a\n::error::b", "\x00", "\x07\x08\x7f", "\x0e\x0f",
	"abc\u202ecba", "\u2066\u2067x\u2069", "\u200e\u061c", "ad\u200bmin", "\ufeffx", "x\u00ad", "\u3164\u115f\uffa0", "\u2028\u2029", "\U000e0041\U000e007f",
	"\xff\xfe", "half \xe2\x82", "\xed\xa0\x80", "\ufffd", strings.Repeat("\u0301", 40),
	"::error::x", "::error title=a,file=b::x", "  ::add-mask::e", "::stop-commands::t", "##[add-mask]e", "a ##[group]x", "##vso[task.setvariable variable=a]b", "##teamcity[x]",
	"<script>alert(1)</script>", `"><img src=x onerror=y>`, "]]>", "&amp;", "| a | b |", "`x` **y** [z](javascript:1)", "<!-- x", "@everyone", "# Bail out! x", "not ok 1", "---\n...", `\`, `"`, "'",
	"%0A::error::x", "%s%d%n", strings.Repeat("a", 300), strings.Repeat("日", 100), "\t\ttabs", "",
}

// One is the whole corpus as one text.
func One() string { return strings.Join(Corpus, " ") }

// escapes are the sequences that this program itself may write: colours, rows rewritten in place.
var escapes = regexp.MustCompile(`\x1b\[[0-9;]*[mJKA]`)

// commands are what the log of a CI system would obey.
var commands = regexp.MustCompile(`(?m)^\s*::([A-Za-z_-][A-Za-z0-9_-]*( |::)|[0-9][A-Za-z0-9_-]*::)|##(vso|teamcity)?\[`)

// OneLine says why a text is not a safe one of a single line.
func OneLine(s string) error {
	if strings.ContainsAny(s, "\n\t") {
		return fmt.Errorf("a line break or a tab in %q", s)
	}
	return Lines(s)
}

// Lines says why a text is not a safe one of several lines.
func Lines(s string) error {
	for i, r := range s {
		bad := r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") || r != '\n' && r != '\t' && unicode.IsControl(r) ||
			unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs, unicode.Other_Default_Ignorable_Code_Point)
		if bad {
			return fmt.Errorf("%+q in %q", r, around(s, i))
		}
	}
	if at := commands.FindStringIndex(s); at != nil {
		return fmt.Errorf("a command in %q", around(s, at[0]))
	}
	return nil
}

// Terminal is [Lines] for what is written to a terminal, where own sequences and returns of the carriage are allowed. What
// sets colours must be reset at the end of its line.
func Terminal(s string) error {
	for line := range strings.Lines(s) {
		found := escapes.FindAllString(line, -1)
		colours := slices.DeleteFunc(found, func(e string) bool { return !strings.HasSuffix(e, "m") })
		if n := len(colours); n > 0 && colours[n-1] != "\x1b[m" && colours[n-1] != "\x1b[0m" {
			return fmt.Errorf("a colour is left open in %q", line)
		}
	}
	return Lines(strings.ReplaceAll(escapes.ReplaceAllString(s, ""), "\r", ""))
}

func around(s string, at int) string { return s[max(0, at-20):min(len(s), at+40)] }

// Fill puts s into every field of type string of what v points to, and into the strings of its lists, which get one element
// if they have none. Strings of a type of their own, which are the program's own words, stay.
func Fill(v any, s string) { fill(reflect.ValueOf(v).Elem(), s) }

func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), s)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 && v.CanSet() && v.Type().Elem().Kind() == reflect.String {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			fill(v.Index(i), s)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), s)
		}
	}
}
