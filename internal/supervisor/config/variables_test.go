package config

import "testing"

func TestSubstitute(t *testing.T) {
	environment := map[string]string{"A": "a", "B_2": "b", "EMPTY": "", "PATH": "/bin"}
	lookup := func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	}
	for _, test := range []struct{ text, want, wrong string }{
		{"plain", "plain", ""},
		{"$A", "a", ""},
		{"${A}", "a", ""},
		{"x${A}y$B_2/z", "xay" + "b/z", ""},
		{"$A-$B_2", "a-b", ""},
		{"/opt:${PATH}", "/opt:/bin", ""},
		{"$$A", "$A", ""},
		{"$${A}", "${A}", ""},
		{"$$$A", "$a", ""},
		{"^ready$", "^ready$", ""},
		{"$1 $( $", "$1 $( $", ""},
		{"$EMPTY", "", ""},
		{"${EMPTY:-x}", "x", ""},
		{"${EMPTY-x}", "", ""},
		{"${NO:-x}", "x", ""},
		{"${NO-x y}", "x y", ""},
		{"${NO:-}", "", ""},
		{"${NO:-$A}", "a", ""},
		{"${NO:-${NOT:-${A}}}!", "a!", ""},
		{"${NO:-$$}", "$", ""},
		{"${A:?no}", "a", ""},
		{"${EMPTY?no}", "", ""},
		{"$NO", "", "the variable NO is not set (set it, or write ${NO:-default}, or $$NO for the literal text)"},
		{"${NO}", "", "the variable NO is not set (set it, or write ${NO:-default}, or $$NO for the literal text)"},
		{"${NO?}", "", "NO: it must be set"},
		{"${EMPTY:?where is it}", "", "EMPTY: where is it"},
		{"${A", "", "${ without } (write $$ for a literal $)"},
		{"${}", "", "${} names no variable (write $$ for a literal $)"},
		{"${1}", "", "${1} names no variable (write $$ for a literal $)"},
		{"${A:}", "", "${A:} is incomplete: - or ? must follow the colon"},
		{"${A/x/y}", "", "${A/x/y} is not supported: only -default, :-default, ?message or :?message may follow the name"},
	} {
		got, err := substitute(test.text, lookup)
		if test.wrong != "" {
			if err == nil || err.Error() != test.wrong {
				t.Errorf("%q: %v, want %s", test.text, err, test.wrong)
			}
		} else if err != nil || got != test.want {
			t.Errorf("%q is %q, %v; want %q", test.text, got, err, test.want)
		}
	}
}
