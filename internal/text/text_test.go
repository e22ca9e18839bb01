package text

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

func TestOutside(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""}, {"web-1: größer, 日本語 🙂", "web-1: größer, 日本語 🙂"},
		{"a\nb\r\nc\td\n", "a b c d"}, {"50%\r90%", "50% 90%"}, {"a\u2028b\u0085c", "a b c"}, {"a\u00a0b", "a b"},
		{"\x1b]0;title\x07x", `\x1b]0;title\x07x`}, {"\x1b[31mred", `\x1b[31mred`}, {"a\u009b31mb", `a\u009b31mb`}, {"a\x9bb", `a\x9bb`},
		{"abc\u202ecba\u202c\u2066x\u2069", `abc\u202ecba\u202c\u2066x\u2069`}, {"ad\u200bmin\ufeff", `ad\u200bmin\ufeff`},
		{"a\u3164b\u2800c", `a\u3164b\u2800c`}, {"a\U000e0041b", `a\U000e0041b`}, {"❤\ufe0f", "❤\ufe0f"},
		{"e\u0301", "e\u0301"}, {"e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301" + `\u0301`},
		{"::error title=x::no", `\::error title=x::no`}, {"x ::add-mask::no", `x \::add-mask::no`}, {"\n::endgroup::", ` \::endgroup::`},
		{"std::string", "std::string"}, {"listens on ::1", "listens on ::1"}, {"[::]:80", "[::]:80"}, {"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
		{"x ##[error]no", `x #\#[error]no`}, {"##vso[task.x]", `#\#vso[task.x]`}, {"## title", "## title"},
	} {
		if got := Outside(test.text); got != test.want {
			t.Errorf("Outside(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestLines(t *testing.T) {
	if got, want := Lines("a\r\n\tb\x1b[2J\r50%\n::error::x\n"), "a\n\tb"+`\x1b[2J 50%`+"\n"+`\::error::x`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestError(t *testing.T) {
	err := errors.Join(errors.New("first\x1b[m"), errors.New("  second\n"))
	if got, want := Error(err), `first\x1b[m; second`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShort(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		want string
	}{{"a  b\n c", 9, "a b c"}, {"größer", 3, "grö…"}, {"größer", 6, "größer"}, {"\x1b[m", 2, `\x…`}} {
		if got := Short(test.text, test.n); got != test.want {
			t.Errorf("Short(%q, %d) = %q, want %q", test.text, test.n, got, test.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0 workers", 1: "1 worker", 2: "2 workers"} {
		if got := Count(n, "worker"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Count(2, "process"); got != "2 processes" {
		t.Errorf("got %q", got)
	}
	for d, want := range map[time.Duration]string{
		12345 * time.Millisecond: "12.3s", 1234567 * time.Microsecond: "1.23s", 45678 * time.Microsecond: "46ms",
		-6789 * time.Microsecond: "-6.8ms", 890123: "890µs", 0: "0s",
	} {
		if got := Round(d).String(); got != want {
			t.Errorf("Round(%d) = %s, want %s", d, got, want)
		}
	}
}

// The corpus is as hostile to this package as it is to what uses it.
func TestCorpus(t *testing.T) {
	for _, s := range texttest.Corpus {
		if err := texttest.OneLine(Outside(s)); err != nil {
			t.Errorf("Outside(%q): %v", s, err)
		}
		if err := texttest.Lines(Lines(s)); err != nil {
			t.Errorf("Lines(%q): %v", s, err)
		}
		if err := texttest.OneLine(Quote(s)); err != nil {
			t.Errorf("Quote(%q): %v", s, err)
		}
	}
}

func FuzzOutside(f *testing.F) {
	for _, s := range texttest.Corpus {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one, lines := Outside(s), Lines(s)
		if err := texttest.OneLine(one); err != nil {
			t.Fatalf("Outside(%q) = %q: %v", s, one, err)
		}
		if err := texttest.Lines(lines); err != nil {
			t.Fatalf("Lines(%q) = %q: %v", s, lines, err)
		}
		if again := Outside(one); again != one {
			t.Fatalf("Outside(%q) = %q, and of that %q", s, one, again)
		}
		if again := Lines(lines); again != lines {
			t.Fatalf("Lines(%q) = %q, and of that %q", s, lines, again)
		}
		if most := 10*len(s) + 1; len(one) > most || len(lines) > most {
			t.Fatalf("%d bytes became %d and %d", len(s), len(one), len(lines))
		}
		short := Short(s, 20)
		if n := utf8.RuneCountInString(short); n > 21 {
			t.Fatalf("Short(%q, 20) = %q has %d characters", s, short, n)
		}
		if err := texttest.OneLine(short); err != nil {
			t.Fatalf("Short(%q) = %q: %v", s, short, err)
		}
		var back string
		if err := json.Unmarshal([]byte(Quote(s)), &back); err != nil {
			t.Fatalf("Quote(%q) = %q: %v", s, Quote(s), err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back != want {
			t.Fatalf("Quote(%q) is read as %q", s, back)
		}
		if err := texttest.OneLine(Quote(s)); err != nil {
			t.Fatalf("Quote(%q) = %q: %v", s, Quote(s), err)
		}
	})
}

// A document means the same after [JSON].
func FuzzJSON(f *testing.F) {
	for _, s := range texttest.Corpus {
		doc, _ := json.Marshal(map[string]any{s: []any{s, 1.5, nil, true}})
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var before, after any
		if json.Unmarshal(doc, &before) != nil {
			return
		}
		safe := JSON(doc)
		if err := json.Unmarshal(safe, &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("JSON(%q) = %q: %v", doc, safe, err)
		}
	})
}
