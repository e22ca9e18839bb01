package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// readEnv reads a file of variables into NAME=value, by the rules that most programs with such files share (docs/config.md,
// "Environment", compares them). A missing file is no problem if it is optional. With override the variables count for more than those
// of the environment, also where one refers to another.
func (r *reader) readEnv(file *source, at position, optional, override bool) []string {
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
	if !r.take(&r.used.files, 1, maxFiles, at, "more than %d files are read") || !r.take(&r.used.text, len(text), maxText, at, "more than %d bytes in all files") {
		return nil
	}
	r.sources = append(r.sources, file.path)
	if !utf8.Valid(text) || strings.Contains(string(text), "\x00") {
		r.wrong(position{file: file}, "", "not UTF-8 text")
		return nil
	}
	e := &envText{reader: r, file: file, text: unixLines(strings.TrimPrefix(string(text), "\ufeff")), line: 1, own: make(map[string]string), override: override}
	for e.text != "" {
		e.variable()
	}
	r.hideEnv(e.env)
	return e.env
}

// unixLines are lines that end with LF, whatever they ended with: CR LF, or CR alone.
func unixLines(text string) string {
	if !strings.Contains(text, "\r") {
		return text
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
}

// dotenv are the variables of the .env beside a file, if there is one. A directory of that name is ignored: virtual environments of
// Python are often called so.
func (r *reader) dotenv(file *source) []string {
	env := file.beside(".env")
	if info, err := os.Stat(env.path); r.files == nil && err == nil && info.IsDir() {
		return nil
	}
	return r.readEnv(env, position{file: file}, true, isProcfile(file.path))
}

// dotenvOr are the variables of these files, or those of the .env beside a file if there are none.
func (r *reader) dotenvOr(names []string, file *source) []string {
	if len(names) == 0 {
		return r.dotenv(file)
	}
	var env []string
	for _, name := range names {
		path, err := filepath.Abs(name)
		if err != nil {
			r.wrong(position{file: file}, "", "%s: %s", name, err)
			continue
		}
		from := &source{path: path, shown: name, dir: filepath.Dir(path)}
		env = append(env, r.readEnv(from, position{file: file}, false, isProcfile(file.path))...)
	}
	return env
}

// cause is an error of a file in a few words: the file, and the reason.
func cause(err error, shown string) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	return errors.New(shown + ": " + err.Error())
}

// envText is what is left of a file of variables.
type envText struct {
	*reader
	file     *source
	text     string
	line     int
	env      []string          // what was read so far, in order
	own      map[string]string // the same, by name
	override bool
}

// skip warns of the line that was read last. The warning does not show it: it may be a part of a secret.
func (e *envText) skip(why string) {
	e.warn(position{e.file, e.line, 1}, "skipped: %s", why)
}

// next cuts the first line off.
func (e *envText) next() string {
	line, rest, _ := strings.Cut(e.text, "\n")
	e.text = rest
	return line
}

// set adds a variable.
func (e *envText) set(name, value string) {
	e.env = append(e.env, name+"="+value)
	e.own[name] = value
}

// variable reads the next line, or several lines if a value between quotes spans them.
func (e *envText) variable() {
	line := strings.TrimLeft(e.next(), " \t")
	defer func() { e.line++ }()
	if line == "" || line[0] == '#' {
		return
	}
	if rest, ok := strings.CutPrefix(line, "export"); ok && rest != strings.TrimLeft(rest, " \t") {
		if rest = strings.TrimLeft(rest, " \t"); !strings.HasPrefix(rest, "=") { // else it is a variable of that name
			line = rest
		}
	}
	if line == "" {
		return
	}
	name := line[:len(line)-len(strings.TrimLeftFunc(line, inEnvName))]
	if !envName(name) {
		e.skip("not NAME=value")
		return
	}
	rest := strings.TrimLeft(line[len(name):], " \t")
	switch {
	case rest == "": // a name alone: the variable is that of the environment
	case rest[0] == '=':
		e.set(name, e.value(rest[1:]))
	case strings.HasPrefix(line[len(name):], ": "), strings.HasPrefix(line[len(name):], ":\t"):
		e.set(name, e.value(rest[1:]))
	default:
		e.skip("not NAME=value")
	}
}

// envName reports whether a variable can have this name.
func envName(name string) bool {
	return strings.TrimLeftFunc(name, inEnvName) == "" && name != "" && name[0] != '-' && name[0] != '.'
}

func inEnvName(c rune) bool {
	return c < 0x80 && (letter(byte(c)) || digit(byte(c)) || c == '_' || c == '.' || c == '-')
}
