package output

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/internal/text"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"plain", "plain"},
		{"tab\tstays", "tab\tstays"},
		{"text ä€😀", "text ä€😀"},
		{"bell\a back\bspace\x7f nul\x00", "bell backspace nul"},
		{"\x1b[31mred", "\x1b[31mred" + reset},
		{"\x1b[1;38;2;1;2;3mred\x1b[0m", "\x1b[1;38;2;1;2;3mred\x1b[0m" + reset},
		{"\x1b[4:3mcurly", "\x1b[4:3mcurly" + reset},
		{"\x1b[2J\x1b[3J\x1b[Hcleared", "cleared"},
		{"\x1b[?25lhidden\x1b[?25h", "hidden"},
		{"\x1b[>4;2mno colour", "no colour"},
		{"\x1bcreset", "reset"},
		{"\x1b(Bcharset", "charset"},
		{"\x1b]0;title\atext", "text"},
		{"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"},
		{"\x1b]0;never ends", ""},
		{"\x1bP1$r\x1b\\dcs", "dcs"},
		{"ends in \x1b", "ends in "},
		{"ends in \x1b[3", "ends in "},
		{"\x1b\x1b[31mtwice", "\x1b[31mtwice" + reset},
		{"\u009b31mC1 in UTF-8\u0085", "31mC1 in UTF-8"},
		{"\x9b31mC1 alone, \xff", "\ufffd31mC1 alone, \ufffd"},
		{"abc\u202ecba\u2066x\u2069\u2028", "abccbax"},
		{"می\u200cخواهم 👩\u200d🚀", "می\u200cخواهم 👩\u200d🚀"},
		{"10%\r20%\r30%", "30%"},
		{"\x1b[32m10%\r20%\r", "\x1b[32m20%" + reset},
		{"10%\r\x1b[K20%", "20%"},
	} {
		var look []byte
		if got := string(appendClean(nil, []byte(c.line), true, &look)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.line, got, c.want)
		}
		if bare := []byte(c.line); !hasControl(bare) && c.line != c.want {
			t.Errorf("%q is taken for clean", c.line)
		}
	}
}

// A child that sets a colour and writes several lines has all of them in it, and nobody else has.
func TestLookLastsOverLines(t *testing.T) {
	var look []byte
	var got []string
	for _, line := range []string{"\x1b[1mbold", "bold\x1b[31mand red", "both\x1b[0;34mblue", "blue\x1b[m none", "none"} {
		got = append(got, string(appendClean(nil, []byte(line), true, &look)))
	}
	for i, want := range []string{
		"\x1b[1mbold" + reset,
		"\x1b[1mbold\x1b[31mand red" + reset,
		"\x1b[1m\x1b[31mboth\x1b[0;34mblue" + reset,
		"\x1b[0;34mblue\x1b[m none" + reset,
		"none",
	} {
		if got[i] != want {
			t.Errorf("line %d: got %q, want %q", i+1, got[i], want)
		}
	}
}

func TestNoColour(t *testing.T) {
	var look []byte
	if got := string(appendClean(nil, []byte("\x1b[31mred\x1b[0m"), false, &look)); got != "red" {
		t.Errorf("got %q", got)
	}
}

// Whatever a child writes, only text, tabs and what sets colours reaches the terminal, and what it may hold is bounded.
func FuzzClean(f *testing.F) {
	f.Add([]byte("\xc2\a\x81"), []byte("\x1b["))
	f.Add([]byte("\x1b[31mred\x1b[0m"), []byte("\x1b]0;x\x1b"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var look []byte
		for _, line := range [][]byte{a, b} {
			line = bytes.ReplaceAll(line, []byte{'\n'}, nil)
			got := appendClean(nil, line, true, &look)
			if len(look) > mostLook {
				t.Fatalf("%d bytes are remembered", len(look))
			}
			if clean := !hasControl(line); clean && len(look) == 0 && !bytes.Equal(got, line) {
				t.Fatalf("got %q of %q", got, line)
			}
			if bytes.ContainsRune(got, 0x1b) && !bytes.HasSuffix(got, []byte(reset)) {
				t.Fatalf("%q is not reset", got)
			}
			for i := 0; i < len(got); {
				switch c := got[i]; {
				case c == 0x1b:
					n := escape(got[i:])
					if !isLook(got[i : i+n]) {
						t.Fatalf("%q in %q", got[i:i+n], got)
					}
					i += n
				case c < ' ' && c != '\t', c == 0x7f:
					t.Fatalf("%q in %q", c, got)
				default:
					r, size := utf8.DecodeRune(got[i:])
					if text.Steers(r) || r == utf8.RuneError && size == 1 {
						t.Fatalf("%q in %q", got[i:i+size], got)
					}
					i += size
				}
			}
		}
	})
}
