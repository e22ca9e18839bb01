package config

import (
	"slices"
	"strings"
	"testing"
)

func TestDotenv(t *testing.T) {
	text := strings.Join([]string{
		"\ufeff# comment",
		"",
		"PLAIN=value",
		"  SPACED = a value  # with a comment",
		"HASH=a#b",
		"ONLY=# comment",
		"EMPTY=",
		"export EXPORTED=1",
		"export PLAIN",
		"URL=postgres://u:p@h/d?a=b",
		"DOLLAR=$HOME ${X}",
		`SINGLE='as \n $is "it"'  # comment`,
		`DOUBLE="a\tb \"c\" \\ \$d \x"`,
		`LINES="one`,
		`  two`,
		``,
		`three" # comment`,
		"AFTER=x",
		"CRLF=x\r",
		"dotted.name-x=1",
		"TWICE=1",
		"TWICE=2",
		"QUOTES='",
		"'",
		"LAST=no line end",
	}, "\n")
	want := []string{
		"PLAIN=value", "SPACED=a value", "HASH=a#b", "ONLY=# comment", "EMPTY=", "EXPORTED=1", "URL=postgres://u:p@h/d?a=b", "DOLLAR=$HOME ",
		`SINGLE=as \n $is "it"`, "DOUBLE=a\tb \"c\" \\ $d \\x", "LINES=one\n  two\n\nthree", "AFTER=x", "CRLF=x", "dotted.name-x=1",
		"TWICE=2", "QUOTES=\n", "LAST=no line end",
	}
	r, got := readText(text)
	if len(r.problems) > 0 {
		t.Error(r.problems)
	}
	if got = merge(nil, got...); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What is skipped, or read as it may not have been meant, is said with its line, and the line is not shown: it may be secret.
func TestDotenvWarnings(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\n  nothing here": "e.env:2:1: skipped: not NAME=value",
		"A B=2\n":             "e.env:1:1: skipped: not NAME=value",
		"=2\n":                "e.env:1:1: skipped: not NAME=value",
		"A:2\n":               "e.env:1:1: skipped: not NAME=value",
		"\nA='x\ny z":         "e.env:2:1: the quote ' is not closed, and is read as part of the value|e.env:3:1: skipped: not NAME=value",
		"A=\"x\" y\n":         "e.env:1:1: text follows the closing quote, and the quotes are read as part of the value",
		"A=\"x\n\" y\nB=":     "e.env:1:1: text follows the closing quote, and the quotes are read as part of the value|e.env:2:1: skipped: not NAME=value",
		"A=${B}":              "e.env:1:1: the variable B is not set, and expands to nothing",
		"A=${B:?no}":          "e.env:1:1: B: no",
		"\nB=1\nA=x$B":        "e.env:3:1: $B is not expanded here (write ${B} for its value, or single quotes around the text)",
		"A=\"\n\n\"\n!":       "e.env:4:1: skipped: not NAME=value",
		"A\nexport A\nA=x$B\nB='$A ${C}'\n#!\nC: \"it's\" # $A": "",
	} {
		r, _ := readText(text)
		var warnings []string
		for _, w := range r.warnings {
			warnings = append(warnings, w.String())
		}
		if got := strings.Join(warnings, "|"); got != want || len(r.problems) > 0 {
			t.Errorf("%q: %s %v, want %s", text, got, r.problems, want)
		}
	}
}

func TestDotenvProblems(t *testing.T) {
	for text, want := range map[string]string{
		"A=\xff": "e.env: not UTF-8 text",
		"A=\x00": "e.env: not UTF-8 text",
		"A0=" + strings.Repeat("x", 1000) + strings.Repeat("\nA0=${A0}${A0}", 40): "e.env:15:1: more than 16777216 bytes in the values of variables",
	} {
		if r, _ := readText(text); len(r.problems) != 1 || r.problems[0].String() != want {
			t.Errorf("%.40q: %v, want %s", text, r.problems, want)
		}
	}
}

// A variable in another's value is that of the file where the file counts for more than the environment, and else that of the
// environment.
func TestDotenvReferences(t *testing.T) {
	for override, want := range map[bool]string{true: "own", false: "env"} {
		file := &source{path: "/d/e.env", shown: "e.env", dir: "/d"}
		r := &reader{files: map[string]string{file.path: "SET=own\nA=${SET}\n"}, variables: lookup([]string{"SET=env"})}
		if got := r.readEnv(file, position{file: file}, false, override); !slices.Equal(got, []string{"SET=own", "A=" + want}) {
			t.Errorf("override %t: %q", override, got)
		}
	}
}

// readText reads text as a file of variables.
func readText(text string) (*reader, []string) {
	file := &source{path: "/d/e.env", shown: "e.env", dir: "/d"}
	r := &reader{files: map[string]string{file.path: text}, variables: lookup(nil)}
	return r, r.readEnv(file, position{file: file}, false, true)
}
