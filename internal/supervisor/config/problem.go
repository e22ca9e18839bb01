package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/internal/text"
)

// A Problem is one thing that is wrong with a file.
type Problem struct {
	File    string // as the user would write it
	Line    int    // from 1; 0 if it is the file as a whole
	Column  int    // from 1, in characters
	Text    string // what is wrong
	Nearest string // what may have been meant; "" if nothing is near
}

// String is one line that an editor can jump to.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	b.WriteString(p.Text)
	if p.Nearest != "" {
		fmt.Fprintf(&b, ", did you mean %q?", p.Nearest)
	}
	return b.String()
}

// Error is all that is wrong with a file and those it includes. There is at least one problem.
type Error struct {
	Problems []Problem
}

// Error is one line for each problem, whatever the file holds.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = text.Outside(p.String())
	}
	return strings.Join(lines, "\n")
}

// A hint is an error of a value together with what may have been meant.
type hint struct{ text, nearest string }

func (h *hint) Error() string { return h.text }

// list is "a, b or c".
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

// sortProblems puts them in the order of the files, and in a file in that of the lines.
func sortProblems(problems []Problem) {
	order := make(map[string]int)
	for _, p := range problems {
		if _, ok := order[p.File]; !ok {
			order[p.File] = len(order)
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if a.File != b.File {
			return order[a.File] - order[b.File]
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}
