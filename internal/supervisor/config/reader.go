package config

import (
	"errors"
	"fmt"
	"strings"
)

// A reader reads values, and goes on after a problem so that all are found at once.
type reader struct {
	files     map[string]string // in place of the disk, see Options
	variables func(name string) (string, bool)
	problems  []Problem
	left      int                 // problems that are too many to be told
	warnings  []Problem           // what was skipped, or read as its author may not have meant it
	sources   []string            // every file that was read
	envs      map[string][]string // the variables of environment files, by path
	used      used
	hidden    hidden
	process   string   // whose keys are read
	path      []string // the keys that lead to the value which is read
}

// wrong notes a problem.
func (r *reader) wrong(at position, nearest, format string, args ...any) {
	if len(r.problems) >= maxProblems {
		r.left++
		return
	}
	r.problems = append(r.problems, problemAt(at, nearest, format, args...))
}

// warn notes what is no error, and should be known.
func (r *reader) warn(at position, format string, args ...any) {
	if len(r.warnings) < maxProblems {
		r.warnings = append(r.warnings, problemAt(at, "", format, args...))
	}
}

// problemAt is a problem at a place, with a text of bounded length.
func problemAt(at position, nearest, format string, args ...any) Problem {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	if len(text) > maxProblem {
		text = strings.ToValidUTF8(text[:maxProblem], "") + "…"
	}
	return Problem{at.file.shown, at.line, at.column, text, nearest}
}

// wrongValue notes a problem of the value that is read, with the name of its process and its key before.
func (r *reader) wrongValue(at position, err error) {
	where := strings.Join(r.path, ".")
	if r.process != "" && where != "" {
		where = r.process + ": " + where
	} else if r.process != "" {
		where = r.process
	}
	if where != "" {
		where += ": "
	}
	near := ""
	if h := (*hint)(nil); errors.As(err, &h) {
		near = h.nearest
	}
	r.wrong(at, near, "%s%s", where, err.Error())
}

// wrongf is wrongValue with a text.
func (r *reader) wrongf(at position, format string, args ...any) {
	r.wrongValue(at, fmt.Errorf(format, args...))
}

// text is a scalar with its variables in their places. Anything but a scalar is a problem.
func (r *reader) text(n *node, words string) (string, bool) {
	if !r.is(n, scalar, words) {
		return "", false
	}
	text, err := r.substitute(n.text)
	if errors.Is(err, errTold) {
		return "", false
	}
	if err == nil && strings.Contains(text, "\x00") {
		err = errors.New("it contains a NUL character")
	}
	if err == nil && len(text) > len(n.text) && !r.take(&r.used.text, len(text), maxText, n.at, "more than %d bytes in the values of variables") {
		return "", false
	}
	if err != nil {
		r.wrongValue(n.at, err)
		return "", false
	}
	return text, true
}

// errTold is an error that is among the problems already.
var errTold = errors.New("too much text")

// substitute puts values in the places of variables, as long as they are not too large together.
func (r *reader) substitute(text string) (string, error) {
	if r.used.text > maxText && strings.Contains(text, "$") {
		return "", errTold
	}
	result, err := substitute(text, r.variables)
	if err == nil && result != text {
		r.hideText(text, result)
	}
	return result, err
}

// is reports whether n is of a kind, and notes a problem if it is not.
func (r *reader) is(n *node, kind nodeKind, words string) bool {
	switch n.kind {
	case kind:
		return true
	case null:
		r.wrongf(n.at, "missing value: it must be %s", words)
	default:
		r.wrongf(n.at, "must be %s, not %s", words, n.kind)
	}
	return false
}
