package supervisor

import (
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/internal/supervisor/config"
)

const shell = "/bin/sh"

// argv is the program with its arguments that runs a command.
func argv(c *config.Command) []string {
	switch {
	case c == nil:
		return nil
	case len(c.Args) > 0:
		return c.Args
	case isSimple(c.Shell):
		return []string{shell, "-c", "exec " + strings.TrimSpace(c.Shell)}
	}
	return []string{shell, "-c", c.Shell}
}

// notPrograms are words that the shell acts on itself. A line that begins with one is not the start of a program, or not of
// the same.
var notPrograms = []string{
	"!", ".", ":", "[", "[[", "{", "}", "alias", "bg", "break", "builtin", "case", "cd", "command", "continue", "coproc", "declare", "do", "done", "echo", "elif",
	"else", "enable", "esac", "eval", "exec", "exit", "export", "false", "fc", "fg", "fi", "for", "function", "getopts", "hash", "if", "in", "jobs", "kill",
	"let", "local", "printf", "pwd", "read", "readonly", "return", "select", "set", "shift", "source", "test", "then", "time", "times", "trap",
	"true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
}

// isSimple reports whether a line for the shell is certainly one simple command, the start of one program, so that the
// shell may become that program instead of waiting for it. What it does not understand is not simple.
func isSimple(line string) bool {
	line = strings.TrimSpace(line)
	name, _, _ := strings.Cut(line, " ")
	if name == "" || slices.Contains(notPrograms, name) || strings.IndexFunc(name, isNoName) >= 0 {
		return false
	}
	var quote byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		next := byte(0)
		if i+1 < len(line) {
			next = line[i+1]
		}
		switch {
		case c == '\n' || c == '\r':
			return false
		case quote == '\'':
			if c == '\'' {
				quote = 0
			}
		case c == '`' || c == '$' && next == '(':
			return false
		case c == '\\':
			i++
		case quote == '"':
			if c == '"' {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '<' && next == '<':
			return false
		case c == '&' && (line[i-1] == '>' || line[i-1] == '<'): // 2>&1; the line does not begin with it
		case strings.IndexByte(";&|()", c) >= 0:
			return false
		}
	}
	return quote == 0
}

// isNoName reports whether a sign may be more than a part of the name of a program.
func isNoName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("./_-+", r))
}
