package config

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// readEnv reads a file of variables into KEY=VALUE. missing is no problem if it may be. The syntax is that of .env files
// as others have it:
//
//	# a comment
//	NAME=value            # a comment, since a space is before it
//	export NAME=value
//	NAME='as it is'
//	NAME="with \n, \t, \", \\ and \$, and over
//	several lines"
//
// Nothing is put in the places of variables.
func (r *reader) readEnv(file *source, at position, optional bool) []string {
	text, err := r.read(file, true)
	if errors.Is(err, fs.ErrNotExist) && optional {
		return nil
	}
	if errors.Is(err, errTooLarge) {
		r.wrong(position{file: file}, "", "%s", err)
		return nil
	}
	if err != nil {
		r.wrongValue(at, cause(err, file.shown))
		return nil
	}
	if !r.take(&r.used.files, 1, maxFiles, at, "more than %d files are read") || !r.take(&r.used.text, len(text), maxText, at, "there are more than %d bytes in all files") {
		return nil
	}
	r.sources = append(r.sources, file.path)
	if !utf8.Valid(text) || strings.Contains(string(text), "\x00") {
		r.wrong(position{file: file}, "", "it is not UTF-8 text")
		return nil
	}
	e := &envText{reader: r, file: file, text: strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n"), line: 1}
	var env []string
	for e.text != "" {
		if v := e.variable(); v != "" {
			env = append(env, v)
		}
	}
	r.hideEnv(env)
	return env
}

// dotenv are the variables of .env beside a file, if there is one. A directory of that name is none: so is Python's virtual
// environment called.
func (r *reader) dotenv(file *source) []string {
	env := file.beside(".env")
	if info, err := os.Stat(env.path); r.files == nil && err == nil && info.IsDir() {
		return nil
	}
	return r.readEnv(env, position{file: file}, true)
}

// cause is an error of a file in a few words: the file, and why not.
func cause(err error, shown string) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	return errors.New(shown + ": " + err.Error())
}

// envText is what is left of a file of variables.
type envText struct {
	*reader
	file *source
	text string
	line int
}

func (e *envText) at(column int) position { return position{e.file, e.line, column} }

// next cuts the first line off.
func (e *envText) next() string {
	line, rest, _ := strings.Cut(e.text, "\n")
	e.text = rest
	return line
}

// variable reads the next line, or several if a quoted value spans them; "" is one without a variable.
func (e *envText) variable() string {
	defer func() { e.line++ }()
	full := e.next()
	line := strings.TrimLeft(full, " \t")
	indent := len(full) - len(line)
	if line == "" || line[0] == '#' {
		return ""
	}
	exported := false
	if rest, ok := strings.CutPrefix(line, "export "); ok {
		line, exported = strings.TrimLeft(rest, " \t"), true
	}
	name, value, ok := strings.Cut(line, "=")
	name = strings.TrimRight(name, " \t")
	if !ok && exported {
		return "" // so that it could be sourced by a shell
	}
	if !ok {
		e.wrong(e.at(indent+1), "", "this is not NAME=value")
		return ""
	}
	if !envName(name) {
		e.wrong(e.at(indent+1), "", "%q is not the name of a variable", name)
		return ""
	}
	value = strings.TrimLeft(value, " \t")
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		if value, ok = e.quoted(value); !ok {
			return ""
		}
		return name + "=" + value
	}
	for i := range len(value) {
		if value[i] == '#' && (i == 0 || value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return name + "=" + strings.TrimRight(value, " \t")
}

// quoted reads a value that begins with a quote, up to the closing one.
func (e *envText) quoted(text string) (string, bool) {
	quote := text[0]
	first := e.line
	var b strings.Builder
	for i := 1; ; i++ {
		if i == len(text) {
			if e.text == "" {
				e.wrong(position{e.file, first, 1}, "", "the quote %c is not closed", quote)
				return "", false
			}
			b.WriteByte('\n')
			text = e.next()
			e.line++
			i = -1
			continue
		}
		switch c := text[i]; {
		case c == quote:
			if rest := strings.TrimLeft(text[i+1:], " \t"); rest != "" && rest[0] != '#' {
				e.wrong(e.at(1), "", "after the closing quote comes %q", rest)
				return "", false
			}
			return b.String(), true
		case c == '\\' && quote == '"' && i+1 < len(text) && strings.IndexByte(escapes, text[i+1]) >= 0:
			i++
			b.WriteByte(escaped[strings.IndexByte(escapes, text[i])])
		default:
			b.WriteByte(c)
		}
	}
}

// What stands after a backslash between double quotes, and what it means.
const (
	escapes = `nrt"\$` + "`"
	escaped = "\n\r\t\"\\$`"
)

// envName reports whether a variable can have this name.
func envName(name string) bool {
	for i := range len(name) {
		if c := name[i]; !letter(c) && c != '_' && (i == 0 || !digit(c) && c != '.' && c != '-') {
			return false
		}
	}
	return name != ""
}

// merge puts variables into env: one that is there already gets the new value at its old place.
func merge(env []string, with ...string) []string {
	if len(with) == 0 {
		return env
	}
	at := make(map[string]int, len(env)+len(with))
	for i, v := range slices.Backward(env) { // the first counts
		name, _, _ := strings.Cut(v, "=")
		at[name] = i
	}
	for _, v := range with {
		name, _, _ := strings.Cut(v, "=")
		if i, ok := at[name]; ok {
			env[i] = v
			continue
		}
		at[name] = len(env)
		env = append(env, v)
	}
	return env
}

// indexOf is where env has the variable, -1 if nowhere.
func indexOf(env []string, name string) int {
	for i, v := range env {
		if len(v) > len(name) && v[len(name)] == '=' && v[:len(name)] == name {
			return i
		}
	}
	return -1
}

// without is env without a variable.
func without(env []string, name string) []string {
	if i := indexOf(env, name); i >= 0 {
		return slices.Concat(env[:i], env[i+1:])
	}
	return env
}
