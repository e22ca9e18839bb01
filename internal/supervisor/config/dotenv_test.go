package config

import (
	"os"
	"path/filepath"
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
		"PLAIN=value", "SPACED=a value", "HASH=a#b", "ONLY=", "EMPTY=", "EXPORTED=1", "URL=postgres://u:p@h/d?a=b", "DOLLAR=$HOME ${X}",
		`SINGLE=as \n $is "it"`, "DOUBLE=a\tb \"c\" \\ $d \\x", "LINES=one\n  two\n\nthree", "AFTER=x", "CRLF=x", "dotted.name-x=1",
		"TWICE=2", "QUOTES=\n", "LAST=no line end",
	}
	got, problems := dotenv(t, text)
	if len(problems) > 0 {
		t.Error(problems)
	}
	if got = merge(nil, got...); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDotenvProblems(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\n  nothing here": "e.env:2:3: this is not NAME=value",
		"A=1\n1B=2\n":         `e.env:2:1: "1B" is not the name of a variable`,
		"=2\n":                `e.env:1:1: "" is not the name of a variable`,
		"A B=2\n":             `e.env:1:1: "A B" is not the name of a variable`,
		"\nA='x\ny":           "e.env:2:1: the quote ' is not closed",
		"A=\"x\" y\n":         `e.env:1:1: after the closing quote comes "y"`,
		"A=\"x\n\" y\n":       `e.env:2:1: after the closing quote comes "y"`,
		"A=\xff":              "e.env: it is not UTF-8 text",
		"A=\x00":              "e.env: it is not UTF-8 text",
	} {
		if _, problems := dotenv(t, text); len(problems) != 1 || problems[0].String() != want {
			t.Errorf("%q: %v, want %s", text, problems, want)
		}
	}
}

// dotenv reads text as a file of variables.
func dotenv(t *testing.T, text string) ([]string, []Problem) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "e.env")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := new(reader)
	file := &source{path: name, shown: "e.env"}
	return r.readEnv(file, position{file: file}, false), r.problems
}
