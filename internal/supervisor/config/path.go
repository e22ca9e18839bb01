package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// NoSocket is the word for the path of a control socket that there is not to be.
const NoSocket = "none"

// path is a file or directory, relative to the file that names it.
func path(what string) *kind[string] { return pathOr(what) }

// pathOr is a path, or one of these words.
func pathOr(what string, words ...string) *kind[string] {
	return textAs(what, func(s *source, text string) string {
		if slices.Contains(words, text) {
			return text
		}
		return s.resolve(text)
	})
}

// directory is a path in which the home of the process's user stays ~, since that user is not known here.
func directory() *kind[string] {
	return textAs("a directory", func(s *source, text string) string {
		if rest, ok := homeRelative(text); ok {
			return filepath.Join("~", rest)
		}
		return s.resolve(text)
	})
}

// textAs is text that means something else in the file that has it.
func textAs(what string, means func(s *source, text string) string) *kind[string] {
	k := anyText(what)
	read := k.read
	k.read = func(r *reader, n *node, v *string) {
		text := ""
		if read(r, n, &text); text != "" {
			*v = means(n.at.file, text)
		}
	}
	return k
}

// resolve is a path that the file names, made absolute. ~ is the home of the user who runs this.
func (s *source) resolve(path string) string {
	if rest, ok := homeRelative(path); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.dir, path)
}

// homeRelative is what follows ~ in a path that begins with it, as a shell has it.
func homeRelative(path string) (rest string, ok bool) {
	if path == "~" {
		return "", true
	}
	return strings.CutPrefix(path, "~/")
}

// beside is the file that s names, and how the user would write its name.
func (s *source) beside(name string) *source {
	path := s.resolve(name)
	shown := path
	if !filepath.IsAbs(name) {
		shown = filepath.Join(filepath.Dir(s.shown), name)
	}
	return &source{path: path, shown: shown, dir: filepath.Dir(path)}
}
