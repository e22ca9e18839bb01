package config

import (
	"regexp"
	"slices"
	"strings"
)

// hidden is what a file is printed without: the variables that came from environment files, and texts in which variables with
// the name of a secret were replaced.
type hidden struct {
	env   map[string]bool   // NAME=value
	texts map[string]string // as they are, and as they are printed
}

// HideSecrets makes YAML and JSON print ${NAME:?…} in place of what should not be seen: the value of a variable that comes
// from an environment file, or whose name is that of a secret, such as DB_PASSWORD, or that is a URL with a password. It
// is so in env, and wherever else a variable with such a name was replaced. What is printed is read back only where the
// environment has these variables.
func (f *File) HideSecrets() { f.hide = true }

// hideEnv notes variables of an environment file.
func (r *reader) hideEnv(env []string) {
	if r.hidden.env == nil {
		r.hidden.env = make(map[string]bool, len(env))
	}
	for _, v := range env {
		r.hidden.env[v] = true
	}
}

// mark stands around the name of a variable in place of its value. No value contains it.
const mark = "\x00"

// hideText notes a text if variables with the name of a secret were replaced in it.
func (r *reader) hideText(text, result string) {
	found := false
	marked, err := substitute(text, func(name string) (string, bool) {
		value, ok := r.variables(name)
		if ok && value != "" && secretName(name) {
			found = true
			value = mark + name + mark
		}
		return value, ok
	})
	if !found || err != nil {
		return
	}
	var b strings.Builder
	for i, part := range strings.Split(marked, mark) {
		if i%2 == 0 {
			b.WriteString(strings.ReplaceAll(part, "$", "$$"))
		} else {
			b.WriteString(placeholder(part))
		}
	}
	if r.hidden.texts == nil {
		r.hidden.texts = make(map[string]string)
	}
	r.hidden.texts[result] = b.String()
}

// placeholder stands for a value that is not shown. Where it is read back without such a variable, the error says what it is.
func placeholder(name string) string {
	name = strings.Map(func(c rune) rune {
		if c == '.' || c == '-' {
			return '_'
		}
		return c
	}, name)
	return "${" + name + ":?hidden, see --show-secrets}"
}

// hideIn hides what should not be seen in a file that is to be printed.
func (f *File) hideIn(root *node) {
	if processes := root.get("processes"); processes != nil {
		for _, p := range processes.entries {
			env := p.value.get("env")
			if env == nil {
				continue
			}
			for _, v := range env.entries {
				if v.value.text != "" && (f.hidden.env[v.key+"="+v.value.text] || secretName(v.key) || secretURL.MatchString(v.value.text)) {
					v.value.text, v.value.shell = placeholder(v.key), true
				}
			}
		}
	}
	texts := make([]string, 0, len(f.hidden.texts))
	for text := range f.hidden.texts {
		texts = append(texts, text)
	}
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) }) // what contains another comes first
	if len(texts) > 0 {
		f.hideTexts(root, texts)
	}
}

// hideTexts hides texts, and what was made of them: a path that became absolute.
func (f *File) hideTexts(n *node, texts []string) {
	for _, item := range n.items {
		f.hideTexts(item, texts)
	}
	for _, e := range n.entries {
		f.hideTexts(e.value, texts)
	}
	if n.kind != scalar || n.shell || n.number {
		return
	}
	for _, text := range texts {
		before, after, ok := strings.Cut(n.text, text)
		if ok && (len(text) >= 4 || n.text == text) {
			double := func(s string) string { return strings.ReplaceAll(s, "$", "$$") }
			n.text, n.shell = double(before)+f.hidden.texts[text]+double(after), true
			return
		}
	}
}

// secretURL is a URL with a password.
var secretURL = regexp.MustCompile(`://[^/@:\s]*:[^/@\s]+@`)

// Names of variables whose values are secret: with one of these in them, or one of these words between _, . and -.
var (
	secretParts = []string{"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "TOKEN", "CREDENTIAL", "APIKEY", "PRIVATE"}
	secretWords = []string{"PASS", "PW", "PWD", "KEY", "KEYS", "AUTH", "DSN", "SALT", "PAT"}
)

// secretName reports whether a variable of this name holds a secret, as far as a name can tell.
func secretName(name string) bool {
	name = strings.ToUpper(name)
	if name == "PWD" { // where the shell is
		return false
	}
	if slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(name, part) }) {
		return true
	}
	words := strings.FieldsFunc(name, func(c rune) bool { return c == '_' || c == '.' || c == '-' })
	return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(secretWords, word) })
}
