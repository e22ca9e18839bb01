package tty

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestColumns(t *testing.T) {
	for _, test := range []struct {
		text string
		want int
	}{
		{"", 0}, {"web", 3}, {"größe", 5}, {"e\u0301", 1}, {"日本", 4}, {"한", 2}, {"🙂", 2}, {"│…▏", 3}, {"ｗｅｂ", 6},
		{"\x1b[1;31mfail\x1b[m", 4}, {"\x1b[38:5:1mx\x1b[0m", 1}, {"❤", 1}, {"❤\ufe0f", 2}, {"🙂\ufe0f", 2}, {"𠀀", 2},
	} {
		if got := Columns(test.text); got != test.want {
			t.Errorf("Columns(%q) = %d, want %d", test.text, got, test.want)
		}
	}
}

func TestTableIsSorted(t *testing.T) {
	for i, r := range wide {
		if r[0] > r[1] || i > 0 && wide[i-1][1] >= r[0] {
			t.Errorf("%x is not in its place", r)
		}
	}
}

func TestClip(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		mark    string
		want    string
	}{
		{"worker", 6, "…", "worker"}, {"worker", 5, "…", "work…"}, {"worker", 5, "", "worke"}, {"日本語", 5, "…", "日本…"},
		{"日本語", 4, "…", "日…"}, {"worker", 0, "…", ""}, {"worker", 1, "…", "…"},
		{"\x1b[31mworker\x1b[m", 3, "", "\x1b[31mwor\x1b[m"}, {"\x1b[31mworker\x1b[m", 6, "", "\x1b[31mworker\x1b[m"},
	} {
		if got := Clip(test.text, test.columns, test.mark); got != test.want {
			t.Errorf("Clip(%q, %d, %q) = %q, want %q", test.text, test.columns, test.mark, got, test.want)
		}
	}
}

func TestPad(t *testing.T) {
	if got := Pad("日本", 6); got != "日本  " {
		t.Errorf("got %q", got)
	}
	if got := Pad("worker", 3); got != "worker" {
		t.Errorf("got %q", got)
	}
}

func FuzzClip(f *testing.F) {
	f.Add("worker", 3, "…")
	f.Add("\x1b[31m日本語\x1b[m", 4, "…")
	f.Add("❤\ufe0f❤\ufe0f", 3, "~")
	f.Fuzz(func(t *testing.T, s string, columns int, mark string) {
		if columns < 0 || columns > 1<<10 {
			return
		}
		got := Clip(s, columns, mark)
		if n := Columns(got); n > columns {
			t.Fatalf("Clip(%q, %d, %q) = %q takes %d columns", s, columns, mark, got, n)
		}
		if utf8.ValidString(s) && utf8.ValidString(mark) && !utf8.ValidString(got) {
			t.Fatalf("Clip(%q, %d, %q) = %q splits a character", s, columns, mark, got)
		}
		if Columns(s) <= columns && got != s {
			t.Fatalf("Clip(%q, %d, %q) = %q, though it fits", s, columns, mark, got)
		}
		if strings.HasPrefix(s, "\x1b[31m") && got != s && strings.Contains(got, "\x1b[31m") && !strings.HasSuffix(got, "\x1b[m") {
			t.Fatalf("Clip(%q, %d, %q) = %q leaves its colour open", s, columns, mark, got)
		}
	})
}

func TestClipWithoutRoom(t *testing.T) {
	for _, columns := range []int{0, -1} {
		if got := Clip("x", columns, "…"); got != "" {
			t.Errorf("%d columns: got %q", columns, got)
		}
	}
}
