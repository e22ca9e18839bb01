package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/internal/text/texttest"
)

// What is printed of a file is not obeyed by a terminal or by the log of a CI system, whatever its values are, and means the
// same when it is read again.
func TestWhatIsPrintedIsNotObeyed(t *testing.T) {
	dir := t.TempDir()
	n := 0
	for _, s := range texttest.Corpus {
		s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "") // which no process could be given
		path := filepath.Join(dir, "lastcall.yaml")
		lines := "first\n" + s + "\nlast\n"
		quoted := asJSON(s)
		doc := "processes: {web: {command: [x, " + quoted + "], env: {A: " + quoted + ", B: " + asJSON(lines) + "}}}\n"
		doc = strings.ReplaceAll(doc, "$", "$$")
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := Load(Options{Path: path, Environ: []string{}})
		if err != nil {
			if safe := texttest.Lines(err.Error()); safe != nil {
				t.Errorf("the error for %q: %v", s, safe)
			}
			continue
		}
		n++
		for form, printed := range map[string][]byte{"YAML": file.YAML(), "JSON": file.JSON()} {
			if err := texttest.Lines(string(printed)); err != nil {
				t.Errorf("%s of %q: %v", form, s, err)
			}
		}
		roundTrip(t, t.TempDir(), file)
	}
	if n < len(texttest.Corpus)/2 {
		t.Errorf("only %d of %d texts could stand in a file", n, len(texttest.Corpus))
	}
}

// asJSON is a text as encoding/json has it, raw where it may be.
func asJSON(s string) string {
	b, _ := json.Marshal(s) // text can always be JSON
	return string(b)
}

// A problem is one line, whatever is wrong with the file.
func TestProblemsAreNotObeyed(t *testing.T) {
	for _, s := range append(texttest.Corpus, texttest.One()) {
		err := &Error{Problems: []Problem{{File: s, Line: 1, Column: 1, Text: s, Nearest: s}, {File: "b", Text: "c"}}}
		if safe := texttest.Lines(err.Error()); safe != nil {
			t.Errorf("%q: %v", s, safe)
		}
		if n := strings.Count(err.Error(), "\n"); n != 1 {
			t.Errorf("%q: two problems have %d line breaks", s, n)
		}
	}
}
