package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lastcall-go/lastcall"
)

// Options says what Load is to read.
type Options struct {
	Path     string   // "": lastcall.yaml, lastcall.yml or Procfile in the current directory
	Profiles []string // those that are chosen; nil: the list in LASTCALL_PROFILES, separated by commas
	Environ  []string // the environment, for variables in the file; nil: os.Environ()
	// EnvFiles are read in place of the .env beside the file, relative to the current directory. Of a variable that is in two of them
	// the last holds.
	EnvFiles []string
	// Instances are numbers of instances in place of the file's, by the names of processes.
	Instances map[string]int

	files map[string]string // in place of the disk, by their absolute paths, where it is not nil: for tests
}

// Load reads a file, those that it includes, and their environment files. What is wrong with them is an *Error, with all
// problems. A file whose name begins with Procfile or ends in .procfile is one.
func Load(opts Options) (*File, error) {
	file, err := find(opts.Path)
	if err != nil {
		return nil, err
	}
	if opts.Environ == nil {
		opts.Environ = os.Environ()
	}
	r := &reader{files: opts.files}
	text := r.readFile(file, position{file: file})
	r.variables = lookup(opts.Environ)
	dotenv := r.dotenvOr(opts.EnvFiles, file)
	r.variables = lookup(opts.Environ, dotenv)
	doc := &document{File: File{Path: file.path, Dir: file.dir}}
	switch {
	case text == nil:
	case isProcfile(file.path):
		r.procfile(doc, file, text, merge(nil, dotenv...))
	case looksLikeProcfile(text):
		r.wrong(position{file: file}, "", "it has the lines of a Procfile and not the name of one: call it Procfile, or NAME.procfile")
	default:
		// What .env sets and the environment does not, is as if it were in the environment.
		base := merge(nil, slices.DeleteFunc(slices.Clone(dotenv), func(v string) bool {
			name, _, _ := strings.Cut(v, "=")
			return indexOf(opts.Environ, name) >= 0
		})...)
		r.yaml(doc, file, text, base)
	}
	profiles := opts.Profiles
	if list, ok := r.variables("LASTCALL_PROFILES"); ok && profiles == nil {
		profiles = strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' })
	}
	r.scale(doc, file, opts.Instances)
	r.resolve(doc, file, profiles)
	if len(r.problems) > 0 {
		sortProblems(r.problems)
		if r.left > 0 {
			r.problems = append(r.problems, Problem{File: file.shown, Text: fmt.Sprintf("there are %d more problems", r.left)})
		}
		return nil, &Error{r.problems}
	}
	f := doc.File // not the one in the document, which holds on to the text
	f.Sources = r.sources
	f.hidden, f.warnings = r.hidden, r.warnings
	if f.Name == "" {
		f.Name = nameOf(file.dir)
	}
	if f.Grace == 0 {
		f.Grace = lastcall.DefaultGrace
	}
	if f.Exit == "" {
		f.Exit = ExitFirst
	}
	return &f, nil
}

// lookup finds variables in environments, in the first that has them.
func lookup(environments ...[]string) func(name string) (string, bool) {
	return func(name string) (string, bool) {
		for _, env := range environments {
			if i := indexOf(env, name); i >= 0 {
				return env[i][len(name)+1:], true
			}
		}
		return "", false
	}
}

// nameOf is a directory's name as far as it can be a name.
func nameOf(dir string) string {
	name := strings.TrimLeft(strings.Map(func(c rune) rune {
		if c < 0x80 && (letter(byte(c)) || digit(byte(c)) || strings.ContainsRune("_.-", c)) {
			return c
		}
		return '-'
	}, filepath.Base(dir)), "-")
	if name == "" {
		return reserved
	}
	return name
}

// find is the file with this name, or the one that is looked for if there is none.
func find(name string) (*source, error) {
	shown := name
	if name == "" {
		names := []string{DefaultName, "lastcall.yml", "Procfile"}
		for _, n := range names {
			if _, err := os.Stat(n); err == nil {
				shown = n
				break
			}
		}
		if shown == "" {
			dir, _ := os.Getwd()
			return nil, &Error{[]Problem{{File: dir, Text: "there is no " + list(names, "or") + " here (name a file with -f)"}}}
		}
	}
	path, err := filepath.Abs(shown)
	if err != nil {
		return nil, err
	}
	return &source{path: path, shown: shown, dir: filepath.Dir(path)}, nil
}

// readFile is the text of a file; nil if it cannot be read, which is then a problem at this position.
func (r *reader) readFile(file *source, at position) []byte {
	text, err := r.read(file, false)
	switch {
	case errors.Is(err, errTooLarge) || err != nil && at.line == 0:
		r.wrong(position{file: file}, "", "%s", err)
		return nil
	case err != nil:
		r.wrongValue(at, cause(err, file.shown))
		return nil
	}
	if !r.take(&r.used.files, 1, maxFiles, at, "more than %d files are read") || !r.take(&r.used.text, len(text), maxText, at, "more than %d bytes in all files") {
		return nil
	}
	r.sources = append(r.sources, file.path)
	return append(text, '\n')
}

// included are the keys of an included file.
var included = []string{"env", "env_file", "include", "processes"}

// yaml reads a file, and those that it includes, into doc. The processes have the variables of env, too.
func (r *reader) yaml(doc *document, file *source, text []byte, env []string) {
	root := parseYAML(r, file, text)
	if root == nil {
		return
	}
	read := document{File: doc.File}
	documentKeys().read(r, root, &read)
	if doc.chain != nil {
		for _, e := range root.entries {
			if !slices.Contains(included, e.key) && !strings.HasPrefix(e.key, "x-") {
				r.wrong(e.at, "", "%s is not allowed in an included file: move it to %s", e.key, doc.chain[0].shown)
			}
		}
	} else {
		doc.File, doc.lameDuckAt = read.File, read.lameDuckAt
	}
	env = r.environment(position{file: file}, env, r.envFiles(read.files), read.env)
	for _, d := range read.processes {
		r.process, r.path = d.Name, []string{"env_file"}
		d.Env = r.environment(d.at, env, r.envFiles(d.files), d.env)
		if d.Port > 0 {
			d.Env = append(without(d.Env, "PORT"), "PORT="+strconv.Itoa(d.Port))
		}
		r.process, r.path = "", nil
	}
	doc.processes = append(doc.processes, read.processes...)
	doc.chain = append(doc.chain, file)
	for _, ref := range read.include {
		r.includes(doc, file, ref, env)
	}
	doc.chain = doc.chain[:len(doc.chain)-1]
}

// includes reads the files that ref names in a file.
func (r *reader) includes(doc *document, file *source, ref reference, env []string) {
	if ref.name == "" {
		return
	}
	files := []*source{file.beside(ref.name)}
	if strings.ContainsAny(ref.name, "*?[") {
		matches, err := r.glob(file.dir, ref.name)
		if err != nil {
			r.wrong(ref.at, "", "include: %s: %s", ref.name, err)
		}
		files = nil
		for _, match := range matches {
			files = append(files, file.beside(match))
		}
	}
	for _, f := range files {
		if slices.Contains(r.sources, f.path) {
			r.wrong(ref.at, "", "include: %s has been read already", f.shown)
			continue
		}
		r.path = []string{"include"}
		text := r.readFile(f, ref.at)
		r.path = nil
		if text != nil {
			r.yaml(doc, f, text, env)
		}
	}
}

// environment is env with more variables, which count for more the later they come.
func (r *reader) environment(at position, env []string, more ...[]string) []string {
	all := slices.Concat(more...)
	if !r.take(&r.used.variables, len(env)+len(all), maxVariables, at, "more than %d variables in all processes") {
		return nil
	}
	return merge(slices.Clone(env), all...)
}

// envFiles are the variables of several files.
func (r *reader) envFiles(files []reference) []string {
	var env []string
	for _, ref := range files {
		if ref.name == "" {
			continue
		}
		name, optional := strings.CutPrefix(ref.name, "-")
		file := ref.at.file.beside(name)
		more, ok := r.envs[file.path]
		if !ok {
			before := len(r.problems)
			more = r.readEnv(file, ref.at, optional, true)
			if more != nil && len(r.problems) == before {
				if r.envs == nil {
					r.envs = make(map[string][]string)
				}
				r.envs[file.path] = more
			}
		}
		if !r.take(&r.used.variables, len(more), maxVariables, ref.at, "more than %d variables in all processes") {
			return env
		}
		env = append(env, more...)
	}
	return env
}
